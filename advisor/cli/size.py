"""`python -m advisor size CONFIG|FILE`: a language model sized without running it."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.llm import frames, memory, serve, sources, speed
from advisor.llm.answer import sized
from advisor.llm.architecture import Architecture
from advisor.llm.configs import known, of_numbers
from advisor.llm.sources import Source
from data import tables, words
from data.console import Progress
from data.errors import InputError
from data.home import home
from profiler.jobs import Desk

GIVEN = ("layers", "hidden", "heads", "vocabulary", "kv_heads", "intermediate", "experts", "experts_per_token")
CONTEXT = 4096
TABLES = ("precisions", "devices", "load", "training", "job")
FITS = {True: "It fits.", False: "", None: "Its memory is what is built in."}


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "size",
        help="size a language model from its config.json, without running it",
        description="Memory of weights and cache, and with --device the speed and energy of prompt and answer: "
        "python -m advisor size config.json --context 8192 --device nvidia-l4 --weights int4_g128.",
    )
    parser.add_argument("file", nargs="?", help="config.json, .gguf, .safetensors or its index.json, or a shipped name")
    parser.add_argument("--list", action="store_true", help="the architectures that are shipped")
    parser.add_argument("--context", type=int, help="tokens of a sequence, prompt and answer (4096, or all it bears)")
    parser.add_argument("--prompt", type=int, help="tokens of the prompt (the context)")
    parser.add_argument("--batch", type=int, default=1, help="sequences at once (1)")
    parser.add_argument("--device", help="a device of the table; without it the memory alone")
    parser.add_argument("--count", type=int, default=1, help="devices of one node (1)")
    parser.add_argument("--weights", help="bf16, fp8, int8, int4_g128, q5_k_m, ... (as the config stores them)")
    parser.add_argument("--kv", choices=tuple(memory.KV_BITS), help="how the cache is kept (16 bits)")
    parser.add_argument("--answer", type=int, help="tokens written a request (what the context leaves, else 300)")
    parser.add_argument("--ttft-ms", type=float, help="budget: time to the first token")
    parser.add_argument("--token-ms", type=float, help="budget: time per token")
    parser.add_argument("--percentile", type=float, default=95.0, help="where the budget must hold (95)")
    parser.add_argument("--rank", type=int, default=16, help="of a LoRA adapter, in the table of training (16)")
    parser.add_argument("--optimizer", choices=tuple(memory.OPTIMIZERS), default="adam", help="there too (adam)")
    parser.add_argument("--table", choices=TABLES, help="a table in place of the answer")
    for name in ("layers", "hidden", "heads", "kv-heads", "vocabulary", "intermediate"):
        parser.add_argument(f"--{name}", type=int, help="plain numbers in place of a file")
    parser.add_argument("--experts", type=int, default=0, help="experts of a mixture (0)")
    parser.add_argument("--experts-per-token", type=int, default=0, help="experts a token passes (0)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the size. Raises InputError where the architecture, the device or a number is not possible."""
    if args.list:
        print("\n".join(known()))
        return
    source = question(args)
    if args.table:
        rows = table(source, args)
        print(rows.to_json(orient="records") if args.json else rows.to_string(index=False))
        return
    on = tables.device(args.device) if args.device else None
    budget = serve.Budget(ttft_ms=args.ttft_ms, time_per_token_ms=args.token_ms, percentile=args.percentile)
    answer = sized(source.arch, source.stored, load_of(args, source.arch), on, args.count, budget)
    print(json.dumps(answer) if args.json else told(source.arch, answer))


def question(args: argparse.Namespace) -> Source:
    """The architecture, and the precision asked for (else as it is stored)."""
    found = source(args)
    return replace(found, stored=memory.precision(args.weights)) if args.weights else found


def source(args: argparse.Namespace) -> Source:
    """The model of the file, the shipped name, or the plain numbers."""
    given = {name: getattr(args, name) for name in GIVEN}
    if args.file is None:
        missing = [f"--{name}" for name in GIVEN[:4] if given[name] is None]
        if missing:
            raise InputError(f"Give a config.json, or {', '.join(missing)}.")
        arch = of_numbers(**given)
    elif args.file in known():
        arch = known()[args.file]
    else:
        return sources.read(Desk(home(), _Nothing(), Progress()), Path(args.file).expanduser(), given)
    return Source(arch=arch, stored=memory.precision(args.weights or arch.stored_as))


class _Nothing:
    """The keeper of a command that keeps nothing: no store is opened."""

    def save(self, *records: Any) -> None:
        """Nothing is saved here."""

    def get(self, kind: type[Any], key: str) -> None:
        """Nothing was."""

    def all(self, kind: type[Any], **equal: Any) -> list[Any]:
        """Nothing was."""
        return []


def table(source: Source, args: argparse.Namespace) -> Any:
    """One of the page's tables. Raises InputError where it needs a device and none is named."""
    arch, stored = source.arch, source.stored
    load = load_of(args, arch)
    if args.table == "training":
        return frames.training(arch, load.context, rank=args.rank, optimizer=args.optimizer)
    if args.table == "devices":
        return frames.devices(arch, stored, load)
    if args.device is None:
        raise InputError(f"The table of {args.table} needs a device.", hint="For example: --device nvidia-l4.")
    on = tables.device(args.device)
    if args.table == "precisions":
        return frames.by_precision(arch, on, args.count, load, own=stored)
    if args.table == "load":
        return frames.load_curve(arch, stored, on, args.count, load)
    return frames.right_size(arch, on, args.count, load)


def load_of(args: argparse.Namespace, arch: Architecture) -> speed.Load:
    """The load of the options; a context nobody asked for is no longer than the model was made for."""
    usual = min(CONTEXT, arch.most_positions or CONTEXT)
    context = usual if args.context is None else args.context
    return speed.Load(context=context, batch=args.batch, prompt=args.prompt, answer=args.answer, kv=args.kv)


def _budget(under: dict[str, Any]) -> str:
    token, first = (words.latency(under[name]["mid"]) for name in ("time_per_token_ms", "ttft_ms"))
    said = f"Under load, at {under['percentile']:g} %: first token {first}, {token} a token"
    fewest = under["fewest_devices"]
    if under["budget_ttft_ms"] is None and under["budget_time_per_token_ms"] is None:
        return f"{said}."
    if under["holds"]:
        return f"{said}: within the budget."
    return f"{said}: not within the budget; {f'{fewest} devices hold it' if fewest else 'no node of it does'}."


def _ends(found: dict[str, Any], ladder: words.Ladder, factor: float = 1.0) -> str:
    mid, low, high = (words.scaled(found[end] * factor, ladder) for end in ("mid", "low", "high"))
    return f"{mid} ({low} to {high}, {found['basis']})"


def told(arch: Architecture, answer: dict[str, Any]) -> str:
    """The same in words."""
    active = words.count(arch.active_parameter_count)
    lines = [
        f"{arch.name}: {words.count(arch.parameter_count)} parameters, {active} active",
        f"weights {words.size(answer['weights_bytes'])} ({answer['weights_title']}), "
        f"cache {words.size(answer['kv_cache_bytes'])}, in all {_ends(answer['total_bytes'], words.BYTES)}",
    ]
    if answer["time_per_token_ms"]:
        joules = answer["j_per_token"]
        lines.append(f"a token every {_ends(answer['time_per_token_ms'], words.LATENCY, 1e-3)}")
        lines.append(f"the first after {_ends(answer['ttft_ms'], words.LATENCY, 1e-3)}")
        lines += [f"{_ends(joules, words.JOULES)} a token"] if joules else []
        fits = answer["fits"]
        needed = fits["fewest_devices"] or "more than a node has"
        lines.append(FITS[fits["fits"]] or f"It does not fit; devices needed: {needed}.")
        lines.append(_budget(answer["under_load"]))
        lines.append(answer["advice"])
    return "\n".join([*lines, *arch.notes])
