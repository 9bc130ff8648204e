"""Two measurements asked for at once run one after the other, in one app and across processes; how alike their medians
are to one alone is for a quiet machine: `python -m benchmarks together`."""

import threading
import time

import small_models

from data.home import home
from profiler import intake, profile
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.timing import Settings
from tests.fakes import Keeper


class Watched(Desk):
    """A desk that writes down when its children worked."""

    def __init__(self, report):
        super().__init__(home(), Keeper(), report)
        self.spans = []

    def task(self, function, *arguments, **more):
        started = time.monotonic()
        try:
            return super().task(function, *arguments, **more)
        finally:
            self.spans.append((started, time.monotonic(), function.__name__))


def test_two_jobs_started_together_take_turns(tmp_path):
    path = small_models.mlp(tmp_path / "mlp.onnx")
    heard = []
    desks = [Watched(lambda done_frac, text: heard.append(text)) for _ in range(2)]
    model = intake.look(Desk(home(), Keeper(), lambda *_: None), path, path.name, {})
    settings = Settings(budget_s=0.6, least_s=0.2)
    subject, wish = Subject(path=path, model_sha256=model.sha256), Wish(threads=1, memory=False, settings=settings)
    found = []
    threads = [
        threading.Thread(target=lambda one=desk: found.append(profile.measure(one, [subject], Feed(model=model), wish)))
        for desk in desks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 and all(run.samples_ms for runs in found for run in runs)
    assert "Waiting for another measurement on this device" in heard
    (first_start, first_end, _), (second_start, _, _) = sorted(
        (desk.spans[0][0], desk.spans[-1][1], "") for desk in desks
    )
    assert first_start < first_end <= second_start
