"""What hostile code would try from inside the child: each returns quietly where it may, and raises where not."""

import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)


def checked(answer):
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def write_own_folder(world):
    Path(world["folder"], "note.txt").write_text("mine")


def threads(world):
    thread = threading.Thread(target=time.sleep, args=(0.01,))
    thread.start()
    thread.join()


def stat_outside(world):
    Path("/etc/passwd").stat()


def tcp(world):
    with socket.create_connection(("127.0.0.1", world["port"]), timeout=2) as connection:
        connection.sendall(b"here")


def udp(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"here", ("127.0.0.1", world["udp_port"]))


def unix_socket(world):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(world["unix"])


def read_canary(world):
    Path(world["canary"]).read_text()


def read_passwd(world):
    Path("/etc/passwd").read_text()


def read_git_config(world):
    Path(world["project"], "pyproject.toml").read_text()


def list_tmp(world):
    list(Path("/tmp").iterdir())


def write_outside(world):
    Path(world["outside"], "written").write_text("x")


def write_read_only(world):
    Path(world["readable"]).write_text("x")


def truncate_read_only(world):
    os.truncate(world["readable"], 0)


def chmod_read_only(world):
    Path(world["readable"]).chmod(0o777)


def touch_read_only(world):
    os.utime(world["readable"], (0, 0))


def link_read_only(world):
    os.link(world["readable"], Path(world["folder"], "link"))


def symlink(world):
    Path(world["folder"], "link").symlink_to("/etc/passwd")


def fifo(world):
    os.mkfifo(Path(world["folder"], "fifo"))


def rename_out(world):
    inside = Path(world["folder"], "out")
    inside.write_text("x")
    inside.rename(Path(world["outside"], "renamed"))


def parent_environment(world):
    Path(f"/proc/{world['parent']}/environ").read_bytes()


def parent_memory(world):
    os.close(os.open(f"/proc/{world['parent']}/mem", os.O_RDWR))


def parent_descriptors(world):
    list(Path(f"/proc/{world['parent']}/fd").iterdir())


def kill_parent(world):
    os.kill(world["parent"], 0)


def kill_all(world):
    os.kill(-1, 0)


def signal_through_owner(world):
    reader, _ = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, world["parent"])
    fcntl.fcntl(reader, 10, signal.SIGURG)  # F_SETSIG


def limit_parent(world):
    resource.prlimit(world["parent"], resource.RLIMIT_CORE, (0, 0))


def move_parent(world):
    os.sched_setaffinity(world["parent"], os.sched_getaffinity(0))


def watch_outside(world):
    os.close(checked(libc.inotify_init1(0)))


def keep_living(world):
    checked(libc.prctl(1, 0, 0, 0, 0))  # PR_SET_PDEATHSIG


def ptrace_parent(world):
    checked(libc.ptrace(16, world["parent"], 0, 0))  # PTRACE_ATTACH


def read_parent_memory(world):
    class Piece(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    here = ctypes.create_string_buffer(8)
    local, remote = Piece(ctypes.addressof(here), 8), Piece(world["address"], 8)
    checked(libc.process_vm_readv(world["parent"], ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))


def execute(world):
    subprocess.run(["/bin/true"], check=True)


def execute_here(world):
    checked(libc.execve(b"/nonexistent", None, None))  # ENOENT where the call itself is allowed


def fork(world):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def new_namespace(world):
    checked(libc.unshare(0x10000000))


def mount(world):
    checked(libc.mount(b"none", world["folder"].encode(), b"tmpfs", 0, None))


def hidden_memory(world):
    os.close(os.memfd_create("hidden"))


def raise_limit(world):
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))


def core_dump(world):
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))


def large_file(world):
    with Path(world["folder"], "large").open("wb") as file:
        for _ in range(60):
            file.write(bytes(1 << 20))


def large_memory(world):
    with mmap.mmap(-1, 3 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[0] = 1


ATTEMPTS = {
    name: attempt for name, attempt in list(globals().items()) if callable(attempt) and attempt.__module__ == __name__
}
del ATTEMPTS["checked"]
ALLOWED = {"write_own_folder", "threads", "stat_outside"}


def outcome(name, world):
    """The word "allowed", or the reason it was not."""
    try:
        ATTEMPTS[name](world)
    except FileNotFoundError:
        return "allowed"
    except (OSError, MemoryError, ValueError, OverflowError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    return "allowed"
