"""A hundred jobs of every kind in a process of their own, so that nothing but them is counted; JSON of what is left."""

import json
import sys
from pathlib import Path

import psutil

from data.errors import InputError, MeasurementError
from profiler.sandbox import Limits
from tests.hostile.world import check_text, run

WAYS = (("nothing", {}), ("leave", {}), ("crash", {}), ("raise_library_error", {"text": "x"}), ("sleep", {}))
SHARED = Path("/dev/shm")


def one(folder, how, **more):
    limits = Limits(seconds=0.2) if how == "sleep" else Limits(seconds=60)
    try:
        run("misbehave", {"how": how, **more}, folder, limits=limits)
    except (MeasurementError, InputError) as error:
        check_text(error.message)


def left():
    me = psutil.Process()
    return {
        "children": [child.pid for child in me.children(recursive=True)], "descriptors": me.num_fds(),
        "resident_bytes": me.memory_info().rss, "shared": sorted(path.name for path in SHARED.glob("*")),
    }  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for how, more in WAYS:
        one(folder, how, **more)
    before = left()
    for number in range(100):
        how, more = WAYS[number % len(WAYS)]
        one(folder, how, **more)
    sys.stdout.write(json.dumps([before, left()]))
