"""Landlock: the kernel refuses this process every file outside a list, and TCP. No privilege needed.

Numbers are those of include/uapi/linux/landlock.h and, for the three system calls, of asm-generic/unistd.h (they are
the same on every architecture). What a kernel knows is told by its ABI version: see "Landlock: unprivileged access
control" in the kernel's user-space API guide.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG, RULE_PATH_BENEATH = 1, 1
PR_SET_NO_NEW_PRIVS = 38

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
SCOPE_ABSTRACT_UNIX_SOCKET, SCOPE_SIGNAL = 1 << 0, 1 << 1

READ = READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE | IOCTL_DEV
OWN_FOLDER = READ | WRITE_FILE | TRUNCATE | MAKE_DIR | MAKE_REG | REMOVE_DIR | REMOVE_FILE | REFER
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV


@dataclass(frozen=True, slots=True)
class Handled:
    """What a ruleset may govern on this kernel; everything governed and not granted is refused."""

    files: int
    network: int
    scoped: int
    attribute_bytes: int

    @staticmethod
    def by(abi: int) -> "Handled":
        """The rights known to a Landlock ABI version (1 to 7; newer ones know these too)."""
        since = ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV))
        files = (REFER - 1) | sum(right for version, right in since if abi >= version)
        network = BIND_TCP | CONNECT_TCP if abi >= 4 else 0
        scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL if abi >= 6 else 0
        return Handled(files, network, scoped, 24 if abi >= 6 else 16 if abi >= 4 else 8)


def abi_version() -> int:
    """The kernel's Landlock ABI, 0 where it has none or has it switched off."""
    return max(0, int(_libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))))


def restrict(grants: Mapping[int, Iterable[str]]) -> int:
    """From here on this thread, and every thread it starts, may touch only what `grants` (rights -> paths) says.

    A path that does not exist is passed over. Returns the ABI version, 0 where Landlock is missing. Raises OSError
    where the kernel has Landlock and refuses the rules: the caller must then not go on.
    """
    abi = abi_version()
    if not abi:
        return 0
    handled = Handled.by(abi)
    fields = struct.pack("=QQQ", handled.files, handled.network, handled.scoped)[: handled.attribute_bytes]
    ruleset = _call(CREATE_RULESET, ctypes.c_char_p(fields), ctypes.c_size_t(len(fields)), ctypes.c_uint32(0))
    try:
        for rights, paths in grants.items():
            for path in paths:
                _allow(ruleset, path, rights & handled.files)
        if _libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no_new_privs was refused")
        _call(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(beneath).st_mode):
            rights &= OF_A_FILE
        rule = struct.pack("=Qi", rights, beneath)
        kind = ctypes.c_int(RULE_PATH_BENEATH)
        _call(ADD_RULE, ctypes.c_int(ruleset), kind, ctypes.c_char_p(rule), ctypes.c_uint32(0))
    finally:
        os.close(beneath)


def _call(number: int, *arguments: object) -> int:
    answer = int(_libc().syscall(number, *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"Landlock call {number} was refused")
    return answer


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
