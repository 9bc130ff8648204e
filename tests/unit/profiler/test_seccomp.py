"""The tables against the kernel's own headers, and the filter run by hand on single calls."""

import errno
import re
import struct
from pathlib import Path

import pytest

from profiler import landlock, lock, seccomp

X86 = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
GENERIC = Path("/usr/include/asm-generic/unistd.h")
HEADERS = Path("/usr/include/linux")
CALLS = {
    **seccomp.REFUSED, "memfd_create": seccomp.MEMFD_CREATE, "clone": seccomp.CLONE, "clone3": seccomp.CLONE3,
    "kill": seccomp.KILL, "tgkill": seccomp.TGKILL, "prlimit64": seccomp.PRLIMIT, "prctl": (157, 167),
    "fcntl": (72, 25), "ioctl": (16, 29), "futex_waitv": (seccomp.NEWEST_CALL, seccomp.NEWEST_CALL),
}  # fmt: skip


def numbers(header):
    if not header.exists():
        pytest.skip(f"{header.name} is not installed: the package linux-libc-dev has it")
    named = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    return {name: int(number) for name, number in named}


@pytest.mark.parametrize(("column", "header"), [(0, X86), (1, GENERIC)], ids=["x86_64", "aarch64"])
def test_every_call_number_is_the_kernels(column, header):
    known = numbers(header)
    wrong = {name: (pair[column], known.get(name)) for name, pair in CALLS.items() if pair[column] != known.get(name)}
    # the generic header still names calls 64-bit Arm has under other numbers only
    assert {name: pair for name, pair in wrong.items() if pair[0] is not None} == {}
    assert all(pair[1] is None for pair in wrong.values()), wrong


def test_every_constant_is_the_kernels():
    def of(header, name):
        path = HEADERS / header
        if not path.exists():
            pytest.skip("the kernel's headers are not installed: the package linux-libc-dev has them")
        value = rf"#\s*define\s+{name}\s+\(?((?:0x)?[0-9A-Fa-f]+)(?:ULL)?U?(?:\s*<<\s*(\d+))?"
        text = re.search(value, path.read_text())
        return int(text.group(1), 0) << int(text.group(2) or 0)

    for name in ("EXECUTE", "WRITE_FILE", "READ_FILE", "READ_DIR", "REMOVE_DIR", "REMOVE_FILE", "MAKE_CHAR", "MAKE_DIR",
                 "MAKE_REG", "MAKE_SOCK", "MAKE_FIFO", "MAKE_BLOCK", "MAKE_SYM", "REFER"):  # fmt: skip
        assert getattr(landlock, name) == of("landlock.h", f"LANDLOCK_ACCESS_FS_{name}")
    assert of("prctl.h", "PR_SET_NO_NEW_PRIVS") == landlock.PR_SET_NO_NEW_PRIVS == seccomp.PR_SET_NO_NEW_PRIVS
    for name in ("PR_SET_PDEATHSIG", "PR_CAP_AMBIENT", "PR_CAP_AMBIENT_CLEAR_ALL"):
        assert getattr(lock, name) == of("prctl.h", name)
    for name in ("CLONE_NEWIPC", "CLONE_NEWUSER", "CLONE_NEWNET"):
        assert getattr(lock, name) == of("sched.h", name)
    assert of("sched.h", "CLONE_THREAD") == seccomp.CLONE_THREAD
    assert of("capability.h", "_LINUX_CAPABILITY_VERSION_3") == lock.CAPABILITY_VERSION_3
    assert of("seccomp.h", "SECCOMP_RET_ALLOW") == seccomp.ALLOW
    assert of("seccomp.h", "SECCOMP_RET_ERRNO") == seccomp.ERRNO
    assert of("seccomp.h", "SECCOMP_RET_KILL_PROCESS") == seccomp.KILL_PROCESS
    flags = of("audit.h", "__AUDIT_ARCH_64BIT") | of("audit.h", "__AUDIT_ARCH_LE")
    assert seccomp.AUDIT_ARCH["x86_64"] == flags | of("elf-em.h", "EM_X86_64")
    assert seccomp.AUDIT_ARCH["aarch64"] == flags | of("elf-em.h", "EM_AARCH64")


def run(steps, number, arguments=(), architecture=0xC000003E):
    """The filter's answer to one call: a plain interpreter of the five instructions it uses."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    place, value = 0, 0
    while True:
        code, if_true, if_false, operand = struct.unpack("=HBBI", steps[place])
        place += 1
        if code == seccomp.LOAD:
            value = struct.unpack_from("=I", data, operand)[0]
        elif code == seccomp.RETURN:
            return operand
        else:
            test = {
                seccomp.JUMP_EQUAL: value == operand,
                seccomp.JUMP_GREATER: value > operand,
                seccomp.JUMP_SET: bool(value & operand),
            }[code]
            place += if_true if test else if_false


def test_the_filter_answers_as_meant():
    steps = seccomp.program("x86_64", 777, gpu=False)
    no, unknown = seccomp.ERRNO | errno.EPERM, seccomp.ERRNO | errno.ENOSYS
    assert run(steps, 0) == seccomp.ALLOW  # read
    assert run(steps, 59) == no  # execve
    assert run(steps, 452) == unknown  # fchmodat2, newer than the table
    assert run(steps, 59 | seccomp.X32_BIT) == no
    assert run(steps, 0, architecture=0x40000003) == seccomp.KILL_PROCESS  # 32-bit calls
    assert run(steps, 56, (seccomp.CLONE_THREAD | 0x100,)) == seccomp.ALLOW
    assert run(steps, 56, (0x11,)) == no  # fork by clone
    assert run(steps, 435) == unknown  # clone3
    assert run(steps, 62, (777,)) == seccomp.ALLOW
    assert run(steps, 62, (1,)) == run(steps, 62, (2**64 - 1,)) == no
    assert run(steps, 234, (777, 778)) == seccomp.ALLOW
    assert run(steps, 302, (0,)) == seccomp.ALLOW
    assert run(steps, 302, (1,)) == no
    assert run(steps, 157, (15,)) == seccomp.ALLOW  # PR_SET_NAME
    assert run(steps, 157, (1,)) == no
    assert run(steps, 72, (3, 4)) == seccomp.ALLOW  # F_SETFL
    assert run(steps, 72, (3, 8)) == no
    assert run(steps, 16, (0, 0x5412)) == no
    assert run(steps, 319) == no
    assert run(seccomp.program("x86_64", 777, gpu=True), 319) == seccomp.ALLOW
    arm = seccomp.program("aarch64", 777, gpu=False)
    assert run(arm, 221, architecture=seccomp.AUDIT_ARCH["aarch64"]) == no
    assert run(arm, 63, architecture=seccomp.AUDIT_ARCH["aarch64"]) == seccomp.ALLOW  # read
    assert run(arm, 0, architecture=seccomp.AUDIT_ARCH["x86_64"]) == seccomp.KILL_PROCESS


@pytest.mark.parametrize(
    ("abi", "files", "network", "scoped"), [(1, 13, 0, 0), (3, 15, 0, 0), (4, 15, 2, 0), (6, 16, 2, 2)]
)
def test_each_landlock_version_governs_what_it_knows(abi, files, network, scoped):
    handled = landlock.Handled.by(abi)
    bits = [value.bit_count() for value in (handled.files, handled.network, handled.scoped)]
    assert bits == [files, network, scoped]
    assert handled.attribute_bytes == 8 * (1 + bool(network) + bool(scoped))
