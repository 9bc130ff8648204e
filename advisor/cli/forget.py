"""`python -m advisor forget MODEL`: delete a model with everything that came of it."""

import argparse
import json
from typing import Any

from advisor.forget import forget
from data.errors import InputError
from data.home import home
from data.store import Store
from profiler.types import Model


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "forget",
        help="delete a model with its files, runs and reports",
        description="Removes the kept file, its variants, measurements, reports and jobs. There is no way back. MODEL "
        "is the sha256 that `python -m advisor history list --what models` shows, or its first digits.",
    )
    parser.add_argument("model", metavar="MODEL", help="the sha256, or at least its first eight digits")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Deletes the one model whose hash begins so. Raises InputError where there is none, or more than one."""
    store = Store(home().store)
    try:
        wanted = args.model.lower()
        known = [str(sha256) for sha256 in store.ask("models")["sha256"]] if len(wanted) >= 8 else []
        found = [sha256 for sha256 in known if sha256.startswith(wanted)]
        if len(found) != 1:
            raise InputError(
                "No single model is meant by this.", hint="Give the sha256, or at least its first eight digits."
            )
        model = store.get(Model, found[0])
        count = forget(home(), store, found[0])
    finally:
        store.close()
    name = model.name if model else ""
    print(json.dumps({"sha256": found[0], "records": count}) if args.json else f"{name}: {count} records and its files")
