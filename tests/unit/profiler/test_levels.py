"""Which layers close here: what one child told holds, what none told in time is asked again."""

import pytest

from data.errors import MeasurementError
from profiler import levels, lock


@pytest.fixture
def answers(monkeypatch):
    """Reports that the next children give, one each; an error is raised."""
    waiting = []

    class Probed:
        def __init__(self, rules):
            self.report = waiting.pop(0)

        def closed(self, seconds):
            if isinstance(self.report, Exception):
                raise self.report
            return self.report

        def end(self):
            pass

    monkeypatch.setattr(levels, "Child", Probed)
    monkeypatch.setattr(levels, "_reports", {})
    return waiting


def test_a_child_that_came_too_late_or_died_does_not_narrow_the_formats_for_good(answers):
    answers += [{}, MeasurementError("It died."), dict.fromkeys(lock.LAYERS, "on")]
    assert {level.reason for level in levels.levels()} == {"the sandbox could not be closed"}
    assert {level.reason for level in levels.levels()} == {"It died."}
    assert levels.allowed_formats() == levels.HELD_BY_ANY | levels.HOLD_CODE
    assert all(level.works for level in levels.levels()) and answers == []


def test_without_landlock_nothing_that_holds_code_is_opened(answers):
    answers.append(dict.fromkeys(lock.LAYERS, "on") | {"landlock": "the kernel has none"})
    assert levels.allowed_formats() == levels.HELD_BY_ANY
    (gone,) = [level for level in levels.levels() if not level.works]
    assert (gone.name, gone.reason) == ("landlock", "the kernel has none")
