"""`python -m advisor reproduce report.json MODEL`: make the recommended file again."""

import argparse
import json
from pathlib import Path
from typing import Any

from advisor.exporters.json import read
from advisor.report.reproduce import recipe, reproduce
from data.errors import InputError


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "reproduce",
        help="make the recommended file of a report again",
        description="Reads a report.json, applies the recommended steps to the model again and says whether the very "
        "same file came out. Give the data the report was made with, or calibration differs.",
    )
    parser.add_argument("report", type=Path, metavar="REPORT.json")
    parser.add_argument("model", type=Path, metavar="MODEL", help="the original file")
    parser.add_argument("--data", type=Path, help="the .npz the variant was calibrated on")
    parser.add_argument("--out", type=Path, default=Path("reproduced"), help="a folder for the files (reproduced)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Makes the file and prints where it lies."""
    if not args.report.is_file():
        raise InputError("There is no report at this path.", hint="Give the report.json that was exported.")
    made = reproduce(args.model, folder=args.out, data=args.data, **recipe(read(args.report.read_bytes())))
    if args.json:
        print(json.dumps({"file": str(made.file), "sha256": made.sha256, "same": made.same}))
    else:
        print(f"{made.file}: {'the same file' if made.same else 'another file, made the same way'}, {made.sha256}")
