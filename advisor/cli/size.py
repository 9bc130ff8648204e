"""`python -m advisor size CONFIG|FILE`: a language model sized without running it."""

import argparse
import json
from pathlib import Path
from typing import Any

from advisor.llm import from_tensors, memory, speed
from advisor.llm.architecture import Architecture
from advisor.llm.configs import fields_of, is_known, known, named, of_config, of_numbers, of_traced
from data import tables, words
from data.console import Progress
from data.errors import InputError
from data.estimate import Estimate
from data.home import home
from data.inbox import open_headless
from data.records import to_plain
from profiler.intake import look
from profiler.jobs import Desk
from profiler.types import Model


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "size",
        help="size a language model from its config.json, without running it",
        description="Memory of weights and cache, and with --device the speed and energy of prompt and answer: "
        "python -m advisor size config.json --context 8192 --device nvidia-l4 --weights int4_g128.",
    )
    parser.add_argument("file", nargs="?", help="config.json, a .gguf or .safetensors, or a shipped name")
    parser.add_argument("--list", action="store_true", help="the architectures that are shipped")
    parser.add_argument("--context", type=int, default=4096, help="tokens of a sequence, prompt and answer (4096)")
    parser.add_argument("--prompt", type=int, help="tokens of the prompt (the context)")
    parser.add_argument("--batch", type=int, default=1, help="sequences at once (1)")
    parser.add_argument("--device", help="a device of the table; without it the memory alone")
    parser.add_argument("--count", type=int, default=1, help="devices of one node (1)")
    parser.add_argument("--weights", help="bf16, fp8, int8, int4_g128, q5_k_m, ... (as the config stores them)")
    parser.add_argument("--kv", choices=tuple(memory.KV_BITS), help="how the cache is kept (16 bits)")
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
    arch, stored = question(args)
    answer = sized(arch, stored, args)
    print(json.dumps(answer) if args.json else told(arch, answer))


def question(args: argparse.Namespace) -> tuple[Architecture, memory.Precision]:
    """The architecture, and the precision asked for (else as it is stored)."""
    path = Path(args.file).expanduser() if args.file else None
    if path is not None and path.is_file() and path.suffix.lower() != ".json":
        model = looked_at(path)
        arch, own = from_tensors.architecture(model), from_tensors.as_stored(model)
        return arch, memory.precision(args.weights) if args.weights else own
    arch = architecture(args)
    return arch, memory.precision(args.weights or arch.stored_as)


def looked_at(path: Path) -> Model:
    """What the locked child reads of the file."""
    keeper = open_headless(home())
    try:
        return look(Desk(home(), keeper, Progress()), path, path.name, {})
    finally:
        keeper.close()


def architecture(args: argparse.Namespace) -> Architecture:
    """The architecture of the file, the shipped name, or the plain numbers."""
    if args.file is None:
        given = {name: getattr(args, name) for name in ("layers", "hidden", "heads", "vocabulary")}
        missing = [f"--{name}" for name, value in given.items() if value is None]
        if missing:
            raise InputError(f"Give a config.json, or {', '.join(missing)}.")
        return of_numbers(
            **given, kv_heads=args.kv_heads, intermediate=args.intermediate, experts=args.experts,
            experts_per_token=args.experts_per_token,
        )  # fmt: skip
    if args.file in known():
        return known()[args.file]
    path = Path(args.file).expanduser()
    if not path.is_file():
        raise InputError("There is no such file, and no architecture of this name is shipped.", hint="size --list")
    fields = fields_of(path)
    if is_known(fields):
        return of_config(fields, named(path))
    return of_traced(fields, named(path), looked_at(path).parameter_count)


def sized(arch: Architecture, stored: memory.Precision, args: argparse.Namespace) -> dict[str, Any]:
    """The answer as other programs rely on it."""
    needed = memory.running(arch, stored, context=args.context, batch=args.batch, kv=args.kv)
    answer = {
        "architecture": arch.name, "parameter_count": arch.parameter_count,
        "active_parameter_count": arch.active_parameter_count, "weights": stored.precision,
        "weights_bytes": needed.weights_bytes, "kv_cache_bytes": needed.kv_cache_bytes,
        "kv_cache_bytes_per_token": memory.kv_cache_bytes(arch, 1, 1, args.kv or stored.kv_default),
        "activation_bytes": needed.activation_bytes, "overhead_bytes": interval(needed.overhead_bytes),
        "total_bytes": interval(needed.total_bytes), "notes": list(arch.notes),
        "ttft_ms": None, "time_per_token_ms": None, "tokens_per_s": None, "j_per_token": None, "fits": None,
    }  # fmt: skip
    if args.device is None:
        return answer
    on = tables.device(args.device)
    load = speed.Load(context=args.context, batch=args.batch, prompt=args.prompt, kv=args.kv)
    made = speed.predict(arch, stored, on, args.count, load)
    return answer | {
        "device": on.device_id, "count": args.count, "ttft_ms": interval(made.ttft_ms),
        "time_per_token_ms": interval(made.time_per_token_ms), "tokens_per_s": interval(made.tokens_per_s),
        "j_per_token": interval(made.j_per_token),
        "bound": {
            "memory_frac": made.memory_frac, "compute_frac": made.compute_frac, "exchange_frac": made.exchange_frac,
        },
        "fits": {
            "fits": made.fits, "per_device_bytes": interval(made.memory_per_device_bytes),
            "device_memory_bytes": on.memory_bytes, "fewest_devices": made.fewest_devices,
        },
        "advice": made.advice,
    }  # fmt: skip


def interval(value: Estimate | None) -> dict[str, Any] | None:
    """{"low", "mid", "high", "basis"} of an estimate."""
    return None if value is None else {key: to_plain(value)[key] for key in ("low", "mid", "high", "basis")}


def told(arch: Architecture, answer: dict[str, Any]) -> str:
    """The same in words."""
    active = words.count(arch.active_parameter_count)
    lines = [
        f"{arch.name}: {words.count(arch.parameter_count)} parameters, {active} active",
        f"weights {words.size(answer['weights_bytes'])} ({answer['weights']}), "
        f"cache {words.size(answer['kv_cache_bytes'])}, in all {words.size(answer['total_bytes']['mid'])}",
    ]
    if answer["time_per_token_ms"]:
        time, joules = answer["time_per_token_ms"], answer["j_per_token"]
        lines.append(
            f"{time['mid']:.3g} ms a token ({time['low']:.3g} to {time['high']:.3g}), first token after "
            f"{answer['ttft_ms']['mid']:.3g} ms" + (f", {joules['mid']:.3g} J a token" if joules else "")
        )
        fits = answer["fits"]
        lines.append("It fits." if fits["fits"] else f"It does not fit; devices needed: {fits['fewest_devices']}.")
        lines.append(answer["advice"])
    return "\n".join([*lines, *arch.notes])
