"""From file to verdict on nine shapes: the ratio of the plan, confirmed by a plain loop, and how long it took."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from advisor.compress import runnable_file
from advisor.plan import plan
from advisor.recommend import title
from advisor.types import Plan, Report
from benchmarks import Effort, Row
from benchmarks.bench_tools import ROOT, desk, folder, model
from data.estimate import Estimate
from profiler.inputs import random_feeds
from profiler.intake import take_example, take_in
from profiler.jobs import SO_FAR, Desk
from profiler.kept import kept_model
from profiler.stats import over_loads

# Latency ratio of the recommended plan at most (one thread, cosine at least 0.98; digits: accuracy falls by 1 % at
# most); None: "keep the original", unless an interval clearly excludes 1 - and then a plain loop must find so too.
LIMITS: dict[str, float | None] = {
    "digits_cnn": 0.80, "mlp": None, "dlrm": None, "lstm": 0.33, "mobilenetv2": 0.70, "resnet50": 0.36, "vit_s": 0.42,
    "bert_base": 0.30, "gpt2_small": 0.40,
}  # fmt: skip
SECONDS = {"digits_cnn": 20.0, "resnet50": 240.0, "bert_base": 240.0}
FIRST_S = 60.0
MAX_LOSS = {"digits_cnn": 0.01}
PROCESSES, PAIR_S = 5, 3.0


def SUITE(effort: Effort) -> Iterator[Row]:
    """A few rows a shape, the small ones first; time limits are promised on a quiet machine."""
    for name, limit in LIMITS.items():
        if not effort.only or name in effort.only:
            yield from _shape(name, limit, effort)


@dataclass
class Heard:
    """When the search first told an answer, by what it says of its progress."""

    started: float = field(default_factory=time.perf_counter)
    first_s: float | None = None

    def __call__(self, done_frac: float, text: str) -> None:
        if self.first_s is None and SO_FAR in text:
            self.first_s = time.perf_counter() - self.started


def _shape(name: str, limit: float | None, effort: Effort) -> Iterator[Row]:
    sha256 = taken(name)
    budget = {"objective": "latency", "max_loss": MAX_LOSS.get(name, 0.02)}
    heard = Heard()
    here = Desk(desk().home, desk()._keeper, heard)
    done = plan(here, sha256=sha256, budget=budget, threads=1)
    seconds = time.perf_counter() - heard.started
    report = desk().get(Report, done["report"])
    assert report is not None
    chosen = report.recommendation.plan
    yield _verdict(name, limit, report, seconds, heard)
    if chosen is not None:
        yield _confirmed(name, sha256, report, chosen, effort)
    if name == "resnet50":
        yield _dynamic_seen_slower(report)


def _verdict(name: str, limit: float | None, report: Report, seconds: float, heard: Heard) -> Row:
    chosen = report.recommendation.plan
    quick = seconds <= SECONDS.get(name, seconds)
    if name in ("resnet50", "bert_base"):
        quick = quick and heard.first_s is not None and heard.first_s <= FIRST_S
    told = "none" if heard.first_s is None else f"{heard.first_s:.0f} s"
    found = report.recommendation
    note = f"{len(found.tried)} tried, {len(found.not_tried)} not; first answer after {told}"
    if chosen is None or chosen.latency_ratio is None:
        kept = limit is None and found.verdict == "keep the original"
        value = f"{found.verdict}, {seconds:.0f} s"
        return Row(what=name, value=value, limit=_said(name, limit), passed=kept and quick, note=note)
    ratio, loss = chosen.latency_ratio, chosen.quality.loss if chosen.quality else None
    passed = ratio.high < 1.0 if limit is None else ratio.mid <= limit
    return Row(
        what=name, value=f"{_ends(ratio)}, {title(chosen)}, loss {loss:.4f}, {seconds:.0f} s",
        limit=_said(name, limit), passed=passed and quick,
        note=f"{chosen.latency_basis}, {ratio.source.rpartition(', ')[2]}; {note}",
    )  # fmt: skip


def _confirmed(name: str, sha256: str, report: Report, chosen: Plan, effort: Effort) -> Row:
    """The plan beside the original in fresh processes that know nothing of Rightsize: it must be faster there too."""
    variant = next(one for one in report.variants if one.id == chosen.variant_id)
    what, source = kept_model(desk(), sha256)
    feeds = folder() / f"{name}.feeds.npz"
    import numpy as np

    np.savez(feeds, **random_feeds(what, dict(report.baseline.workload.shapes)))
    order = {
        "original": str(source), "variant": str(runnable_file(desk().home, variant)), "runtime": variant.runtime,
        "precision": variant.runtime_options.get("precision"), "feeds": str(feeds),
        "seconds": PAIR_S * effort.time_factor,
    }  # fmt: skip
    ratios = []
    for number in range(PROCESSES):
        text = json.dumps(order | {"variant_first": bool(number % 2)})
        command = [sys.executable, str(ROOT / "benchmarks/plain_pair.py"), text]
        ratios.append(float(json.loads(subprocess.run(command, check=True, capture_output=True, timeout=600).stdout)))
    found = over_loads([[ratio] for ratio in ratios])
    return Row(
        what=f"{name}, by a plain loop", value=_ends(found), limit="faster than the original",
        passed=found.high < 1.0, note=f"CPU time, {PROCESSES} fresh processes",
    )  # fmt: skip


def _dynamic_seen_slower(report: Report) -> Row:
    """Dynamic INT8 over all operators, which convolutional networks run many times slower."""
    wanted = [
        one
        for one in report.recommendation.tried
        if one.steps[-1].technique == "int8_dynamic" and one.steps[-1].options.get("operators") == "all"
    ]
    ratio = wanted[0].latency_ratio if wanted else None
    return Row(
        what="resnet50, dynamic INT8", value="not reached" if ratio is None else _ends(ratio),
        limit="seen slower, ruled out", passed=ratio is not None and ratio.low > 1.0 and bool(wanted[0].ruled_out),
        note=(wanted[0].ruled_out or "") if wanted else "",
    )  # fmt: skip


def _ends(ratio: Estimate) -> str:
    return f"{ratio.mid:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"


def _said(name: str, limit: float | None) -> str:
    words = "keep, or an interval below 1" if limit is None else f"at most {limit:.2f}"
    return f"{words}, {SECONDS[name]:.0f} s" if name in SECONDS else words


def taken(name: str) -> str:
    """The shape's hash, kept; the digits with their labelled images."""
    if name == "digits_cnn":
        return str(take_example(desk(), name="digits")["sha256"])
    path: Path = model(name)[0]
    return str(take_in(desk(), path=str(path))["sha256"])
