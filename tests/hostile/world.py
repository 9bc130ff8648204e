"""The outside that a hostile file must not reach, and what a refusal must read like."""

import json
import os
import re
import socket
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from profiler import child, sandbox

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, str(Path(__file__).with_name("child.py")))
CORPUS = Path(os.environ.get("RIGHTSIZE_BADMODELS", ROOT.parent / "shared" / "badmodels"))
NO_CORPUS = f"the corpus of bad files is not here ({CORPUS.name}); RIGHTSIZE_BADMODELS names its folder"
PATH, ANSI = re.compile(r"(?<![\w.…])/\w+/\w+"), re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]")
CLASS_NAME = re.compile(r"\b\w+(Error|Exception)\b|Traceback")


TOLD = defaultdict(Counter)  # table: {(row, column): count}, shown when all is done (conftest.py)


def corpus():
    """The manifest's items, () where the corpus is absent."""
    manifest = CORPUS / "manifest.json"
    return json.loads(manifest.read_text()) if manifest.exists() else {"items": [], "canary": "", "marker": ""}


def run(task, arguments, folder, **more):
    """A task of tests/hostile/child.py in the real sandbox."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "COMMAND", COMMAND)
        return sandbox.run(f"profiler.hostile_tasks:{task}", arguments, folder=folder, **more)


def check_text(text, cause=()):
    """One line of at most 200 characters that names the cause, with nothing of the machine or the library in it."""
    assert 0 < len(text) <= 200, text
    assert not ANSI.search(text), text
    assert not PATH.search(text), text
    assert not CLASS_NAME.search(text), text
    assert not cause or any(word.lower() in text.lower() for word in cause), (text, cause)


@contextmanager
def untouched(marker, canary):
    """Fails where, meanwhile, a file appears in the marker folder or anyone connects to the listener (port 9)."""
    marker = Path(marker)
    marker.mkdir(parents=True, exist_ok=True)
    (marker / "canary.txt").write_text(canary)
    before = sorted(marker.iterdir())
    with socket.socket() as listener:
        with suppress(OSError):
            listener.bind(("127.0.0.1", 9))
            listener.listen()
        listener.settimeout(0)
        yield
        with pytest.raises((BlockingIOError, OSError)):
            listener.accept()
    assert sorted(marker.iterdir()) == before
