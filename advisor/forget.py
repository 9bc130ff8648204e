"""Delete a model with everything that came of it: files, variants, measurements, reports, jobs."""

from typing import Any, Protocol

from advisor.llm.adapters import MERGED
from advisor.regression import Check
from advisor.sensitivity import Ranking
from advisor.types import Graph, Report, Variant
from data.home import Home
from data.passing import remove
from profiler.jobs import Jobs
from profiler.run_types import LoadTest, OperatorProfile, TrainingStep
from profiler.types import Job, Measurement, Model

# record class: the fields that may name a model
NAMED_BY: dict[type[Any], tuple[str, ...]] = {
    Report: ("model",), Graph: ("parent_sha256",), Variant: ("parent_sha256",), Measurement: ("model_sha256",),
    LoadTest: ("model_sha256",), OperatorProfile: ("model_sha256",), TrainingStep: ("model_sha256",),
    Ranking: ("model_sha256",), Check: ("model_sha256", "reference_sha256"), Model: ("sha256",),
}  # fmt: skip
STOP_S = 5.0


class Eraser(Protocol):
    """What can delete records: the store."""

    def all(self, kind: type[Any], **equal: Any) -> list[Any]: ...
    def delete(self, kind: type[Any], **equal: Any) -> int: ...


def forget(home: Home, store: Eraser, sha256: str, jobs: Jobs | None = None) -> int:
    """Removes the model's rows, its folder and what was merged into it; how many rows went. `jobs` that still work on
    it are cancelled first: what they save must not come after. Rows go before files: what is listed can be used."""
    for job in jobs.active() if jobs else ():
        if jobs and is_about(job, sha256):
            jobs.cancel(job.id)
            jobs.wait(job.id, STOP_S)
    count = sum(store.delete(Job, id=job.id) for job in store.all(Job) if is_about(job, sha256))
    for kind, fields in NAMED_BY.items():
        count += sum(store.delete(kind, **{field: sha256}) for field in fields)
    remove(home.model(sha256))
    for merged in home.reports.glob(f"{MERGED}{sha256}-*"):  # adapters merged into it: as large as it is
        merged.unlink(missing_ok=True)
    return count


def is_about(job: Job, sha256: str) -> bool:
    """Whether a job works on this model, or took it in."""
    return sha256 in (job.arguments.get("sha256"), (job.result or {}).get("sha256"))
