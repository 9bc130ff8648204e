"""Headless: `python -m profiler inspect|measure|memory|operators|load|sweep FILE`, `python -m profiler machine`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data import console, words
from data.errors import InputError
from data.records import to_plain
from data.settings import settings
from data.text import plain
from data.units import BYTES_PER_MIB
from profiler import intake, memory, profile, said, stats
from profiler.headless import headless
from profiler.inputs import batch_of, filled_shapes
from profiler.jobs import Desk
from profiler.kept import runtime_for
from profiler.load import load_test, swept
from profiler.machine import load, machine
from profiler.measure import Feed
from profiler.operators import profile_operators
from profiler.peaks import measured_peaks
from profiler.run_types import TrainingStep
from profiler.runtimes import runtimes
from profiler.timing import Settings
from profiler.training import MODES, measure_step

SHOWN_OPERATORS = 20
ABOUT = {  # command: (in a line, in a paragraph)
    "inspect": (
        "what the file is",
        "Format, parameters, inputs, layers with FLOP and bytes; nothing in the file is run. "
        "python -m profiler inspect model.onnx --json",
    ),
    "machine": (
        "what this machine is",
        "Processor, memory, GPUs, library versions; with --peaks what it reaches: matrix products and streams.",
    ),
    "measure": (
        "latency, memory and energy here",
        "Times single calls after a warm-up until the median is known to 2 %, weighs the peak memory in a process of "
        "its own, reads the best energy meter there is. The JSON can be compared and imported elsewhere: "
        "python -m profiler measure model.onnx --threads 1 --json > run.json",
    ),
    "memory": (
        "what it takes to run and to train, and where it fits",
        "Weights and live activations by arithmetic against devices from a microcontroller to a server; training with "
        "Adam, all layers and the last alone; --step takes a real step (TorchScript and .pt2 files).",
    ),
    "operators": (
        "where the time of a call goes",
        "The runtime's own profile joined to the layers of the graph, slowest first.",
    ),
    "load": (
        "latency while requests arrive at random",
        "Requests at random times (Poisson) at --rate a second; a sample is the time from arrival to answer.",
    ),
    "sweep": (
        "every batch size on every number of threads",
        "Measures each combination: python -m profiler sweep model.onnx --batch 1 8 32 --threads 1 2",
    ),
}
MOST_SECONDS = 100_000


def main(arguments: list[str]) -> None:
    """Does what the arguments ask for. Raises RightsizeError where it cannot."""
    asked = _parser().parse_args(arguments)
    commands = {
        "inspect": _inspect, "measure": _measure, "memory": _memory, "operators": _operators, "load": _load,
        "sweep": _sweep, "machine": _machine,
    }  # fmt: skip
    commands[asked.command](asked)


def _inspect(asked: Any) -> None:
    started = time.perf_counter()
    with headless() as desk:
        model = intake.look(desk, Path(asked.file), Path(asked.file).name, dict(asked.shape))
        desk.save(model)
    seconds = time.perf_counter() - started
    if asked.json:
        console.answer(to_plain(model) | {"seconds": seconds})
    else:
        print(said.about(model))


def _measure(asked: Any) -> None:
    with headless() as desk, _opened(desk, asked) as (subject, feed):
        wish = profile.Wish(device=asked.device, threads=asked.threads, settings=Settings(budget_s=asked.seconds))
        with desk.span(0.1, 1.0):
            measured = profile.measure(desk, [subject], feed, wish)[0]
        desk.save(feed.model, measured)
        desk.progress(1.0, "Done")
    if asked.json:
        console.answer(said.shown(measured))
    else:
        print(said.lines(measured))


def _memory(asked: Any) -> None:
    with headless() as desk:
        with desk.span(0.0, 0.3):
            model = intake.look(desk, Path(asked.file), Path(asked.file).name, dict(asked.shape))
        desk.save(model)
        steps: list[TrainingStep] = []
        if asked.step or (asked.batch and not model.cannot_run):
            with desk.span(0.3, 1.0), _opened(desk, asked) as (subject, feed):
                model = intake.at_shapes(desk, subject.path, feed.model, feed.shapes)
                steps = [measure_step(desk, subject, feed, mode) for mode in MODES] if asked.step else []
        desk.save(*steps)
        desk.progress(1.0, "Done")
    fits = memory.ladder(model.weight_bytes, model.peak_activation_bytes or 0) if model.layers else ()
    training = memory.training_estimates(model) if model.layers else {}
    found = said.memory(model, memory.static_bytes(model), fits, training, steps)
    console.answer(found) if asked.json else print(said.memory_lines(found))


def _operators(asked: Any) -> None:
    with headless() as desk, _opened(desk, asked) as (subject, feed):
        wish = profile.Wish(device=asked.device, threads=asked.threads)
        with desk.span(0.1, 1.0):
            layers = intake.at_shapes(desk, subject.path, feed.model, feed.shapes).layers
            found = profile_operators(desk, subject, feed, layers, wish)
        desk.save(feed.model, machine(), found)
    if asked.json:
        console.answer(found)
        return
    slowest = sorted(found.operators, key=lambda row: -row.ms)[:SHOWN_OPERATORS]
    for row in slowest:
        print(f"{row.ms:9.4f} ms {words.percent(row.ms / found.sum_ms):>7}  {row.op:20} {', '.join(row.layers)[:60]}")
    print("\n".join(found.notes))


def _load(asked: Any) -> None:
    with headless() as desk, _opened(desk, asked) as (subject, feed):
        with desk.span(0.1, 1.0):
            found = load_test(
                desk, subject, feed, asked.rate, seconds=asked.seconds, workers=asked.workers, threads=asked.threads
            )
        desk.save(feed.model, machine(), found)
    named = {f"p{percent:g}_ms": stats.percentile(found.samples_ms, percent) for percent in (50, 90, 95, 99)}
    if asked.json:
        console.answer(to_plain(found) | named)
        return
    print(f"{found.rate_per_s:g} requests/s asked, {found.achieved_per_s:.4g}/s answered, {found.workers} at once")
    print(f"alone {found.service_ms:.3g} ms a request; busy {words.percent(found.utilisation_frac)} of the time")
    known = [f"{name.removesuffix('_ms')} {value:.3g} ms" for name, value in named.items() if value is not None]
    print("under load " + ", ".join(known))


def _sweep(asked: Any) -> None:
    runs: list[dict[str, Any]] = []
    settings = [(batch, threads) for threads in asked.threads for batch in asked.batch]
    with headless() as desk:
        for number, (asked.batch, threads) in enumerate(settings):
            share = (number / len(settings), (number + 1) / len(settings))
            with desk.span(*share), _opened(desk, asked) as (subject, feed):
                measured = swept(desk, subject, feed, threads)
                desk.save(feed.model, measured)
            runs.append(said.shown(measured))
    if asked.json:
        console.answer({"runs": runs})
        return
    for run in runs:
        call, middle = run["workload"], run["p50_ms"] or run["mean_ms"]
        setting = f"batch {call['batch_size']:4} threads {call['threads']:3}"
        memory = f"{(run['peak_bytes'] or 0) / BYTES_PER_MIB:8.1f} MiB"
        print(f"{setting}  p50 {middle:9.3g} ms  {run['throughput_per_s']:10.4g} samples/s  {memory}")


@contextmanager
def _opened(desk: Desk, asked: Any) -> Iterator[tuple[profile.Subject, Feed]]:
    """The file asked for, unpacked and read, and what it is to be fed. Raises InputError where it cannot run."""
    file, shapes = Path(asked.file), dict(asked.shape)
    with intake.opened(desk, file, file.name) as (whole, verdict):
        with desk.span(0.0, 0.1):
            model = intake.read(desk, whole, verdict, file.name, shapes)
        if model.cannot_run:
            raise InputError(model.cannot_run)
        subject = profile.Subject(
            path=whole, model_sha256=model.sha256, runtime=runtime_for(model.format, asked.runtime),
            options={"precision": asked.precision} if asked.precision else {},
            readable=tuple(whole.parent / name for name in model.companions),
        )  # fmt: skip
        filled = filled_shapes(model.inputs, shapes, asked.batch)
        yield subject, Feed(
            model=model, shapes=filled, batch_size=asked.batch or batch_of(model.inputs, filled),
            data=str(Path(asked.data).resolve()) if asked.data else None,
        )  # fmt: skip


def _machine(asked: Any) -> None:
    found = to_plain(machine()) | {"load": to_plain(load())}
    if asked.peaks:
        with headless() as desk:
            peaks = measured_peaks(desk, asked.threads, asked.device)
            desk.save(machine(), peaks)
            found["peaks"] = to_plain(peaks)
            desk.progress(1.0, "Done")
    if asked.json:
        console.answer(found)
    else:
        print("\n".join(f"{name}: {value}" for name, value in found.items()))


def _parser() -> console.Parser:
    parser = console.Parser(prog="python -m profiler", description="Inspect and measure model files on this machine.")
    added = parser.add_subparsers(dest="command", required=True, parser_class=console.Parser)

    def command(name: str, parents: list[Any]) -> Any:
        return added.add_parser(name, parents=parents, help=ABOUT[name][0], description=ABOUT[name][1])

    told = console.Parser(add_help=False)
    told.add_argument("--json", action="store_true", help="one JSON object on stdout")
    file = console.Parser(add_help=False, parents=[told])
    file.add_argument("file", metavar="FILE")
    shape = "lengths of an input whose axes are open (repeat)"
    file.add_argument(
        "--shape", action="append", default=[], type=console.shape, metavar="name=1x3x224x224", help=shape
    )
    command("inspect", [file])
    where = console.Parser(add_help=False)
    where.add_argument("--threads", type=_positive, help="default: the physical cores")
    where.add_argument("--device", default="cpu", help="cpu, or cuda:0")
    here = command("machine", [told, where])
    here.add_argument("--peaks", action="store_true", help="measure what it reaches: products and streams")
    measure = command("measure", [file, where])
    usual = settings().measure_seconds
    measure.add_argument("--seconds", type=_seconds, default=usual, help=f"time budget of the timed loop ({usual:g})")
    memory = command("memory", [file])
    memory.add_argument("--step", action="store_true", help="take a real training step and weigh it")
    operators = command("operators", [file, where])
    load = command("load", [file, where])
    load.add_argument("--rate", type=_seconds, required=True, help="requests a second on average")
    load.add_argument("--workers", type=_positive, default=1, help="requests served at once")
    load.add_argument("--seconds", type=_seconds, default=10.0, help="for how long (10)")
    sweep = command("sweep", [file])
    sweep.add_argument("--batch", type=_positive, nargs="+", default=[1, 2, 4, 8], help="batch sizes (1 2 4 8)")
    cores = [1, machine().physical_cores]
    sweep.add_argument("--threads", type=_positive, nargs="+", default=cores, help="numbers of threads (1, all cores)")
    for made in (measure, memory, operators, load, sweep):
        made.add_argument("--data", help="an .npz with arrays named like the model's inputs")
        made.add_argument("--runtime", choices=list(runtimes()), help="what runs it (ONNX Runtime where it can)")
        made.add_argument("--precision", choices=("f32", "bf16"), help="arithmetic, where the runtime knows several")
    for made in (measure, memory, operators, load):
        made.add_argument("--batch", type=_positive, help="samples in one call (1, or what --shape says)")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MOST_SECONDS:
        raise InputError(f"'{plain(text, 40)}' is not a number between 0 and {MOST_SECONDS:,}.")
    return value


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"'{text}' is not a whole number above 0.")
    return int(text)


if __name__ == "__main__":
    sys.exit(console.run(main, sys.argv[1:]))
