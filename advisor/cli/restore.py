"""`python -m advisor restore PACKED --out model.onnx`: a file that is only for storage, as plain ONNX again."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from advisor.surgery.storage import unpack_file
from data.console import Progress
from data.errors import InputError
from data.home import home
from data.inbox import open_headless
from profiler.files import made_by_job
from profiler.jobs import Desk


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "restore",
        help="decode a file with k-means or sparse weights back to ONNX",
        description="What k-means codebooks and sparse storage make is smaller to keep and to send; it is decoded "
        "before it runs. The weights come back as they were packed: codebook values, or the pruned ones exactly.",
    )
    parser.add_argument("packed", type=Path, help="the .safetensors that a plan gave")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Decodes in the locked child. Raises InputError where the file is not one of ours."""
    if not args.packed.is_file():
        raise InputError(f"There is no file '{args.packed.name}'.")
    keeper = open_headless(home())
    desk = Desk(home(), keeper, Progress())
    try:
        with desk.folder() as folder:
            path = args.packed.resolve()
            arguments = {"path": str(path), "name": args.out.name}
            for name in desk.task(unpack_file, arguments, folder=folder, readable=[path]):
                shutil.copyfile(made_by_job(folder, name), args.out.parent / name)
    finally:
        keeper.close()
    print(f"{args.out}: {args.out.stat().st_size} bytes")
