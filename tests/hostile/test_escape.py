"""Every way out of the child that is known, tried from inside: with all layers, and with each switched off."""

import contextlib
import os
import socket
import sys
from pathlib import Path

import pytest

from profiler import child, lock, sandbox, warm
from profiler.sandbox import Limits
from tests.hostile.world import COMMAND, ROOT, TOLD, run
from tests.patience import until

sys.path.insert(0, str(Path(__file__).parent))
import attempts

OUTSIDE_FILES = {
    "read_canary", "read_passwd", "read_git_config", "list_tmp", "write_outside", "write_read_only", "rename_out",
}  # fmt: skip
# What each layer alone keeps shut: switched off, no more than these may open.
OPENS = {
    "limits": {"large_file", "large_memory", "core_dump", "raise_limit"},
    "namespaces": set(),
    "landlock": OUTSIDE_FILES | {"parent_environment", "parent_memory", "parent_descriptors"},
    "seccomp": {
        "unix_socket", "chmod_read_only", "touch_read_only", "kill_all", "signal_through_owner", "limit_parent",
        "keep_living", "execute", "execute_here", "fork", "new_namespace", "mount", "hidden_memory", "link_read_only",
        "move_parent", "watch_outside",
        "symlink", "fifo",
    },
}  # fmt: skip
# Kept shut by more than one layer: open only when all of these are off.
KEPT_BY = {
    "tcp": {"namespaces", "landlock", "seccomp"}, "udp": {"namespaces", "seccomp"},
    "kill_parent": {"landlock", "seccomp"}, "ptrace_parent": {"landlock", "seccomp"},
    "read_parent_memory": {"landlock", "seccomp"}, "truncate_read_only": {"landlock", "seccomp"},
    "link_read_only": {"landlock", "seccomp"}, "symlink": {"landlock", "seccomp"}, "fifo": {"landlock", "seccomp"},
    "execute": {"landlock", "seccomp"}, "execute_here": {"seccomp"},
}  # fmt: skip


@pytest.fixture
def world(tmp_path):
    """Things to reach for: a canary, a read-only model, sockets, this process."""
    (folder := tmp_path / "job").mkdir()
    (outside := tmp_path / "outside").mkdir()
    (tmp_path / "canary").write_text("RIGHTSIZE-CANARY")
    (tmp_path / "model").write_bytes(b"model")
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    with contextlib.chdir(tmp_path):  # a socket's address is at most 108 bytes long
        unix.bind("socket")
    unix.listen()
    memory = bytearray(8)
    yield {
        "folder": str(folder), "outside": str(outside), "canary": str(tmp_path / "canary"),
        "readable": str(tmp_path / "model"), "port": tcp.getsockname()[1], "udp_port": udp.getsockname()[1],
        "unix": str(tmp_path / "socket"), "parent": os.getpid(), "address": id(memory), "project": str(ROOT),
    }  # fmt: skip
    for each in (tcp, udp, unix):
        each.close()


def allowed(world):
    names = list(attempts.ATTEMPTS)
    limits = Limits(seconds=60, memory_bytes=1 << 30, file_bytes=50 << 20)
    folder, readable = Path(world["folder"]), [Path(world["readable"])]
    found = run("attempt", {"names": names, "world": world}, folder, readable=readable, limits=limits)
    without = os.environ.get("RIGHTSIZE_WITHOUT") or "nothing"
    for name in names:
        TOLD["attempts to get out, by the layers that are off"][f"without {without}", found[name].split(":")[0]] += 1
    return {name for name in names if found[name] == "allowed"}


def works():
    return {level.name for level in sandbox.levels() if level.works}


def need(*layers):
    for level in sandbox.levels():
        if level.name in layers and not level.works:
            pytest.skip(f"this machine's sandbox has no {level.name}: {level.reason}")


def test_with_all_layers_only_harmless_things_are_allowed(world):
    need("limits", "landlock", "seccomp")
    assert allowed(world) == attempts.ALLOWED
    assert Path(world["readable"]).read_bytes() == b"model"
    assert list(Path(world["outside"]).iterdir()) == []


def test_a_child_that_waited_for_its_order_is_locked_alike(world, monkeypatch, tmp_path):
    need("limits", "landlock", "seccomp")
    monkeypatch.setenv(warm.SWITCH, "1")
    monkeypatch.setattr(child, "COMMAND", COMMAND)
    monkeypatch.setattr(warm, "KINDS", {"profiler.hostile_tasks:attempt": ("onnx",)})
    sandbox.prepare(tmp_path)
    waiting = until(lambda: warm._waiting)
    assert allowed(world) == attempts.ALLOWED
    assert waiting.over.is_set()
    assert Path(world["readable"]).read_bytes() == b"model"


@pytest.mark.parametrize("layer", lock.LAYERS)
def test_without_one_layer_the_others_hold_and_the_app_says_so(world, monkeypatch, layer):
    need("limits", "landlock", "seccomp")
    monkeypatch.setenv("RIGHTSIZE_WITHOUT", layer)
    opened = allowed(world) - attempts.ALLOWED
    assert opened <= OPENS[layer]
    levels = {level.name: level for level in sandbox.levels()}
    assert not levels[layer].works
    assert levels[layer].reason == "switched off"
    assert 0 < len(levels[layer].sentence) <= 200
    narrowed = {"torchscript", "pt2"} - sandbox.allowed_formats()
    assert narrowed == ({"torchscript", "pt2"} if layer in ("landlock", "seccomp") else set())


@pytest.mark.parametrize("off", ["namespaces,seccomp", "landlock,seccomp", "namespaces,landlock"])
def test_what_two_layers_keep_shut_one_keeps_shut(world, monkeypatch, off):
    need("limits", "landlock", "seccomp")
    monkeypatch.setenv("RIGHTSIZE_WITHOUT", off)
    gone = set(off.split(","))
    opened = allowed(world) - attempts.ALLOWED
    single = set().union(*(OPENS[layer] for layer in gone))
    assert {name for name in opened - single if not KEPT_BY.get(name, set()) <= gone} == set()


def test_without_any_layer_weights_are_still_read(monkeypatch):
    monkeypatch.setenv("RIGHTSIZE_WITHOUT", ",".join(lock.LAYERS))
    assert {"onnx", "safetensors", "gguf", "state_dict"} <= sandbox.allowed_formats()
    assert not any(level.works for level in sandbox.levels())
