"""The JSON report: its versioned schema, made from the record classes, and what is checked when one is read."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from advisor.types import Report
from data.errors import InputError
from data.estimate import BASES, Estimate
from data.records import hints, optional
from profiler.types import Measurement

NAME, VERSION = "rightsize-report", 1
HASH = "^[0-9a-f]{64}$"
# A name, or two: never a way out of the folder they are kept in.
PLACE = r"^(?!.*\.\.)[\w][\w .()+-]{0,199}(/[\w][\w .()+-]{0,199})?$"
KEY = r"^[\w][\w.-]{0,127}$"
PATTERNS = {
    "sha256": HASH, "model_sha256": HASH, "parent_sha256": HASH, "id": KEY, "group_id": KEY, "variant_id": KEY,
    "fingerprint": KEY, "file": PLACE, "companions": PLACE, "decoded": PLACE,
}  # fmt: skip
LOOKED_AT = 20  # of the errors in a file, to tell the one that says most
REFERS = ((Report, "baseline"), (Measurement, "machine"))
MAY_BE_EMPTY = {"Variant": ("sha256", "file"), "Plan": ("file",)}
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


@cache
def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a report file. Fields may be added within a version; none changes or goes."""
    parts: dict[str, Any] = {}
    _define(Report, parts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rightsize sizing report",
        "description": "What `report.json` holds. A record with a key of its own may be referred to by that key: "
        "`baseline` is one of the measurements, a measurement's `machine` is the report's.",
        "type": "object",
        "required": ["schema", "version", "report"],
        "properties": {
            "schema": {"const": NAME}, "version": {"const": VERSION}, "report": {"$ref": "#/$defs/Report"},
        },
        "$defs": dict(sorted(parts.items())),
    }  # fmt: skip


def check_report(document: Any) -> None:
    """Raises InputError naming the first field that a report file may not have like this."""
    _check(document, schema())


def check_measurement(plain: Any) -> None:
    """The same for one measurement, whole: its machine is not referred to but told."""
    _check(plain, {"$ref": "#/$defs/Measurement", "$defs": schema()["$defs"]})
    if not isinstance(plain.get("machine"), Mapping):
        raise InputError("The measurement does not say on which machine it was made.")


def _check(value: Any, rules: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from jsonschema.validators import extend

    checker = extend(Draft202012Validator, {"pattern": _whole_text})
    worst = best_match(islice(checker(rules).iter_errors(value), LOOKED_AT))
    if worst is not None:
        where = ".".join(str(part) for part in worst.absolute_path)
        raise InputError(
            f"The field '{where[:80]}' is not what it should be." if where else "This is not such a file.",
            hint="Choose a file that Rightsize exported and nobody changed.", details=worst.message,
        )  # fmt: skip


def _whole_text(_: Any, pattern: str, text: Any, __: Any) -> Iterator[Any]:
    """The pattern holds for all of the text: in Python, "$" would let one more line end through."""
    from jsonschema import ValidationError

    if isinstance(text, str) and not re.fullmatch(pattern, text):
        yield ValidationError("a name in it is not what it should be")


def _define(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    """A reference to the definition of this record class, which is made where it is not there yet."""
    if kind.__name__ not in parts:
        parts[kind.__name__] = {}  # holds the place while its fields are looked at
        required = [
            field.name
            for field in dataclasses.fields(kind)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        properties = {name: _field(kind, name, hint, parts) for name, hint in hints(kind).items()}
        if kind is Estimate:
            properties["basis"] = {"enum": list(BASES)}
        text = " ".join((inspect.getdoc(kind) or "").split())
        parts[kind.__name__] = {
            "type": "object", "description": text, "required": required, "properties": properties
        }  # fmt: skip
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _field(kind: Any, name: str, hint: Any, parts: dict[str, Any]) -> dict[str, Any]:
    inner, may_be_none = optional(hint)
    found = _rules(inner, parts)
    if name in PATTERNS and (name != "id" or hasattr(kind, "KEY")):
        pattern = PATTERNS[name]
        if name in MAY_BE_EMPTY.get(kind.__name__, ()):
            pattern = f"^$|{pattern}"
        ruled = found.get("items", found)
        ruled["pattern"] = pattern
    if (kind, name) in REFERS:
        found = {"anyOf": [found, {"type": "string", "pattern": KEY}]}
    return {"anyOf": [found, {"type": "null"}]} if may_be_none and inner is not hint else found


def _rules(hint: Any, parts: dict[str, Any]) -> dict[str, Any]:
    inner, may_be_none = optional(hint)
    if may_be_none and inner is not hint:
        return {"anyOf": [_rules(inner, parts), {"type": "null"}]}
    if inner in PLAIN:
        return {"type": PLAIN[inner]}
    if dataclasses.is_dataclass(inner):
        return _define(inner, parts)
    origin, args = typing.get_origin(inner), typing.get_args(inner)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_rules(part, parts) if part is not type(None) else {"type": "null"} for part in args]}
    if origin in (tuple, list):
        return {"type": "array", "items": _rules(args[0], parts)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _rules(args[1], parts)}
    return {}
