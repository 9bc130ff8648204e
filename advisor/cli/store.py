"""`python -m advisor store WEIGHTS`: smaller files of weights without an architecture, and what is left of them."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from advisor.store_weights import TITLES, store_smaller
from advisor.types import Variant
from data import words
from data.home import home
from data.records import to_plain
from profiler.headless import headless
from profiler.intake import take_in


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "store",
        help="smaller files of weights that have no architecture (safetensors, state dicts)",
        description="Writes the weights in smaller forms, reads them back and says how far they are from what they "
        "were. For storing and sending: `restore` makes plain safetensors of them again. Latency needs the "
        "architecture, and so does the answer to whether the model still does its job.",
    )
    parser.add_argument("file", type=Path, help="a .safetensors file or a state dict")
    parser.add_argument("--form", action="append", choices=tuple(TITLES), default=[], help="only this one (repeat)")
    parser.add_argument("--out", type=Path, help="a folder for the files")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Makes the files and prints their size and precision."""
    with headless() as desk:
        with desk.span(0.0, 0.1):
            sha256 = take_in(desk, path=str(args.file))["sha256"]
        with desk.span(0.1, 1.0):
            done = store_smaller(desk, sha256=sha256, forms=args.form)
        made = [one for one in (desk.get(Variant, each) for each in done["made"]) if one is not None]
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        for one in made:
            if one.file:
                shutil.copyfile(home().variants(sha256) / one.file, args.out / Path(one.file).name)
    print(json.dumps([to_plain(one) for one in made], indent=1) if args.json else _told(made, args.file.stat().st_size))


def _told(made: list[Variant], original_bytes: int) -> str:
    width = max(len(one.steps[-1].title) for one in made)
    return "\n".join(f"{one.steps[-1].title:{width}}  {_line(one, original_bytes)}" for one in made)


def _line(one: Variant, original_bytes: int) -> str:
    if one.failed is not None or one.file_bytes is None:
        return one.failed or ""
    left = words.number(one.quality.snr_db) if one.quality else words.NOT_KNOWN
    size = f"{words.size(one.file_bytes)}, {one.file_bytes / original_bytes:.3f} times"
    return f"{size}; signal over noise {left} dB; {'; '.join(one.notes)}"
