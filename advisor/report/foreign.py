"""JSON from elsewhere, bounded before anything is made of it: its size, its depth, its numbers and its text."""

import json
import math
from datetime import datetime
from typing import Any, NoReturn

from data import units
from data.errors import InputError
from data.text import visible
from profiler.types import Measurement

LIMIT_BYTES = 32 * units.BYTES_PER_MIB
VALUES, DEPTH, TEXT_LENGTH = 400_000, 60, 100_000
LONGEST_MS = units.S_PER_H * units.H_PER_DAY * units.MS_PER_S
WHOLE = 1 << 63  # what the store can hold


def parsed(content: bytes, what: str, hint: str) -> Any:
    """The value the JSON text stands for; `what` ("a Rightsize report") is what it should be. Raises InputError, one
    line, where it is none or more than that could be."""
    if len(content) > LIMIT_BYTES or content.count(b",") > VALUES:
        raise InputError(f"This file is too large to be {what}.", hint=hint)
    try:
        found = json.loads(content, parse_constant=_no_number)
        _check(found)
    except (ValueError, RecursionError) as error:
        raise InputError(f"This is not {what}.", hint=hint, details=str(error)) from error
    return _seen(found)


def _seen(value: Any) -> Any:
    """The value with every text in it made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_seen(item) for item in value]
    return {visible(name): _seen(item) for name, item in value.items()} if isinstance(value, dict) else value


def check_run(run: Measurement) -> None:
    """Raises ValueError where the calls of a run brought along take no time, or days, or its time is none."""
    if not run.samples_ms or not all(0 < sample < LONGEST_MS for sample in run.samples_ms):
        raise ValueError("the calls of a run take no time, or days")
    datetime.fromisoformat(run.created_at)


def _check(value: Any) -> None:
    """Raises ValueError where a number or a text cannot be kept, or values are nested too deep."""
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEPTH:
            raise ValueError("its values are nested too deep")
        if isinstance(value, dict):
            waiting.extend((item, depth + 1) for pair in value.items() for item in pair)
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)
        elif isinstance(value, str):
            if len(value) > TEXT_LENGTH:
                raise ValueError("a text in it is too long")
            value.encode()  # a lone half of a character raises UnicodeEncodeError, which is a ValueError
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number in it is infinite")
        elif isinstance(value, int) and not -WHOLE <= value < WHOLE:
            raise ValueError("a whole number in it is too large")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
