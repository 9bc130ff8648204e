"""A stand-in for the app, to be killed: it runs jobs that measure and save, and writes down what was acknowledged."""

import os
import sys
import uuid
from pathlib import Path

from data.home import Home
from data.store import Store
from profiler import jobs
from profiler.jobs import Jobs
from profiler.tasks import procedure, task
from profiler.types import Machine, Measurement, Workload

HERE = Machine(fingerprint="f", cpu="c", isa=(), physical_cores=1, logical_cores=1, memory_bytes=1)


def measurement(name: str) -> Measurement:
    """A row whose samples say whether it is whole."""
    return Measurement(
        id=name, group_id="g", created_at="2026", model_sha256="m", machine=HERE, runtime="r", provider="p", options={},
        workload=Workload(), samples_ms=tuple(float(n) for n in range(500)), cpu_samples_ms=(1.0,), warmup_ms=(),
        load_ms=1.0, stable=True,
    )  # fmt: skip


@task
def spin(desk):
    """A child at work."""
    while True:
        desk.progress(0.5, "spinning")


@procedure
def keep_saving(desk, log):
    """Saves pairs of rows in one transaction each, and writes their names down once they are acknowledged."""
    with Path(log).open("a", encoding="utf-8") as file:
        while True:
            pair = uuid.uuid4().hex
            desk.save(measurement(pair + "-a"), measurement(pair + "-b"))
            file.write(pair + "\n")
            file.flush()
            os.fsync(file.fileno())
            desk.progress(0.5, "saving")


def resolve(name, mark):
    """The queue finds this module's procedure by its name."""
    return keep_saving


if __name__ == "__main__":
    jobs.resolve = resolve
    home = Home(Path(sys.argv[1]))
    queue = Jobs(home, Store(home.store))
    job = queue.submit(keep_saving, {"log": sys.argv[2]}, title="Saving", lane="device")
    sys.stdout.write(job + "\n")
    sys.stdout.flush()
    queue.wait(job, 600)
