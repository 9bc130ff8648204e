"""A command's desk: what a killed process left behind goes, what a living one works on stays."""

import subprocess
import sys

from data.home import home
from profiler.headless import headless

HOLD = "from data.home import home; print(home().jobs, flush=True); input()"


def test_a_command_clears_away_what_a_killed_one_left_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("RIGHTSIZE_HOME", str(tmp_path))
    left = home().all_jobs / "rightsize-dead" / "tmp"
    left.mkdir(parents=True)
    (left / "half-made.onnx").write_bytes(b"x" * 1000)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=pipe, stdout=pipe, text=True) as other:
        theirs = other.stdout.readline().strip()
        with headless(lambda done_frac, text: None):
            assert [str(each) for each in home().all_jobs.iterdir() if each != home().jobs] == [theirs]
        other.communicate("\n", timeout=30)
