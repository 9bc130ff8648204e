"""The whole way in a real browser: upload, see, measure, compress, recommend, take the report; refresh and cancel."""

import json
import re

import onnx
import pytest
import small_models
from steps import press, see, taken, upload

from advisor.report.contents import VERDICTS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_models.cnn(tmp_path_factory.mktemp("uploads") / "made here.onnx")


def test_from_an_upload_to_the_report(walk, fresh_app, model, tmp_path):
    """On an app of its own: other tests' models would be there already."""
    tab = walk(address=fresh_app).open()
    see(tab, "Start with an example")
    upload(tab, model)
    see(tab, "What it is", exact=True)
    tab.page.locator(".st-key-card-overview-path").wait_for(state="detached")
    named = "() => [...document.querySelectorAll('input')].some(one => one.value.includes('made here'))"
    tab.page.wait_for_function(named)
    assert tab.findings() == []

    press(tab, "Measure")
    see(tab, "How it was measured")
    shown = tab.page.locator("body").inner_text()
    assert "Latency, median" in shown and "measured" in shown and "modelled" in shown
    tab.shot("whole-way-profile")

    tab.page.get_by_role("link", name="Compress").click()
    see(tab, "What counts most")
    tab.page.get_by_label("Latency budget, p95 (ms)").fill("50")
    press(tab, "Compress")
    see(tab, "Cancel")
    address = tab.page.url
    assert "planning=" in address
    tab.page.reload()
    see(tab, re.compile("so far"))
    see(tab, "Everything that was tried")
    verdicts = ("Recommended plan", "Keep the original", "Nothing meets the budget")
    text = tab.page.locator("body").inner_text()
    assert any(verdict in text for verdict in verdicts)
    assert "times the original" in text or "Keep the original" in text
    assert tab.findings() == []
    tab.shot("whole-way-compress")

    tab.page.get_by_role("link", name="Report", exact=True).click()
    see(tab, "Take it away")
    report = json.loads(taken(tab, "JSON", tmp_path).read_text())["report"]
    html = taken(tab, "HTML", tmp_path).read_text()
    assert report["model"]["name"] == "made here" and VERDICTS[report["recommendation"]["verdict"]] in html
    assert report["budget"]["latency_ms"] == 50.0
    energy = report["footprint_before"]["kwh_per_year"]["mid"]
    assert energy > 0 and f'data-value="{energy!r}"' in html
    assert "<script" not in html
    assert tab.problems() == [] and tab.failures == []
    tab.shot("whole-way-report")


def test_a_hostile_name_and_a_broken_file_are_one_line_each(walk, model, tmp_path):
    evil = onnx.load(model)
    evil.producer_name = "<img src=x onerror=alert(1)>"
    path = tmp_path / "![x](http:~~evil) <script>alert(1)<~script>.onnx"
    onnx.save(evil, path)
    tab = walk().open()
    upload(tab, path)
    see(tab, "What it is", exact=True)
    assert tab.page.locator("img[src='x']").count() == 0
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(model.read_bytes()[:500])
    tab.open()
    upload(tab, broken)
    stop = tab.page.locator('[class*="st-key-stop-"]').first
    stop.wait_for()
    said = stop.inner_text()
    assert "Traceback" not in said and str(tmp_path) not in said and len(said.splitlines()[0]) <= 200
    assert tab.problems() == []


def test_a_file_given_to_a_page_of_before_the_first_model_is_not_lost(walk, fresh_app, model, tmp_path):
    """What that page shows around its upload is another thing by then."""
    early, other = walk(address=fresh_app).open(), walk(address=fresh_app).open()
    upload(other, model)
    see(other, "What it is", exact=True)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(model.read_bytes()[:500])
    upload(early, broken)
    early.page.locator('[class*="st-key-stop-"]').first.wait_for(timeout=60_000)


def test_a_running_job_is_cancelled_and_the_page_goes_on(walk, model, tmp_path):
    tab = walk().open()
    upload(tab, model)
    see(tab, "What it is", exact=True)
    press(tab, "Measure")
    cancel = tab.page.get_by_role("button", name="Cancel").first
    cancel.wait_for()
    cancel.click()
    see(tab, "Cancelled")
    press(tab, "Dismiss")
    tab.idle()
    assert tab.page.get_by_role("button", name="Measure").first.is_enabled()
