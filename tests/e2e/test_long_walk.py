"""Two long walks: the example all the way to a report that comes back, and a model of one's own on a phone."""

import json

import pytest
import small_models
from browsing import serve
from steps import PATIENCE_MS, go, press, see, taken, upload

from advisor.report.contents import VERDICTS

pytestmark = pytest.mark.browser
FORMATS = ("HTML", "PDF", "JSON")
EVERY_PLACE = ("profile", "compress", "place", "trends", "language", "report", "history", "about")


def sound(tab, width: int) -> None:
    """No exception, nothing wider than the window, nothing serious for a screen reader or a keyboard."""
    assert tab.problems() == [] and tab.failures == []
    assert tab.sideways_px() <= 0, f"{tab.page.url} at {width} px"
    assert tab.findings() == [], tab.page.url


def compressed(tab, latency_ms: str) -> None:
    """Sets a budget, starts the search and waits for its answer."""
    see(tab, "What counts most")
    tab.page.get_by_label("Latency budget, p95 (ms)").fill(latency_ms)
    press(tab, "Compress")
    see(tab, "Everything that was tried")
    assert any(tab.page.get_by_text(verdict).count() for verdict in VERDICTS.values())


def test_the_example_to_a_report_that_comes_back_and_a_comparison(walk, quick_app, tmp_path):
    tab = walk(address=quick_app).open()
    press(tab, "Digits CNN")
    see(tab, "What it is", exact=True)
    press(tab, "Measure")
    see(tab, "How it was measured")
    sound(tab, 1440)
    go(tab, "Compress")
    compressed(tab, "50")
    go(tab, "Place")
    see(tab, "The best candidates")
    sound(tab, 1440)
    go(tab, "Trends")
    tab.page.locator(".st-key-card-trend-chart .js-plotly-plot").wait_for(timeout=PATIENCE_MS)

    go(tab, "Report")
    see(tab, "Take it away")
    html, pdf, whole = (taken(tab, name, tmp_path) for name in FORMATS)
    plain = json.loads(whole.read_text())["report"]
    page = html.read_text()
    assert pdf.read_bytes().startswith(b"%PDF") and len(page) < 400_000 and "<script" not in page
    energy = plain["footprint_before"]["kwh_per_year"]["mid"]
    assert f'data-value="{energy!r}"' in page, "the file says what the JSON says"
    told = tab.page.locator(".st-key-hero-report").inner_text()
    sound(tab, 1440)

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with serve(elsewhere) as other:
        again = walk(address=other).open("report")
        upload(again, whole)
        see(again, "Take it away")
        assert again.page.locator(".st-key-hero-report").inner_text() == told
        assert json.loads(taken(again, "JSON", elsewhere).read_text())["report"] == plain, "the same report came back"

    first, second = (run["id"] for run in plain["measurements"][:2])
    tab.open(f"history?runs={first},{second}")
    see(tab, "Side by side")
    see(tab, "Latency, median")
    assert tab.page.locator(".st-key-card-compare [data-testid=stMetric]").count() >= 4
    sound(tab, 1440)
    tab.shot("walk-compare")


def test_a_model_of_one_s_own_on_a_phone(walk, quick_app, tmp_path):
    tab = walk(address=quick_app, width=390, height=844).open()
    upload(tab, small_models.mlp(tmp_path / "pocket.onnx"))
    see(tab, "What it is", exact=True)
    press(tab, "Measure")
    see(tab, "How it was measured")
    go(tab, "Compress")
    compressed(tab, "20")
    for name in EVERY_PLACE:
        go(tab, name.capitalize())
        sound(tab, 390)
        tab.shot(f"phone-{name}")
    go(tab, "Report")
    assert json.loads(taken(tab, "JSON", tmp_path).read_text())["report"]["model"]["name"] == "pocket"
