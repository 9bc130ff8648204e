"""Frozen records to plain JSON values and back, by their type hints. Shared by store, worker and report."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

Record = TypeVar("Record")
SCALARS = (str, int, float, bool)  # as JSON has them: a run is 80,000 of them, so they are taken as they are


def to_plain(value: Any) -> Any:
    """The value as JSON knows it: records become objects, tuples become lists; None stays None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [item if type(item) in SCALARS else to_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "item"):  # a numpy scalar
        return value.item()
    return str(value)


def from_plain(kind: type[Record], value: Any) -> Record:
    """The record of type `kind` that `to_plain` turned into `value`; records in it may stand as they are. Raises
    TypeError or ValueError if none is."""
    return cast(Record, _build(kind, value))


def hints(kind: Any) -> dict[str, Any]:
    """Field name -> resolved type of a record class."""
    return _hints(kind)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    resolved = typing.get_type_hints(kind)
    return {field.name: resolved[field.name] for field in dataclasses.fields(kind)}


def optional(hint: Any) -> tuple[Any, bool]:
    """The type inside `X | None`, and whether None is allowed."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        allowed = len(inner) < len(typing.get_args(hint))
        return (inner[0] if len(inner) == 1 else hint), allowed
    return hint, False


def _build(hint: Any, value: Any) -> Any:
    inner, may_be_none = optional(hint)
    if value is None:
        if may_be_none or inner in (Any, type(None)):
            return None
        raise TypeError(f"{hint} may not be None")
    if dataclasses.is_dataclass(inner) and isinstance(inner, type):
        if isinstance(value, inner):
            return value
        if not isinstance(value, Mapping):
            raise TypeError(f"{inner.__name__} needs an object")
        known = hints(inner)
        return inner(**{name: _build(known[name], item) for name, item in value.items() if name in known})
    origin, args = typing.get_origin(inner), typing.get_args(inner)
    if origin is tuple:
        items = args[0] if len(args) == 2 and args[1] is Ellipsis else Any
        if items in SCALARS:
            return tuple([item if type(item) is items else _build(items, item) for item in value])
        return tuple(_build(items, item) for item in value)
    if origin is list:
        return [_build(args[0], item) for item in value]
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _build(args[1], item) for key, item in value.items()}
    if inner is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
