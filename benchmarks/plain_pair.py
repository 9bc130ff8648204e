"""The judge of a recommended plan: original and variant in turns in a fresh process, with nothing of Rightsize in it.

Reads {"original", "variant", "runtime" ("onnxruntime" or "openvino"), "precision", "feeds": .npz, "seconds",
"variant_first"} as JSON from its argument; prints the median ratio of CPU time, variant over original, on one thread.
Turns are long, as a loop is: the first call of a turn finds the other model's data in the caches, which may cost one
of the two 10 to 15 % of a call and the other 2 % (4-bit MobileNetV2 on OpenVINO beside the original on ONNX Runtime).
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BLOCK_S, FEWEST = 0.15, 6


def main() -> None:
    order = json.loads(sys.argv[1])
    feeds = dict(np.load(order["feeds"]))
    load_variant = on_openvino if order["runtime"] == "openvino" else on_onnxruntime
    if order["variant_first"]:
        variant = load_variant(order["variant"], feeds, order)
        original = on_onnxruntime(order["original"], feeds, order)
    else:
        original = on_onnxruntime(order["original"], feeds, order)
        variant = load_variant(order["variant"], feeds, order)
    count = max(calls(original), calls(variant))
    end, ratios = time.perf_counter() + order["seconds"], []
    while time.perf_counter() < end or len(ratios) < FEWEST:
        turns = (original, variant) if len(ratios) % 2 == 0 else (variant, original)
        spent = {turn: cpu_s(turn, count) for turn in turns}
        ratios.append(spent[variant] / spent[original])
    print(json.dumps(float(np.median(ratios))))


def on_onnxruntime(path: str, feeds: dict[str, Any], order: dict[str, Any]) -> Callable[[], object]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, feeds)


def on_openvino(path: str, feeds: dict[str, Any], order: dict[str, Any]) -> Callable[[], object]:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": order["precision"] or "f32"}
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
    return lambda: request.infer(feeds, share_inputs=True)  # read where they lie, as ONNX Runtime does


def calls(turn: Callable[[], object]) -> int:
    """As many calls as fill a block, after two to warm up."""
    turn(), turn()
    start = time.perf_counter()
    turn()
    return max(1, int(BLOCK_S / max(time.perf_counter() - start, 1e-7)))


def cpu_s(turn: Callable[[], object], count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        turn()
    return time.process_time() - start


if __name__ == "__main__":
    main()
