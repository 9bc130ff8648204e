"""The thing to compare with: a plain ONNX Runtime loop in a process of its own, with nothing of Rightsize in it.

Reads {"path", "threads", "seconds", "warmup_s", "feeds": .npz} as JSON from its argument; prints {"samples_ms",
"cpu_ms"} (every call's wall time; the mean CPU time of a call).
"""

import json
import sys
import time

import numpy as np
import onnxruntime as ort


def main() -> None:
    order = json.loads(sys.argv[1])
    options = ort.SessionOptions()
    options.intra_op_num_threads = order["threads"]
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(order["path"], options, providers=["CPUExecutionProvider"])
    feeds = dict(np.load(order["feeds"]))
    end = time.perf_counter() + order["warmup_s"]
    while time.perf_counter() < end:
        session.run(None, feeds)
    samples = []
    cpu, end = time.process_time(), time.perf_counter() + order["seconds"]
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feeds)
        samples.append(time.perf_counter() - start)
    cpu = (time.process_time() - cpu) / len(samples)
    print(json.dumps({"samples_ms": [sample * 1e3 for sample in samples], "cpu_ms": cpu * 1e3}))


if __name__ == "__main__":
    main()
