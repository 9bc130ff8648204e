"""`python -m advisor example digits --out FOLDER`: a model to try, built on this machine."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from data.home import home
from profiler.headless import headless
from profiler.intake import EXAMPLES, data_file, take_example
from profiler.kept import kept_file


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "example",
        help="build a model to try",
        description="digits: a small network trained here on real handwritten digits, with its labelled test set. "
        "bert: the shape of BERT-base with random weights. Then: "
        "python -m advisor plan with the paths it prints.",
    )
    parser.add_argument("name", choices=EXAMPLES, help="which one")
    parser.add_argument(
        "--out", type=Path, help="a folder to copy model.onnx and data.npz to (none: they stay in the data folder)"
    )
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Builds it the first time, keeps it here, copies it out where that is asked for, and says where the files are."""
    with headless() as desk:
        sha256 = take_example(desk, name=args.name)["sha256"]
    file, data = kept_file(home(), sha256), data_file(home(), sha256)
    assert file is not None
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        file = Path(shutil.copyfile(file, args.out / "model.onnx"))
        data = Path(shutil.copyfile(data, args.out / "data.npz")) if data.exists() else data
    copied = {"sha256": sha256, "model": str(file), "data": str(data) if data.exists() else None}
    print(
        json.dumps(copied) if args.json else "\n".join(str(copied[name]) for name in ("model", "data") if copied[name])
    )
