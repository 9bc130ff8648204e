"""`python -m advisor adapter BASE ADAPTER --out merged.safetensors`: merge a LoRA adapter, and check the result."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from advisor.llm.adapters import merge
from data import words
from data.errors import InputError
from profiler.files import made_by_job
from profiler.headless import headless


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "adapter",
        help="merge a LoRA adapter into its base, both safetensors, and check it",
        description="Adds the adapter's product to the weights it belongs to, in a locked process, and checks that the "
        "merged layers answer as base and adapter do together.",
    )
    parser.add_argument("base", type=Path, help="the base's .safetensors")
    parser.add_argument("adapter", type=Path, help="the adapter's .safetensors")
    parser.add_argument("--alpha", type=float, help="lora_alpha of the adapter's configuration (its rank)")
    parser.add_argument("--out", type=Path, required=True, help="the merged .safetensors")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Merges in the locked child and writes the file. Raises InputError where a file is missing or does not fit."""
    for path in (args.base, args.adapter):
        if not path.is_file():
            raise InputError(f"There is no file '{path.name}'.")
    arguments = {"base": str(args.base.resolve()), "adapter": str(args.adapter.resolve()), "alpha": args.alpha}
    with headless() as desk, desk.folder() as folder:
        readable = [args.base.resolve(), args.adapter.resolve()]
        found = desk.task(merge, arguments, folder=folder, readable=readable)
        shutil.copyfile(made_by_job(folder, found["file"]), args.out)
    answer = {**found, "file": str(args.out)}
    print(json.dumps(answer) if args.json else _told(answer))


def _told(answer: dict[str, Any]) -> str:
    share = words.percent(answer["adapter_share_frac"])
    return (
        f"{answer['merged_count']} tensors merged; the adapter has {words.count(answer['adapter_parameters'])} "
        f"parameters ({share} of all). "
        f"Merged and base plus adapter differ by {answer['largest_error']:.1e} at most."
    )
