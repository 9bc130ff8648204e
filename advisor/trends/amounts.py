"""Large numbers as people type them: 7B, 2T tokens, 4.2e22."""

import re

from data.errors import InputError

_AMOUNT = re.compile(r"^([\d_,]*\.?\d+(?:e[+-]?\d+)?)\s*([kmbgt]?)$", re.IGNORECASE)
_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
LARGEST = 1e36


def amount(text: str, what: str = "This") -> float | None:
    """The positive number somebody typed ("7B", "1.5T", "4e22", "1,000"); None for an empty text.

    Raises InputError on anything else, named by `what`."""
    typed = text.strip()
    if not typed:
        return None
    match = _AMOUNT.match(typed)
    number = (
        float(match.group(1).replace(",", "").replace("_", "")) * _SUFFIXES[match.group(2).lower()] if match else 0.0
    )
    if not 0 < number <= LARGEST:
        raise InputError(f"{what} is not a positive number.", hint="Write it like 7B, 2T or 4.2e22.")
    return number
