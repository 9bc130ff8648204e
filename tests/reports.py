"""A report made by hand, for every test that reads one: small, whole, and with hostile names in it."""

import hashlib
from dataclasses import replace

import numpy as np

from advisor import footprint, payback
from advisor.paired import Candidate
from advisor.recommend import recommend, title
from advisor.report.credits import credited
from advisor.report.outlook import outlook
from advisor.types import Budget, Footprint, Quality, Report, Step, Variant
from data.estimate import Estimate
from profiler.run_types import OperatorProfile, OperatorTime
from profiler.types import Gpu, Layer, Machine, Measurement, Model, Tensor, Workload

HOSTILE = "<script>alert(1)</script>=cmd|'/c calc'!A1"
GRID = Estimate(low=300.0, mid=332.0, high=380.0, basis="modelled", source="grid/electricity_maps")
HERE = Machine(
    fingerprint="f00d", cpu="Test CPU", isa=("avx2", "avx512_vnni"), physical_cores=2, logical_cores=2,
    memory_bytes=24 << 30, versions={"onnxruntime": "1.31.1"},
)  # fmt: skip
MODEL = Model(
    sha256="ab" * 32, name=HOSTILE, format="onnx", file_bytes=400_000, parameter_count=99_530,
    parameters_by_dtype={"float32": 99_530}, weight_bytes=398_120, opset=17, operators={"Gemm": 2},
    inputs=(Tensor(name="x", dtype="float32", shape=("batch", 784)),), shapes={"x": (1, 784)},
    layers=(Layer(name=HOSTILE, op="Gemm", flop=197_888),), flop=197_888,
)  # fmt: skip


def run(scale: float, variant_id: str | None = None) -> Measurement:
    """200 calls of about `scale` ms whose CPU time is the same and whose energy is 8 W times it."""
    noise = (np.random.default_rng(3).normal(1.0, 0.01, 200) * scale).tolist()
    joules = scale / 1000 * 8
    return Measurement(
        id=f"run-{variant_id}", group_id="group", created_at="2026-11-22T10:00:00.000+00:00", model_sha256=MODEL.sha256,
        variant_id=variant_id, machine=HERE, runtime="onnxruntime", provider="CPUExecutionProvider",
        options={"threads": "2"}, workload=Workload(shapes={"x": (1, 784)}), samples_ms=tuple(noise),
        cpu_samples_ms=tuple(noise), warmup_ms=(scale,) * 3, load_ms=12.0, stable=True, peak_bytes=1 << 20,
        baseline_bytes=1 << 24,
        energy_j=Estimate(low=joules / 2, mid=joules, high=joules * 2, basis="modelled", source="rated power"),
    )  # fmt: skip


def variant(name: str, file_bytes: int, cosine: float) -> Variant:
    return Variant(
        id=name, sha256=hashlib.sha256(name.encode()).hexdigest(), parent_sha256=MODEL.sha256,
        steps=(Step(technique=name, title=name.upper()),), file=f"{name}/{name}.onnx", file_bytes=file_bytes,
        quality=Quality(kind="agreement", samples=64, cosine=cosine, snr_db=30.0, top1_agreement=0.99), make_s=2.0,
    )  # fmt: skip


def report(budget: Budget | None = None, there=lambda one: one, **changes) -> Report:
    """INT8 at 0.4 times the latency wins over FP16, which gains nothing; a tighter budget or allowed loss changes
    that. `there` makes each run another one; `changes` are fields of the report."""
    budget = budget or Budget(latency_ms=20.0, requests_per_day=1e6, zone="DE")
    variants = variant("int8", 100_000, 0.999), variant("fp16", 200_000, 0.9999)
    runs = tuple(map(there, (run(10.0), run(4.0, "int8"), run(10.0, "fp16"))))
    found = recommend(
        budget,
        runs[0],
        [
            Candidate(variant=one, measured=timed, original=runs[0], original_file_bytes=MODEL.file_bytes)
            for one, timed in zip(variants, runs[1:], strict=True)
        ],
    )
    before = _year(runs[0].energy_j, budget)
    after = before
    if found.plan is not None:
        after = _year(found.plan.energy_j, budget)
        calls = payback.calls(2.0, found.plan, runs[0])
        found = replace(found, plan=replace(found.plan, footprint=after, payback_calls=calls))
    names = {one.id: title(one) for one in variants}
    ahead = outlook(runs, names, budget, before, after, found.plan)
    made = Report(
        id="0123456789ab", created_at="2026-11-22T10:00:00.000+00:00", version=1, budget=budget, model=MODEL,
        machine=HERE, baseline=runs[0], measurements=runs, variants=variants, recommendation=found,
        footprint_before=before, footprint_after=after, outlook=ahead,
        sources=credited(before, after, found, ahead),
    )  # fmt: skip
    return replace(made, **changes)


def _year(energy_j: Estimate | None, budget: Budget) -> Footprint:
    if energy_j is None:
        return Footprint()
    return footprint.yearly(energy_j, budget.requests_per_day, GRID if budget.zone else None)


def without_energy() -> Report:
    """A machine that tells no energy: the plan is chosen for its latency."""
    budget = Budget(latency_ms=20.0, objective="latency", zone="DE")
    return report(budget, there=lambda one: replace(one, energy_j=None))


def on_a_gpu() -> Report:
    """The same plan on a GPU, whose energy its own counter told."""
    gpu = Gpu(index=0, name="NVIDIA L4", memory_bytes=24 << 30, power_limit_w=72.0, driver="570.00")
    here = replace(HERE, fingerprint="9b0", gpus=(gpu,))

    def there(one: Measurement) -> Measurement:
        mid = one.energy_j.mid
        counted = Estimate(low=mid * 0.95, mid=mid, high=mid * 1.05, basis="measured", source="NVML, 3 windows")
        provider, options = "CUDAExecutionProvider", {"device": "cuda:0"}
        return replace(one, machine=here, provider=provider, options=options, energy_j=counted)

    return report(there=there, machine=here)


def with_operators() -> Report:
    """The original's time by operator: a product with a hostile name, and what the runtime added."""
    operators = (
        OperatorTime(name="added", op="ReorderInput", ms=0.5, low_ms=0.4, high_ms=0.6),
        OperatorTime(name="fused", op="Gemm", ms=9.0, low_ms=8.5, high_ms=9.5, layers=(HOSTILE,), flop=197_888),
    )
    profile = OperatorProfile(
        id="profile", created_at="2026-11-22T10:00:00.000+00:00", model_sha256=MODEL.sha256, fingerprint="f00d",
        runtime="onnxruntime", options={"threads": "2"}, workload=Workload(threads=2), operators=operators, sum_ms=9.5,
        run_ms=10.1, latency_ms=10.0, calls=40, notes=("The operators' times add up to 95 % of the latency.",),
    )  # fmt: skip
    return report(operators=profile)


CASES = {
    "a plan": report,
    "with its operators": with_operators,
    "keep the original": lambda: report(Budget(max_loss=0.0, zone="DE")),
    "nothing meets the budget": lambda: report(Budget(latency_ms=0.001, zone="DE")),
    "no zone": lambda: report(Budget(latency_ms=20.0)),
    "no energy": without_energy,
    "on a GPU": on_a_gpu,
    "an older one": lambda: report(outlook=None),
}
