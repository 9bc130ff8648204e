"""Delete a model with everything that came of it: files, variants, measurements, reports, jobs."""

from typing import Any, Protocol

from advisor.types import Graph, Report, Variant
from data.home import Home
from data.passing import remove
from profiler.run_types import LoadTest, OperatorProfile, TrainingStep
from profiler.types import Job, Measurement, Model


class Eraser(Protocol):
    """What can delete records: the store."""

    def all(self, kind: type[Any], **equal: Any) -> list[Any]: ...
    def delete(self, kind: type[Any], **equal: Any) -> int: ...


def forget(home: Home, store: Eraser, sha256: str) -> int:
    """Removes the model's rows and its folder; how many rows went. Rows go first: what is listed can be used."""
    count = 0
    for job in store.all(Job):
        if job.arguments.get("sha256") == sha256 or (job.result or {}).get("sha256") == sha256:
            count += store.delete(Job, id=job.id)
    count += store.delete(Report, model=sha256)
    count += store.delete(Graph, parent_sha256=sha256)
    count += store.delete(Variant, parent_sha256=sha256)
    for kind in (Measurement, OperatorProfile, LoadTest, TrainingStep):
        count += store.delete(kind, model_sha256=sha256)
    count += store.delete(Model, sha256=sha256)
    remove(home.model(sha256))
    return count
