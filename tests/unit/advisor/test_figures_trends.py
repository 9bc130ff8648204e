"""Charts over time draw what the rows say, and a picture of one is a real picture."""

import numpy as np
import pandas as pd
import pytest

from advisor.clippings import ChartLevel, ChartStar
from advisor.figures import image as figures_image
from advisor.figures import trend_parts
from advisor.figures import trends as figures_trends
from advisor.figures.trends import Scale
from advisor.trends import grid, projection, view
from advisor.trends.filters import Filter
from advisor.trends.metrics import METRICS
from advisor.trends.reference import reference_fit
from data.errors import Unavailable

SCALE = Scale(title="Training compute (FLOP)")


@pytest.fixture(scope="module")
def shown():
    return view.view(METRICS["compute"], "frontier", Filter(from_year=2018.0), (2022.0,))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_point_is_drawn_once_in_its_group(shown, mode):
    figure = figures_trends.over_time(shown.points, mode, SCALE, eras=shown.eras)
    dots = [trace for trace in figure.data if trace.meta == trend_parts.DOTS]
    drawn = sorted((cell[0], value) for trace in dots for cell, value in zip(trace.customdata, trace.y, strict=True))
    assert drawn == sorted(zip(shown.points["name"], shown.points["value"], strict=True))
    assert len({(trace.marker.color, trace.marker.symbol) for trace in dots}) == len(dots)


def test_a_line_ends_where_its_era_ends(shown):
    figure = figures_trends.over_time(shown.points, "light", SCALE, eras=shown.eras)
    lines = {trace.name: trace for trace in figure.data if trace.line.dash}
    assert list(lines) == [era.short for era in shown.eras]
    first = shown.eras[0]
    line = lines[first.short]
    assert line.x[-1] == "2022-01-01" and line.y[-1] == pytest.approx(10 ** first.line.at(2022.0))


def test_the_axis_holds_points_levels_and_the_star(shown):
    star = ChartStar(name="<b>me</b>", date="2026-01-01", value=1e15, said="1e15 FLOP")
    levels = [ChartLevel(value=1e28, text="rule")]
    figure = figures_trends.over_time(shown.points, "light", SCALE, star=star, levels=levels)
    low, high = figure.layout.yaxis.range
    assert low < 15 and high > 28
    assert "&lt;b&gt;me&lt;/b&gt;" in figure.layout.annotations[-1].text
    assert figure.layout.annotations[0].y == pytest.approx(28.0)
    linear = figures_trends.over_time(shown.points, "light", Scale(title="x", log=False), star=star)
    assert linear.layout.yaxis.type == "linear" and linear.layout.yaxis.range[0] == 0


def test_ties_join_then_and_now():
    ties = view.ties()
    assert (len(ties), int(ties["moved"].sum())) == (122, 36)
    points = view.view(METRICS["compute"], "sevilla_2022", Filter()).points
    figure = figures_trends.over_time(points, "dark", SCALE, ties=ties)
    line = next(trace for trace in figure.data if trace.name == "Value of 2022 to value of 2026")
    moved = ties[ties["moved"]].iloc[0]
    assert line.y[:3] == (moved["then_flop"], moved["now_flop"], None)


def test_ribbons_show_the_bands_of_the_first_scenario_only():
    line = reference_fit("frontier-2018-26").line
    ahead = [projection.project(line, name) for name in projection.SCENARIOS]
    figure = figures_trends.ribbons(ahead, "light", SCALE)
    areas = [trace for trace in figure.data if trace.fill == "toself"]
    assert len(areas) == 2
    assert max(areas[0].y) == pytest.approx(10 ** ahead[0].high_90.max())
    assert [trace.name for trace in figure.data if trace.name] == ["As fitted", "Power-limited", "Flat"]


def test_countries_are_named_at_the_end_of_their_line_and_kept_apart():
    rows = grid.of_zones(("Germany", "European Union (27)"), 2000, 2025)
    figure = figures_trends.zones_over_time(rows, "light", "g CO2e per kWh")
    germany = rows[rows["zone"] == "Germany"]
    assert figure.data[0].y[-1] == germany["g_per_kwh"].iloc[-1]
    texts = [note.text for note in figure.layout.annotations]
    assert texts[0] == f"Germany {germany['g_per_kwh'].iloc[-1]:.0f}"
    close = pd.DataFrame({"zone": ["a", "b"], "year": [2025, 2025], "g_per_kwh": [100.0, 100.5]})
    heights = [note.y for note in figures_trends.zones_over_time(close, "light", "x").layout.annotations]
    assert abs(heights[1] - heights[0]) > 4


def test_a_picture_is_a_picture(shown):
    sentence = figures_image.missing()
    if sentence:
        pytest.skip(sentence)
    figure = figures_trends.over_time(shown.points, "light", SCALE, eras=shown.eras)
    figure = figures_trends.for_print(figure, "Frontier models", ["doubles", "Epoch AI; CC-BY-4.0"])
    png, svg = figures_image.image(figure), figures_image.image(figure, "svg")
    assert png.startswith(b"\x89PNG") and len(png) > 20_000
    assert svg.startswith(b"<svg") and b"Training compute (FLOP)" in svg
    assert b"<image" not in svg and svg.count(b"<path") > len(shown.points)  # shapes, not pixels
    assert b"Frontier models" in svg and b"Epoch AI; CC-BY-4.0" in svg


def test_without_a_browser_there_is_a_sentence(shown, monkeypatch):
    monkeypatch.setattr(figures_image, "_browser", lambda: None)
    assert "chromium" in figures_image.missing()
    with pytest.raises(Unavailable):
        figures_image.image(figures_trends.over_time(shown.points, "light", SCALE))


def test_2600_points_are_drawn_by_the_graphics_card():
    points = view.view(METRICS["parameters"], "all", Filter()).points
    assert len(points) > 2_000
    figure = figures_trends.over_time(points, "light", SCALE)
    assert {trace.type for trace in figure.data} == {"scattergl"}
    few = figures_trends.over_time(points.head(500), "light", SCALE)
    assert {trace.type for trace in few.data} == {"scatter"}, "starting the card takes longer"
    assert np.isfinite(figure.layout.yaxis.range).all()
