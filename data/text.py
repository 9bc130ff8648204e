"""Text from outside made safe to show: one line, no control characters, no host paths, cut to measure."""

import re

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# C0 and C1 controls, zero-width characters, bidirectional overrides and isolates, the byte-order mark.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_PATH = re.compile(r"(?<![\w:/.])(?:/[\w.@+~-]+){2,}/?")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and wide forms


def plain(text: object, limit: int = 120) -> str:
    """Any value as one line of visible characters, at most `limit` long (an ellipsis marks a cut)."""
    line = visible(str(text))
    line = " ".join(line.encode("utf-8", "replace").decode("utf-8").split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def visible(text: str) -> str:
    """The text without escape sequences and characters that are not seen or turn what is seen around; uncut."""
    return _INVISIBLE.sub(" ", _ANSI.sub("", text))


def without_paths(text: object, limit: int = 2000) -> str:
    """Library text for a "details" box: `plain`, with absolute paths reduced to their last part."""
    return _PATH.sub(lambda match: "…/" + match.group().rstrip("/").rsplit("/", 1)[-1], plain(text, limit))


def csv_cell(value: object) -> object:
    """A text cell that no spreadsheet takes for a formula: a leading = + - @ tab or CR, spaces before it or not, gets a
    quote before it. What cannot be seen is taken out."""
    if not isinstance(value, str):
        return value
    shown = visible(value)
    return "'" + shown if value.startswith(FORMULA_STARTS) or shown.lstrip().startswith(FORMULA_STARTS) else shown
