"""Headless: `python -m advisor plan|report|... FILE`. Progress goes to stderr, results to stdout or --out."""

import argparse
import importlib
import json
import pkgutil
import sys

import advisor
from data.errors import Cancelled, RightsizeError


def commands() -> dict[str, object]:
    """The subcommands: one module `cli_<name>` each, with `add(subparsers)` and `run(args)`."""
    names = sorted(info.name for info in pkgutil.iter_modules(advisor.__path__) if info.name.startswith("cli_"))
    return {name.removeprefix("cli_"): importlib.import_module(f"advisor.{name}") for name in names}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; its exit code (0 done, 2 bad input, 3 this machine cannot, 4 measurement failed,
    5 a table or the store is broken, 130 cancelled)."""
    parser = argparse.ArgumentParser(prog="python -m advisor", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in commands().values():
        module.add(subparsers)  # type: ignore[attr-defined]
    args = parser.parse_args(arguments)
    try:
        args.run(args)
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return Cancelled.exit_code
    except RightsizeError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        if getattr(args, "json", False):
            print(json.dumps({"error": error.message, "hint": error.hint}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
