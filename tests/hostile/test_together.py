"""Two measurements asked for at once run one after the other, and neither is the slower for it."""

import threading

import numpy as np
import pytest

from data.home import home
from profiler import intake, profile
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.timing import Settings
from tests.fakes import Keeper


@pytest.mark.hostile
def test_two_jobs_together_measure_what_each_measures_alone(onnx_models):
    path = onnx_models("mobilenetv2")
    heard = []

    def desk():
        return Desk(home(), Keeper(), lambda done_frac, text: heard.append(text))

    model = intake.look(desk(), path, path.name, {})
    wish = Wish(threads=1, energy=False, memory=False, settings=Settings(budget_s=6.0))

    def median(found=None):
        subject = Subject(path=path, model_sha256=model.sha256)
        measured = profile.measure(desk(), [subject], Feed(model=model), wish)[0]
        result = float(np.median(measured.samples_ms))
        if found is not None:
            found.append(result)
        return result

    alone = [median() for _ in range(2)]
    together = []
    threads = [threading.Thread(target=median, args=(together,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "Waiting for another measurement on this device" in heard
    noise = max(0.05, abs(alone[0] / alone[1] - 1))
    for result in together:
        assert result == pytest.approx(np.mean(alone), rel=noise)
