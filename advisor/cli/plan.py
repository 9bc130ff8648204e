"""`python -m advisor plan FILE` and `python -m advisor report FILE`: the whole way without a browser."""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from advisor import compress, turbine
from advisor.exporters import exporters
from advisor.plan import plan
from advisor.report.exports import exporter_for
from advisor.site import usual_budget
from advisor.types import OBJECTIVES, Budget, Footprint, Plan, Report
from data.errors import DataError, InputError, Unavailable
from data.estimate import Estimate
from data.home import home
from data.records import to_plain
from profiler.headless import headless
from profiler.intake import take_in
from profiler.jobs import Desk
from profiler.kept_data import take_data, take_training


def add(subparsers: Any) -> None:
    """The two commands and their options."""
    planner = subparsers.add_parser(
        "plan",
        help="compress a model really, measure every variant, recommend one",
        description="Every technique that fits makes a real file; each runs in turns with the original on the same "
        "inputs. The answer is a plan that meets the budget, 'keep the original', or 'nothing meets the budget'. Give "
        "--data with 'labels' where you can: on random inputs quality proves little. A TorchScript or .pt2 file is "
        "exported to ONNX first and checked; ratios are to the file as PyTorch runs it, and to the export beside.",
    )
    _options(planner)
    planner.add_argument("--out", type=Path, help="a folder for the recommended file and report.json")
    planner.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    planner.set_defaults(run=run_plan)
    reporter = subparsers.add_parser(
        "report",
        help="the same, written as a report",
        description="Plans, and writes the sizing report: --out report.html, .pdf, .md, .json, .csv, .parquet, "
        ".card.md, .emissions.csv or .py. `export` writes a finished one in other formats.",
    )
    _options(reporter)
    reporter.add_argument("--out", type=Path, required=True, help="report.html, report.json, ...: the ending decides")
    reporter.add_argument("--format", choices=exporters(), help="the format, where the ending does not say it")
    reporter.set_defaults(run=run_report)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the model file (ONNX, TorchScript or .pt2)")
    parser.add_argument("--data", type=Path, help="an .npz: arrays named like the model's inputs, and 'labels'")
    parser.add_argument("--train", type=Path, help="an .npz to train and calibrate on; none of its samples in --data")
    parser.add_argument("--split", action="store_true", help="train on half of the labelled --data, judge by the rest")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape")
    parser.add_argument("--batch", type=int, default=1, help="samples in one call (1)")
    parser.add_argument("--threads", type=int, help="threads of a call (the physical cores)")
    parser.add_argument("--latency-ms", type=float, help="the latency budget at --percentile")
    parser.add_argument("--percentile", type=float, default=95.0, help="where the latency budget holds (95)")
    parser.add_argument("--max-loss", type=float, default=0.01, help="allowed drop in accuracy, or 1 - cosine (0.01)")
    parser.add_argument("--memory-mb", type=float, help="the memory budget in MB")
    usual = usual_budget()
    parser.add_argument(
        "--objective", choices=OBJECTIVES, default=usual.objective, help="what the best plan saves (%(default)s)"
    )
    parser.add_argument("--requests-per-day", type=float, default=1_000_000, help="calls a day (1000000)")
    told = "grid zone of the place where it runs, such as DE or US-CAL-CISO (%(default)s)"
    parser.add_argument("--zone", default=usual.zone, help=told)
    parser.add_argument("--seconds", type=float, help="what the search may take (11 to 150, more above 1 GB)")
    parser.add_argument("--technique", action="append", default=[], help="try only this one (may be repeated)")


def run_plan(args: argparse.Namespace) -> None:
    """Plans, writes the files asked for, prints the answer."""
    report = planned(args)
    chosen = report.recommendation.plan
    file = None
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        file = _copied(report, chosen, args.out)
        (args.out / "report.json").write_bytes(exporters()["json"].render(report))
    answer = contract(report, file)
    print(json.dumps(answer, indent=1) if args.json else _words(report))


def run_report(args: argparse.Namespace) -> None:
    """Plans and writes the report in the format that is named, else the one its name ends in."""
    exporter = exporter_for(args.out, args.format)
    if (sentence := exporter.missing()) is not None:
        raise Unavailable(sentence)
    args.out.write_bytes(exporter.render(planned(args)))


def planned(args: argparse.Namespace) -> Report:
    """The report of taking the file in and planning, in this process; records are kept as the app would keep them."""
    budget = Budget(
        latency_ms=args.latency_ms, percentile=args.percentile, max_loss=args.max_loss, objective=args.objective,
        memory_bytes=None if args.memory_mb is None else int(args.memory_mb * 1_000_000),
        requests_per_day=args.requests_per_day, zone=args.zone,
    )  # fmt: skip
    with headless(Told()) as desk:
        shapes = shapes_of(args.shape)
        with desk.span(0.0, 0.05):
            sha256 = take_in(desk, path=str(args.file), shapes=shapes)["sha256"]
            data = _data(desk, sha256, args)
        with desk.span(0.05, 1.0):
            done = plan(
                desk, sha256=sha256, budget=to_plain(budget), data=data,
                shapes=shapes, batch_size=args.batch, threads=args.threads, seconds=args.seconds, only=args.technique,
            )  # fmt: skip
        report = desk.get(Report, done["report"])
    if report is None:
        raise DataError("The report was not kept.")
    return turbine.told_by(report, turbine.chosen())


def _data(desk: Desk, sha256: str, args: argparse.Namespace) -> str | None:
    """The .npz to judge by, once what is to train on is kept with the model. Raises InputError on a misfit."""
    if args.split and (args.data is None or args.train is not None):
        raise InputError("--split takes the labelled samples of --data alone.", hint="Give --data FILE --split.")
    if args.split:
        take_data(desk, sha256=sha256, path=str(args.data.resolve()), split=True)
        return None
    if args.train is not None:
        take_training(desk, sha256=sha256, path=str(args.train.resolve()))
    return str(args.data.resolve()) if args.data else None


class Told:
    """Progress on stderr: a line when the text changes, no more."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, done_frac: float, text: str) -> None:
        if text != self._last:
            self._last = text
            print(f"{done_frac:4.0%} {text}", file=sys.stderr, flush=True)


def shapes_of(given: list[str]) -> dict[str, tuple[int, ...]]:
    """{"name": (1, 3, 224, 224)} of ["name=1x3x224x224"]. Raises InputError on anything else."""
    found = {}
    for text in given:
        name, _, lengths = text.rpartition("=")
        if not name or not all(length.isdigit() and int(length) for length in lengths.split("x")):
            raise InputError(f"'{text}' is no shape.", hint="Write --shape name=1x3x224x224.")
        found[name] = tuple(int(length) for length in lengths.split("x"))
    return found


def contract(report: Report, file: Path | None) -> dict[str, Any]:
    """The answer in the form other programs rely on."""
    found = report.recommendation
    chosen = _plan(found.plan)
    if chosen is not None and file is not None:
        chosen["file"] = str(file)
    return {
        "verdict": found.verdict,
        "headline": found.headline,
        "plan": chosen,
        "runner_up": _plan(found.runner_up),
        "runner_up_margin": found.runner_up_margin,
        "binding_constraint": found.binding_constraint,
        "tried": [_plan(one) for one in found.tried],
        "not_tried": list(found.not_tried),
        "warnings": list(found.warnings),
        "footprint": {"before": _footprint(report.footprint_before), "after": _footprint(report.footprint_after)},
        "report": report.id,
    }


def _plan(one: Plan | None) -> dict[str, Any] | None:
    if one is None:
        return None
    quality = one.quality
    kept = ("kind", "accuracy_before", "accuracy_after", "cosine", "snr_db", "top1_agreement", "samples")
    return {
        "steps": [{"technique": step.technique, "options": step.options} for step in one.steps],
        "file": one.file,
        "latency_ratio": _interval(one.latency_ratio),
        "latency_basis": one.latency_basis,
        "energy_ratio": _interval(one.energy_ratio),
        "export_ratio": _interval(one.export_ratio),
        "latency_ms": one.latency_ms,
        "size_ratio": one.size_ratio,
        "peak_bytes": one.peak_bytes,
        "quality": {name: getattr(quality, name) for name in kept} if quality else None,
        "payback_calls": one.payback_calls,
        "ruled_out": one.ruled_out,
    }


def _footprint(one: Footprint) -> dict[str, Any]:
    names = ("energy_j_per_call", "kwh_per_year", "g_co2e_per_year", "turbine_years")
    return {name: _interval(getattr(one, name)) for name in names}


def _interval(value: Estimate | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"low": value.low, "mid": value.mid, "high": value.high, "basis": value.basis}


def _copied(report: Report, chosen: Plan | None, folder: Path) -> Path | None:
    """The recommended variant's files in `folder`; the main one."""
    if chosen is None:
        return None
    variant = next(one for one in report.variants if one.id == chosen.variant_id)
    files = [variant.file, *variant.companions, *([variant.decoded] if variant.decoded else [])]
    base = compress.variant_file(home(), variant).parent
    for name in files:
        shutil.copyfile(base / Path(name).name, folder / Path(name).name)
    return folder / Path(variant.file).name


def _words(report: Report) -> str:
    found = report.recommendation
    parts = [found.headline, *found.reasons, found.runner_up_margin]
    return "\n".join(part for part in parts if part)
