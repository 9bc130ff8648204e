"""The one dynamic import of the house: work named "room.module:function", marked, and in profiler or advisor.

A *task* runs in the locked child (`profiler/worker.py`): `function(desk: ChildDesk, **arguments)`, arguments and
result plain JSON values. A *procedure* runs in the app or a headless command, starts tasks and saves what they
return: `function(desk: profiler.jobs.Desk, **arguments)`.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from data.errors import InputError

ROOMS = ("profiler", "advisor")
Function = TypeVar("Function", bound=Callable[..., Any])


class ChildDesk(Protocol):
    """What a task sees of the world: its own folder, a way to tell how far it is, and the parent's meter."""

    folder: Path

    def progress(self, done_frac: float, text: str) -> None:
        """Tell the parent how far the task is (0..1) and what it does now."""

    def metered(self, label: str) -> Any:
        """A context manager: the parent reads its energy counter at entry ("ready"/"go") and at exit ("done")."""


def task(function: Function) -> Function:
    """Mark a function as work the locked child may be asked to do."""
    function.__rightsize__ = "task"  # type: ignore[attr-defined]
    return function


def procedure(function: Function) -> Function:
    """Mark a function as a job of the queue, run in the parent."""
    function.__rightsize__ = "procedure"  # type: ignore[attr-defined]
    return function


def name_of(function: Callable[..., Any]) -> str:
    """The name by which `resolve` finds this function again."""
    return f"{function.__module__}:{function.__name__}"


def resolve(name: str, mark: str) -> Callable[..., Any]:
    """The function of that name, marked `mark` ("task" or "procedure"). Raises InputError on any other name."""
    module, _, attribute = name.partition(":")
    if module.split(".")[0] not in ROOMS or not attribute.isidentifier():
        raise InputError("That is not a task of this product.")
    function = getattr(importlib.import_module(module), attribute, None)
    if getattr(function, "__rightsize__", None) != mark:
        raise InputError("That is not a task of this product.")
    return cast(Callable[..., Any], function)
