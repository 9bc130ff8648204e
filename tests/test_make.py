"""The two commands where something is missing: one line that says what to do, and a second try that goes on."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
# Stands in for a Python whose venv is one of: {made by hand, as Debian leaves it without its package}; whose pip fails.
PYTHON = """#!/bin/sh
case "$*" in
  *"-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python; test -z "$NO_VENV";;
  *"pip install"*) echo "ERROR: no network" >&2; test -z "$NO_PIP";;
  *streamlit*) echo "started: $*";;
  *) exec {real} "$@";;
esac
"""


@pytest.fixture
def make(tmp_path):
    """make(*words, NO_PIP="1"): its exit status and everything it said, in a folder with the Makefile alone."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / "python"
    python.write_text(PYTHON.replace("{real}", sys.executable))
    python.chmod(0o755)

    def run(*words, **variables):
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(
            ["make", f"PYTHON={python}", *words], cwd=tmp_path, env=plain | variables, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_the_app_is_started_and_a_second_run_installs_nothing(make):
    port = free_port()
    code, said = make("run", f"PORT={port}")
    assert code == 0 and f"http://127.0.0.1:{port}" in said and f"--server.port {port}" in said
    assert "Installing" in said
    assert "Installing" not in make("run", f"PORT={port}")[1]


def test_a_port_in_use_or_none_is_told_before_anything_is_installed(make, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = make("run", f"PORT={port}")
    assert code and f"Port {port} is in use: stop what uses it, or choose another one" in said
    for odd in ("abc", "0", "70000", ""):
        code, said = make("run", f"PORT={odd}")
        assert code and f"'{odd}' is no port" in said and "Traceback" not in said
    assert not (tmp_path / ".venv").exists()


def test_without_the_venv_package_it_says_so_every_time(make):
    """Debian's python3 leaves half of a .venv behind when it lacks the package."""
    for _ in range(2):
        code, said = make("setup", NO_VENV="1")
        assert code and "install python3-venv" in said
    assert make("setup")[0] == 0


def test_without_a_network_it_says_so_and_the_next_try_goes_on(make, tmp_path):
    code, said = make("setup", NO_PIP="1")
    assert code and "could not all be installed" in said and not list((tmp_path / ".venv").glob(".installed*"))
    assert make("setup")[0] == 0
