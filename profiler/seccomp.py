"""Seccomp: a filter in the kernel that answers "not permitted" to system calls a model has no business with.

It closes what Landlock cannot: other processes, sockets of every kind, mode and owner changes, and large parts of the
kernel. Numbers are those of asm/unistd_64.h (x86-64) and asm-generic/unistd.h (64-bit Arm); tests compare them with
the headers where these are installed. The filter's form is that of linux/filter.h, linux/seccomp.h and linux/audit.h.
"""

import ctypes
import errno
import os
import platform
import struct

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
X32_BIT = 0x40000000
NEWEST_CALL = 449  # futex_waitv, Linux 5.16; anything newer is answered as an older kernel would
ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_SET, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
NUMBER_AT, ARCH_AT, FIRST_ARGUMENT_AT = 0, 4, 16
SET_MODE_FILTER, FILTER_FLAG_TSYNC = 1, 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_THREAD = 0x00010000

# name: (x86-64, 64-bit Arm); None where the architecture has no such call
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # starting programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    # sockets and System V messages
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "msgget": (68, 186), "semget": (64, 190), "shmget": (29, 194), "mq_open": (240, 180),
    # files: what Landlock does not govern
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "utime": (132, None),
    "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None), "symlink": (88, None),
    "symlinkat": (266, 36), "link": (86, None), "linkat": (265, 37), "mknod": (133, None), "mknodat": (259, 33),
    "truncate": (76, 45), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    # watching files that cannot be read
    "fanotify_mark": (301, 263), "inotify_init": (253, None), "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "mount_setattr": (442, 442), "move_mount": (429, 429), "open_tree": (428, 428),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    # the kernel's wide doors
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "fanotify_init": (300, 262), "memfd_secret": (447, 447), "seccomp": (317, 277),
    "personality": (135, 92), "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None),
    "uselib": (134, None), "vhangup": (153, 58), "syslog": (103, 116), "acct": (163, 89), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162), "capset": (126, 91),
}  # fmt: skip
MEMFD_CREATE = (319, 279)  # memory no limit counts; CUDA's driver needs it
CLONE, CLONE3 = (56, 220), (435, 435)
KILL, TGKILL = (62, 129), (234, 131)
PRLIMIT = (302, 261)
SCHED_SETAFFINITY = (203, 122)
# call, argument, values refused: a death signal taken back (linux/prctl.h), signals sent through a descriptor's owner
# (asm-generic/fcntl.h, sockios.h), text pushed into a terminal (asm-generic/ioctls.h)
REFUSED_VALUES = (
    ((157, 167), 0, (1,)),  # prctl: PR_SET_PDEATHSIG
    ((72, 25), 1, (8, 10, 15)),  # fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX
    ((16, 29), 1, (0x5412, 0x541C, 0x8901, 0x8902)),  # ioctl: TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP
)


def supported() -> bool:
    """Whether the tables know this architecture."""
    return platform.system() == "Linux" and platform.machine() in COLUMN


def restrict(gpu: bool = False) -> bool:
    """Puts the filter over this process for good; False where the architecture is not known or the kernel has none."""
    if not supported():
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    steps = program(platform.machine(), os.getpid(), gpu)
    code = ctypes.create_string_buffer(b"".join(steps))
    described = struct.pack("@HP", len(steps), ctypes.addressof(code))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    number = REFUSED["seccomp"][COLUMN[platform.machine()]]
    return bool(libc.syscall(number, SET_MODE_FILTER, FILTER_FLAG_TSYNC, ctypes.c_char_p(described)) == 0)


def program(machine: str, pid: int, gpu: bool) -> list[bytes]:
    """The filter for one architecture and process, as a list of sock_filter records."""
    column = COLUMN[machine]
    refused = [*REFUSED.values()] + ([] if gpu else [MEMFD_CREATE])
    steps = [
        _step(LOAD, ARCH_AT), _step(JUMP_EQUAL, AUDIT_ARCH[machine], 1, 0), _step(RETURN, KILL_PROCESS),
        _step(LOAD, NUMBER_AT), _step(JUMP_GREATER, X32_BIT - 1, 0, 1), _answer(errno.EPERM),
        _step(JUMP_GREATER, NEWEST_CALL, 0, 1), _answer(errno.ENOSYS),
    ]  # fmt: skip
    for number in sorted(numbers[column] for numbers in refused if numbers[column] is not None):  # type: ignore[type-var]
        steps += [_step(JUMP_EQUAL, number or 0, 0, 1), _answer(errno.EPERM)]
    # clone3 hides its flags behind a pointer; without it the C library uses clone, whose flags can be read
    steps += [_step(JUMP_EQUAL, CLONE3[column], 0, 1), _answer(errno.ENOSYS)]
    steps += _when(CLONE[column], 0, [_step(JUMP_SET, CLONE_THREAD, 1, 0), _answer(errno.EPERM)])
    for numbers in (KILL, TGKILL):
        steps += _when(numbers[column], 0, [_step(JUMP_EQUAL, pid, 1, 0), _answer(errno.EPERM)])
    steps += _when(PRLIMIT[column], 0, [_step(JUMP_EQUAL, 0, 1, 0), _answer(errno.EPERM)])
    # to move threads between cores: itself (0) or its own, which are younger than it is; never the app's
    own = [_step(JUMP_EQUAL, 0, 2, 0), _step(JUMP_GREATER, pid - 1, 1, 0), _answer(errno.EPERM)]
    steps += _when(SCHED_SETAFFINITY[column], 0, own)
    for numbers, argument, values in REFUSED_VALUES:
        tests = [step for value in values for step in (_step(JUMP_EQUAL, value, 0, 1), _answer(errno.EPERM))]
        steps += _when(numbers[column], argument, tests)
    return [*steps, _step(RETURN, ALLOW)]


def _when(number: int, argument: int, tests: list[bytes]) -> list[bytes]:
    """If this call is made: run the tests on the low half of one argument, then allow."""
    body = [_step(LOAD, FIRST_ARGUMENT_AT + 8 * argument), *tests, _step(RETURN, ALLOW)]
    return [_step(JUMP_EQUAL, number, 0, len(body)), *body]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _answer(error: int) -> bytes:
    return _step(RETURN, ERRNO | error)
