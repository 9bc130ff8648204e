"""From file to verdict on nine model shapes: the recommended plan's CPU-time ratio, its loss, and how long it took."""

import time
from collections.abc import Iterator

from advisor.plan import plan
from advisor.recommend import title
from advisor.types import Report
from benchmarks import Effort, Row
from benchmarks.bench_tools import desk, model
from profiler.intake import take_example, take_in

# Latency ratio of the recommended plan at most (one thread, cosine at least 0.98; digits: accuracy falls by 1 % at
# most); None: "keep the original", unless an interval clearly excludes 1 with something else than INT8 or INT4.
LIMITS: dict[str, float | None] = {
    "digits_cnn": 0.80, "mlp": None, "dlrm": None, "lstm": 0.33, "mobilenetv2": 0.70, "resnet50": 0.36, "vit_s": 0.42,
    "bert_base": 0.30, "gpt2_small": 0.40,
}  # fmt: skip
SECONDS = {"digits_cnn": 20.0, "resnet50": 240.0, "bert_base": 240.0}
MAX_LOSS = {"digits_cnn": 0.01}
INTEGER = ("int8", "weight_only", "int4")


def SUITE(effort: Effort) -> Iterator[Row]:
    """One row a shape, the small ones first; time limits are promised on a quiet machine."""
    for name, limit in LIMITS.items():
        yield _shape(name, limit)


def _shape(name: str, limit: float | None) -> Row:
    started = time.perf_counter()
    sha256 = _taken(name)
    taken_s = time.perf_counter() - started
    budget = {"objective": "latency", "max_loss": MAX_LOSS.get(name, 0.02)}
    started = time.perf_counter()
    done = plan(desk(), sha256=sha256, budget=budget, threads=1)
    seconds = time.perf_counter() - started
    report = desk().get(Report, done["report"])
    assert report is not None
    chosen = report.recommendation.plan
    if chosen is None or chosen.latency_ratio is None:
        kept = limit is None
        return Row(what=name, value=f"keep the original, {seconds:.0f} s", limit=_said(name, limit), passed=kept)
    ratio = chosen.latency_ratio
    if limit is None:
        passed = ratio.high < 1.0 and not any(step.technique.startswith(INTEGER) for step in chosen.steps)
    else:
        passed = ratio.mid <= limit
    loss = chosen.quality.loss if chosen.quality else None
    quick = name not in SECONDS or seconds <= SECONDS[name]
    ends = f"{ratio.mid:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"
    return Row(
        what=name,
        value=f"{ends}, {title(chosen)}, loss {loss:.4f}, {seconds:.0f} s",
        limit=_said(name, limit), passed=passed and quick,
        note=f"{chosen.latency_basis}; {len(report.recommendation.tried)} tried; taken in within {taken_s:.1f} s",
    )  # fmt: skip


def _said(name: str, limit: float | None) -> str:
    words = "no INT8 or INT4 plan for speed" if limit is None else f"at most {limit:.2f}"
    return f"{words}, {SECONDS[name]:.0f} s" if name in SECONDS else words


def _taken(name: str) -> str:
    """The shape's hash, kept; the digits with their labelled images."""
    if name == "digits_cnn":
        return str(take_example(desk(), name="digits")["sha256"])
    path, _ = model(name)
    return str(take_in(desk(), path=str(path))["sha256"])
