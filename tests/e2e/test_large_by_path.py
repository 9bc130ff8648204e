"""The third walk: a model of 1 GB, given by its path, is told about; the app itself hardly grows."""

import time

import onnx
import psutil
import pytest
import small_models
from browsing import serve
from onnx import TensorProto, helper

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTH, LAYERS = 4096, 16  # each 64 MiB of float32
GROWTH_BYTES, PATIENCE_S = 100 << 20, 240  # a quiet machine takes a tenth of this time


def wide(folder):
    """Products whose weights lie beside the graph: zeros, in a file with holes that takes no room on the disk."""
    nodes, stored, each = [], [], WIDTH * WIDTH * 4
    for layer in range(LAYERS):
        tensor = TensorProto(
            name=f"w{layer}", data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH], data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", "wide.data"), ("offset", layer * each), ("length", each)):
            tensor.external_data.add(key=key, value=str(value))
        stored.append(tensor)
        nodes.append(helper.make_node("MatMul", [f"x{layer}", f"w{layer}"], [f"x{layer + 1}"], name=f"product{layer}"))
    ends = [helper.make_tensor_value_info(f"x{end}", TensorProto.FLOAT, ["batch", WIDTH]) for end in (0, LAYERS)]
    graph = helper.make_graph(nodes, "wide", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "wide.onnx"))
    with (folder / "wide.data").open("wb") as file:
        file.truncate(LAYERS * each)
    return folder / "wide.onnx"


def give(tab, path):
    """Opens the file by its path and waits until it is told about."""
    tab.page.get_by_label("Path on this machine").fill(str(path))
    tab.page.get_by_role("button", name="Open", exact=True).click()
    tab.page.wait_for_function(
        "name => [...document.querySelectorAll('.st-key-card-model input')].some(one => one.value.includes(name))",
        arg=path.stem, timeout=PATIENCE_S * 1000,
    )  # fmt: skip
    return tab.idle()


def test_a_file_of_1_gb_is_told_about_and_the_app_stays_small(walk, tmp_path, record_property):
    path = wide(tmp_path)
    home = tmp_path / "home-of-app"
    home.mkdir()
    server = serve(home)
    with server as address:
        tab = walk(address=address).open()
        give(tab, small_models.mlp(tmp_path / "small.onnx"))  # what the page itself loads is not the file's
        tab.open()
        app = psutil.Process(server.process.pid)
        before, started = app.memory_info().rss, time.monotonic()
        give(tab, path)
        seconds, grown = time.monotonic() - started, app.memory_info().rss - before
        shown = tab.page.locator("body").inner_text()
        assert "1.00 GiB" in shown and "268 million" in shown, shown[:2000]
        record_property("seconds", seconds)
        record_property("app_grew_bytes", grown)
        assert grown < GROWTH_BYTES, f"the app grew by {grown / 2**20:.0f} MiB"
        assert tab.findings() == [] and tab.problems() == [] and tab.failures == []
        tab.shot("large-by-path")
