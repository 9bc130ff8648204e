"""The transformers library without the parts that counting never reaches: torch's compiler and its algebra of shapes,
exchanges between devices, pictures, losses. Importing those takes longer than importing all the rest.

What stands in for a module hands over to the real one as soon as anything else is asked of it.
"""

import gc
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

UNUSED = (
    "is_scipy_available", "is_torch_distributed_available", "is_accelerate_available", "is_vision_available",
    "is_torchvision_available", "is_torch_flex_attn_available", "is_sklearn_available",
)  # fmt: skip
COMPILER, SHAPES = "torch._dynamo", "torch.fx.experimental.symbolic_shapes"
ALGEBRA, FUNCTIONS = "sympy", "torch.utils._sympy.functions"
MASKS = f"{COMPILER}._trace_wrapped_higher_order_op"


def mark(function: Callable[..., Any] | None = None, *_: Any, **__: Any) -> Any:
    """The function as it is: a note to a compiler that never comes, with or without arguments."""
    return function if function is not None else mark


def masking() -> Any:
    """The one thing masks take from the compiler, when one is made."""
    return _real(MASKS).TransformGetItemToIndex()


def both(*conditions: bool) -> bool:
    """Whether all of them hold."""
    return all(conditions)


def either(*conditions: bool) -> bool:
    """Whether one of them holds."""
    return any(conditions)


def as_it_is(value: Any) -> Any:
    """A plain number, which is its own hint."""
    return value


def alike(one: Any, other: Any) -> bool:
    """Whether lengths, or lists of them, are equal."""
    return tuple(one) == tuple(other) if isinstance(one, tuple | list) else bool(one == other)


# What is asked of each module while a model is built, whose lengths are all plain numbers.
STANDING_IN: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    COMPILER: dict.fromkeys(("assume_constant_result", "allow_in_graph", "disable", "mark_static_address"), mark),
    MASKS: {"TransformGetItemToIndex": masking},
    ALGEBRA: {"Basic": type("Basic", (), {})},  # no number here is one
    FUNCTIONS: {"Max": max},
    SHAPES: {
        **dict.fromkeys(("expect_true", "guard_or_false", "guard_or_true", "guard_size_oblivious"), bool),
        "statically_known_true": bool,
        "sym_and": both,
        "sym_or": either,
        "sym_eq": alike,
        "guarding_hint_or_throw": as_it_is,
        "has_guarding_hint": lambda length: True,
        "is_nested_int": lambda length: False,
    },
}


class StandsIn(ModuleType):
    """A module of which only these are asked; for anything else the real one is imported."""

    def __init__(self, name: str, known: Mapping[str, Any]) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._known = known

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._known[name] if name in self._known else getattr(_real(self.__name__), name)


@contextmanager
def lean() -> Iterator[None]:
    """Inside, the library is imported without them. For a process of its own: what was imported here stays so."""
    held = gc.isenabled()
    gc.disable()  # of a library nothing goes while it comes, and looking for it takes a fifth of the time
    import torch

    disable = torch.compiler.disable
    for name in STANDING_IN.keys() - sys.modules.keys():
        sys.modules[name] = StandsIn(name, STANDING_IN[name])
    torch.compiler.disable = mark  # type: ignore[assignment]
    try:
        _say_missing()
        yield
    finally:
        torch.compiler.disable = disable
        _make_way()
        if held:
            gc.enable()


def _say_missing() -> None:
    """Tells the library that these are not installed, by the functions it asks."""
    for holder in map(importlib.import_module, ("transformers.utils", "transformers.utils.import_utils")):
        for name in UNUSED:
            if hasattr(holder, name):
                setattr(holder, name, lambda: False)


def _real(name: str) -> Any:
    _make_way()
    return importlib.import_module(name)


def _make_way() -> None:
    """Takes away what stands in, so that the next import finds the real modules."""
    for name in STANDING_IN:
        if isinstance(sys.modules.get(name), StandsIn):
            del sys.modules[name]
