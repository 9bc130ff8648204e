"""Headless: `python -m advisor plan|report|... FILE`. Progress goes to stderr, results to stdout or --out."""

import importlib
import pkgutil
import sys

from advisor import cli
from data import console

EXIT_CODES = (
    "Exit codes: 0 done, 1 a check failed, 2 bad input, 3 this machine cannot, 4 the measurement failed or was too "
    "noisy, 5 a table or the store is broken, 130 cancelled."
)


def commands(only: str = "") -> dict[str, object]:
    """The subcommands: one module of `advisor/cli/` each, with `add(subparsers)` and `run(args)`; one alone, where
    `only` names it: what the others import is not waited for."""
    names = sorted(info.name for info in pkgutil.iter_modules(cli.__path__))
    asked = [only] if only in names else names
    return {name: importlib.import_module(f"advisor.cli.{name}") for name in asked}


def parser(only: str = "") -> console.Parser:
    """The commands and their options. Raises InputError where a setting that is a default cannot be."""
    made = console.Parser(prog="python -m advisor", description=__doc__, epilog=EXIT_CODES)
    subparsers = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in commands(only).values():
        module.add(subparsers)  # type: ignore[attr-defined]
    return made


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; its exit code (0 done, 1 a check failed, 2 bad input, 3 this machine cannot, 4 measurement
    failed, 5 a table or the store is broken, 130 cancelled)."""
    code = 0

    def work(words: list[str]) -> None:
        nonlocal code
        args = parser(words[0] if words else "").parse_args(words)
        code = args.run(args) or 0

    return console.run(work, list(sys.argv[1:] if arguments is None else arguments)) or code


if __name__ == "__main__":
    sys.exit(main())
