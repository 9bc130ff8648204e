"""`python -m advisor example digits --out FOLDER`: a model to try, built on this machine."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from data.console import Progress
from data.home import home
from data.inbox import open_headless
from profiler.intake import EXAMPLES, data_file, take_example
from profiler.jobs import Desk
from profiler.kept import kept_file


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "example",
        help="build a model to try",
        description="digits: a small network trained here on real handwritten digits, with its labelled test set. "
        "bert: the shape of BERT-base with random weights. Then: "
        "python -m advisor plan example/model.onnx --data example/data.npz",
    )
    parser.add_argument("name", choices=EXAMPLES, help="which one")
    parser.add_argument(
        "--out", type=Path, default=Path("example"), help="a folder for model.onnx and data.npz (example)"
    )
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Builds it the first time, keeps it here, and copies it out."""
    keeper = open_headless(home())
    try:
        sha256 = take_example(Desk(home(), keeper, Progress()), name=args.name)["sha256"]
    finally:
        keeper.close()
    args.out.mkdir(parents=True, exist_ok=True)
    file, data = kept_file(home(), sha256), data_file(home(), sha256)
    assert file is not None
    copied = {"sha256": sha256, "model": str(args.out / "model.onnx"), "data": None}
    shutil.copyfile(file, args.out / "model.onnx")
    if data.exists():
        shutil.copyfile(data, args.out / "data.npz")
        copied["data"] = str(args.out / "data.npz")
    print(
        json.dumps(copied) if args.json else "\n".join(str(copied[name]) for name in ("model", "data") if copied[name])
    )
