"""What the headless commands share: one-line refusals, exit codes, JSON on stdout and nothing else there."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from data.errors import Cancelled, InputError, RightsizeError, unforeseen
from data.records import to_plain
from data.text import plain


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, like every other refusal."""

    def error(self, message: str) -> NoReturn:
        raise InputError(plain(message, 200), hint=f"`{self.prog} --help` lists what can be given.")


def run(work: Callable[[list[str]], None], arguments: list[str]) -> int:
    """Does the work and returns the exit code. A refusal is one line on stderr, and {"error", "hint"} on stdout where
    the arguments ask for --json; a defect of ours is told in one line too, and its text under "details"."""
    try:
        work(arguments)
    except RightsizeError as error:
        return refuse(error, as_json="--json" in arguments)
    except KeyboardInterrupt:
        return refuse(Cancelled("Cancelled."), as_json="--json" in arguments)
    except BrokenPipeError:
        return 0
    except Exception as error:
        return refuse(unforeseen(error), as_json="--json" in arguments)
    return 0


def refuse(error: RightsizeError, *, as_json: bool) -> int:
    """Says why not, in one line; the error's exit code."""
    line = f"{error.message} {error.hint}".strip()
    sys.stderr.write(line + "\n")
    if as_json:
        answer({"error": error.message, "hint": error.hint} | ({"details": error.details} if error.details else {}))
    return error.exit_code


def answer(value: Any) -> None:
    """The one JSON line of a command, on stdout."""
    sys.stdout.write(json.dumps(to_plain(value), allow_nan=False) + "\n")
    sys.stdout.flush()


class Progress:
    """How far the work is, on stderr: one line that is written over on a terminal, else one for each new text."""

    def __init__(self) -> None:
        self._text = ""

    def __call__(self, done_frac: float, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{done_frac:4.0%} {text}" + ("\n" if done_frac >= 1 else ""))
        elif text != self._text:
            sys.stderr.write(f"{done_frac:4.0%} {text}\n")
        self._text = text
        sys.stderr.flush()


def shape(text: str) -> tuple[str, tuple[int, ...]]:
    """`name=1x3x224x224` as (name, lengths). Raises InputError on anything else."""
    name, _, lengths = text.rpartition("=")
    parts = lengths.lower().split("x") if lengths else []
    if not name or not parts or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise InputError(f"'{plain(text, 60)}' is not a shape.", hint="Write --shape name=1x3x224x224.")
    return name, tuple(int(part) for part in parts)
