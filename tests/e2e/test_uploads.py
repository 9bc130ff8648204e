"""Uploads that do not arrive whole, in a real browser: one line, nothing left behind, and the next one is taken."""

import os

import pytest
import small_models
from browsing import serve

pytestmark = pytest.mark.browser
LIMIT_MB = 1
READ = "Read from the file, before anything has run."


@pytest.fixture
def place(tmp_path):
    """The home of an app that takes no more than a megabyte at once."""
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def tab(walk, place):
    with serve(place, RIGHTSIZE_UPLOAD_MB=str(LIMIT_MB)) as address:
        opened = walk(address=address).open()
        opened.page.get_by_text("Start with an example").first.wait_for()
        yield opened


def sized(folder, mib):
    """A file that begins like ONNX."""
    path = folder / "large.onnx"
    path.write_bytes(b"\x08\x08" + os.urandom(int(mib * (1 << 20))))
    return path


def put(tab, path):
    tab.page.locator('input[type="file"]').first.set_input_files(path)


def said(tab):
    """What the box of uploads says, line by line."""
    return tab.page.get_by_test_id("stFileUploader").first.inner_text().splitlines()


def left(place):
    """Files of models and uploads in the home."""
    return [file for name in ("models", "uploads") for file in (place / name).rglob("*")]


def goes_on(tab, place, folder):
    put(tab, small_models.mlp(folder / "good.onnx"))
    tab.page.get_by_text(READ).first.wait_for()
    assert [file.name for file in left(place) if file.is_file()] == ["original.onnx"]
    assert tab.problems() == [] and tab.failures == []


def test_a_file_over_the_limit_is_refused_in_one_line(tab, place, tmp_path):
    put(tab, sized(tmp_path, LIMIT_MB + 0.5))
    tab.page.get_by_text("must be 1.0MB or smaller").first.wait_for()
    assert [line for line in said(tab) if "Error" in line] == ["Error: File must be 1.0MB or smaller."]
    assert tab.page.get_by_text("Larger files, and models with weight files beside them").count() == 1  # what to do
    assert left(place) == []
    goes_on(tab, place, tmp_path)


def test_an_upload_that_breaks_off_is_told_in_one_line(tab, place, tmp_path):
    tab.page.route("**/_stcore/upload_file/**", lambda route: route.abort("connectionreset"), times=1)
    put(tab, sized(tmp_path, 0.5))
    tab.page.get_by_text("Error").first.wait_for()
    assert len([line for line in said(tab) if "Error" in line]) == 1
    assert left(place) == []
    goes_on(tab, place, tmp_path)


def test_a_page_left_in_the_middle_of_an_upload_leaves_nothing_behind(tab, place, tmp_path):
    line = tab.context.new_cdp_session(tab.page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", slow)
    with tab.page.expect_event("requestfailed", lambda request: "upload_file" in request.url):
        put(tab, sized(tmp_path, 0.9))
        tab.page.wait_for_timeout(1_000)  # a tenth of it is there
        tab.page.reload()
    line.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    tab.page.get_by_text("Start with an example").first.wait_for()
    assert left(place) == []
    goes_on(tab, place, tmp_path)
