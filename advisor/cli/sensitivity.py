"""`python -m advisor sensitivity FILE`: quantize one layer at a time, and rank them by what it does to the outputs."""

import argparse
import json
from pathlib import Path
from typing import Any

from advisor.find_sensitive import find_sensitive
from advisor.sensitivity import Ranking
from data.console import shape
from data.records import from_plain
from profiler.headless import headless
from profiler.intake import take_in


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "sensitivity",
        help="rank the layers by what quantizing each alone does",
        description="Quantizes weight and input of one layer at a time (or its weight alone, at 4 bits) and compares "
        "the model's outputs. The names are those that quantizers exclude layers by.",
    )
    parser.add_argument("file", type=Path, help="the model file (ONNX, TorchScript or .pt2)")
    parser.add_argument("--data", type=Path, help="an .npz with arrays named like the model's inputs")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape")
    parser.add_argument("--bits", type=int, choices=(8, 4), default=8, help="8 (default), or 4 for weights in groups")
    parser.add_argument("--seconds", type=float, default=60.0, help="what it may take (60); the rest is named")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Takes the file in, ranks its layers in the locked child, and prints them, the most sensitive first."""
    with headless() as desk:
        shapes = dict(shape(each) for each in args.shape)
        with desk.span(0.0, 0.1):
            sha256 = take_in(desk, path=str(args.file), shapes=shapes)["sha256"]
        data = str(args.data.resolve()) if args.data else None
        with desk.span(0.1, 1.0):
            found = find_sensitive(desk, sha256=sha256, data=data, bits=args.bits, seconds=args.seconds, shapes=shapes)
    print(json.dumps(found, indent=1) if args.json else _told(from_plain(Ranking, found)))


def _told(ranking: Ranking) -> str:
    width = max(len(each.layer) for each in ranking.layers)
    lines = [
        f"{each.layer:{width}}  {each.op:8} loss {each.loss:8.2g}  {each.advice}".rstrip() for each in ranking.layers
    ]
    lines += [f"{name:{width}}  not reached in time" for name in ranking.not_measured]
    return "\n".join([*lines, *ranking.notes])
