"""The child locks itself, before numpy or torch are imported: what a model's code cannot reach, it cannot harm.

Layers, each of which may be missing: clean process, namespaces, Landlock, seccomp; resource limits follow with the
order. Landlock binds the calling thread and those it starts, so the lock closes while there is only one.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.units import BYTES_PER_GIB, BYTES_PER_MIB
from profiler import landlock, seccomp

PROJECT = Path(__file__).resolve().parent.parent
LAYERS = ("limits", "namespaces", "landlock", "seccomp")

# linux/prctl.h, linux/sched.h, linux/capability.h
PR_SET_PDEATHSIG, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 1, 47, 4
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000
CAPABILITY_VERSION_3 = 0x20080522

OPEN_FILES = 256
THREAD_BYTES = 16 * BYTES_PER_MIB  # stack and first heap of one thread, reserved more than used
ADDRESSES_BYTES = 4 * BYTES_PER_GIB  # libraries and reserved address space on top of the data budget
ARENA_BYTES = 128 * BYTES_PER_MIB  # address space the C library reserves for one thread's heap

SYSTEM = (
    "/usr", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/localtime", "/proc/self", "/proc/cpuinfo",
    "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/proc/sys/kernel/osrelease", "/sys/devices/system",
    "/sys/fs/cgroup",
)  # fmt: skip
SYSTEM_GPU = (
    "/proc/driver/nvidia", "/proc/devices", "/proc/modules", "/sys/bus/pci", "/sys/devices", "/sys/module/nvidia",
)  # fmt: skip
PEAK_MARK = "/proc/self/clear_refs"  # written to start the kernel's mark of peak memory anew
# NVIDIA's: /dev/nvidia0, nvidiactl, nvidia-uvm, nvidia-caps/; of Windows' Linux; of a Jetson. Their kinds are fixed by
# the driver (README of the driver, "Device node permissions"), so that no other device's name begins like them.
DEVICES_GPU = ("nvidia*", "dxg", "nvhost*", "nvmap", "nvgpu")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the child is told to lock itself to. `without` switches layers off, for tests of the others."""

    parent: int
    folder: str
    readable: tuple[str, ...] = ()
    gpu: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the kernel counts: bytes of data, of address space (None with a GPU) and per file, CPU seconds."""

    data_bytes: int
    address_bytes: int | None
    file_bytes: int
    cpu_s: int


def rules(
    folder: Path, readable: Iterable[Path] = (), *, gpu: bool = False, without: Iterable[str] = ()
) -> dict[str, Any]:
    """The rules a parent gives its child, as plain JSON values."""
    return {
        "parent": os.getpid(), "folder": str(folder), "readable": [str(path) for path in readable], "gpu": gpu,
        "without": list(without),
    }  # fmt: skip


def close(rules: Rules) -> dict[str, str]:
    """Locks this process; {layer: "on", or why it is not}. Raises OSError where a layer that is there refuses."""
    report = dict.fromkeys(LAYERS, "switched off")
    if "limits" not in rules.without:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        files = min(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        report["limits"] = "on"
    if "namespaces" not in rules.without:
        report["namespaces"] = _namespaces()
    _process(rules.parent)
    if "landlock" not in rules.without:
        report["landlock"] = "on" if landlock.restrict(_grants(rules)) else "missing in this kernel"
    _drop_privileges()
    if "seccomp" not in rules.without:
        report["seccomp"] = "on" if seccomp.restrict(rules.gpu) else "missing in this kernel"
    return report


def bound(bounds: Bounds) -> None:
    """Lowers the limits to what this order may take; without privileges they cannot be raised again."""
    _lower(resource.RLIMIT_DATA, bounds.data_bytes)
    _lower(resource.RLIMIT_FSIZE, bounds.file_bytes)
    _lower(resource.RLIMIT_CPU, bounds.cpu_s)
    if bounds.address_bytes is not None:
        _lower(resource.RLIMIT_AS, bounds.address_bytes)


def bounds(*, memory_bytes: int, seconds: float, file_bytes: int, readable_bytes: int, gpu: bool) -> Bounds:
    """Kernel limits around a memory budget: room for the stacks of a thread per core (and as many again), and for
    mapping the files the job reads. CUDA reserves far more addresses than memory: with a GPU only data is counted."""
    cores = os.cpu_count() or 1
    data = memory_bytes + 2 * cores * THREAD_BYTES
    addresses = data + ADDRESSES_BYTES + 2 * cores * ARENA_BYTES + readable_bytes
    return Bounds(
        data_bytes=data,
        address_bytes=None if gpu else addresses,
        file_bytes=file_bytes,
        cpu_s=int(seconds * cores) + 5,
    )


def _process(parent: int) -> None:
    """Die with the parent. After the namespaces: the kernel may forget it there."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        raise OSError("the process that ordered this is gone")


def _namespaces() -> str:
    """A network with no interface and an IPC table of its own; in a user namespace where privileges are missing."""
    if sys.platform != "linux":
        return "missing on this system"
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with suppress(OSError):  # without the map this is 'nobody' in its namespace, which harms nothing
                Path("/proc/self", name).write_text(text)
        return "on"
    if libc.unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0:
        return "on"
    return f"refused by the kernel ({os.strerror(ctypes.get_errno())})"


def _grants(rules: Rules) -> dict[int, Iterable[str]]:
    code = [str(PROJECT / room) for room in ("data", "profiler", "advisor")]
    python = {sys.prefix, sys.base_prefix, *(path for path in sys.path if path and Path(path) != PROJECT)}
    gpu = [str(path) for pattern in DEVICES_GPU for path in Path("/dev").glob(pattern)] if rules.gpu else []
    libraries = [path for path in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if path and rules.gpu]
    system = (*SYSTEM, *(SYSTEM_GPU if rules.gpu else ()), *libraries)
    return {
        landlock.READ_DIR: [str(PROJECT)],
        landlock.READ: [*system, *sorted(python), *code, *rules.readable],
        landlock.DEVICE | landlock.READ_DIR: [*DEVICES, *gpu],
        landlock.OWN_FOLDER: [rules.folder],
        landlock.WRITE_FILE | landlock.TRUNCATE: [PEAK_MARK],
    }


def _drop_privileges() -> None:
    """No capability, not even those root has in its own namespace (capset(2), version 3: two records of three)."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        libc.capset(header, (ctypes.c_uint32 * 6)())


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))
