"""The real child, with tasks of the tests beside the product's: started in place of `python -m profiler.worker`."""

import ctypes
import os
import random
import shutil
import sys
import time
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import attempts

from data.errors import RightsizeError
from data.records import to_plain
from profiler import worker
from profiler.tasks import task


@task
def attempt(desk, names, world):
    """What each attempt to get out came to."""
    return {name: attempts.outcome(name, world) for name in names}


@task
def look_at(desk, files):
    """What the product makes of each file, in its own two steps: triage, then the reader of the format."""
    return [_outcome(desk, Path(file["path"]), file["name"]) for file in files]


@task
def chew(desk, path, name, count, seed):
    """Outcomes of `count` mutations of one file: {"accepted": n, "refused": n}, and every text that was told."""
    whole, told, accepted = Path(path).read_bytes(), set(), 0
    target = desk.folder / "mutant"
    for number in range(count):
        target.write_bytes(_mutated(whole, random.Random(f"{seed}:{name}:{number}")))
        desk.progress(number / count, f"mutation {number}")
        outcome = _outcome(desk, target, name)
        accepted += "error" not in outcome
        told |= {outcome.get("error", ""), outcome.get("hint", "")}
    return {"accepted": accepted, "refused": count - accepted, "told": sorted(told)}


@task
def misbehave(desk, how, **more):
    """One way each for a job to go wrong."""
    return getattr(Misbehaviour, how)(desk, **more)


class Misbehaviour:
    """What a job may do that no job should."""

    @staticmethod
    def nothing(desk):
        return {"folder": str(desk.folder), "home": os.environ["HOME"]}

    @staticmethod
    def sleep(desk, seconds=60):
        time.sleep(seconds)

    @staticmethod
    def spin(desk):
        while True:
            pass

    @staticmethod
    def crash(desk):
        ctypes.string_at(0)

    @staticmethod
    def leave(desk):
        os._exit(3)

    @staticmethod
    def eat(desk, step=64 << 20):
        held = []
        while True:
            held.append(bytearray(os.urandom(1 << 20) * (step >> 20)))

    @staticmethod
    def shout(desk):
        while True:
            os.write(1, b"x" * 10_000)

    @staticmethod
    def babble(desk, line):
        desk._results.write(line + "\n")
        desk._results.flush()
        time.sleep(30)

    @staticmethod
    def overflow(desk):
        desk.send(result="x" * (65 << 20))

    @staticmethod
    def fill(desk):
        for number in range(1_000):
            (desk.folder / f"{number}").write_bytes(bytes(1 << 20))
            time.sleep(0.005)

    @staticmethod
    def litter(desk):
        """Far more folders than a job needs."""
        for number in range(30_000):
            (desk.folder / f"{number}").mkdir()
        time.sleep(30)

    @staticmethod
    def dig(desk):
        (desk.folder / "closed").mkdir(mode=0)
        here = os.open(desk.folder, os.O_RDONLY)
        for _ in range(1_500):
            os.mkdir("d" * 100, 0o700, dir_fd=here)
            inner = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner

    @staticmethod
    def many_values(desk):
        desk._results.write('{"result": [' + "[]," * 7_000_000 + "1]}\n")
        desk._results.flush()

    @staticmethod
    def raise_library_error(desk, text):
        raise RuntimeError(text)

    @staticmethod
    def hang_up(desk):
        desk._results.close()
        time.sleep(120)

    @staticmethod
    def start_another(desk):
        process = os.fork()
        if not process:
            os.setsid()
            time.sleep(60)
            os._exit(0)
        time.sleep(0.2)
        return process

    @staticmethod
    def peak(desk):
        Path("/proc/self/clear_refs").write_text("5")


def _mutated(data, dice):
    """A copy with a few bytes flipped, cut, doubled, zeroed, or set to an extreme."""
    data = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        place, length = dice.randrange(len(data)), dice.choice((1, 2, 4, 8, 64))
        kind = dice.randrange(6)
        if kind == 0:
            data[place] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[place : place + length] = dice.randbytes(length)
        elif kind == 2:
            data[place : place + length] = dice.choice((b"\xff", b"\x00", b"\x7f", b"\x80")) * length
        elif kind == 3:
            del data[place : place + length]
        elif kind == 4:
            data[place:place] = data[place : place + length]
        elif len(data) > 16:
            del data[dice.randrange(16, len(data)) :]
        if not data:
            return b"\0"
    return bytes(data)


def _outcome(desk, path, name):
    from profiler.inspect import inspect
    from profiler.triage.examine import triage, unpack

    started = time.monotonic()
    try:
        verdict = triage(path, name)
        if verdict.format == "onnx_bundle":
            inner = desk.folder / "bundle"
            shutil.rmtree(inner, ignore_errors=True)
            inner.mkdir()
            path = inner / unpack(worker.Desk(inner, desk._results, desk._answers), path=str(path))
            verdict = triage(path, path.name)
        model = inspect(desk, path=str(path), name=name, shapes={}, format_name=verdict.format)
        return {"format": verdict.format, "model": to_plain(model), "seconds": time.monotonic() - started}
    except RightsizeError as error:
        return error.as_dict() | {"seconds": time.monotonic() - started}
    except Exception as error:
        return worker.in_one_line(error).as_dict() | {"seconds": time.monotonic() - started}


hostile = types.ModuleType("profiler.hostile_tasks")
for each in (attempt, look_at, chew, misbehave):
    each.__module__ = hostile.__name__
    setattr(hostile, each.__name__, each)
sys.modules[hostile.__name__] = hostile

if __name__ == "__main__":
    worker.main()
