"""A trend chart in a report: kept as it was, in every readable format, taken out again; a hostile one is only text."""

import json
from dataclasses import replace

import pytest
from reports import HOSTILE, report

from advisor import clip
from advisor.clippings import Chart, ChartCurve, ChartLevel, ChartPoints, ChartStar, ClippedLine, Clipping
from advisor.exporters import exporters
from advisor.exporters.json import read
from advisor.figures import report as figures_report
from advisor.figures import trends as figures_trends
from advisor.figures.clipping import clipped
from advisor.figures.trends import Scale
from advisor.trends import grid, view
from advisor.trends.filters import Filter
from advisor.trends.metrics import METRICS
from data.errors import InputError
from data.estimate import exact
from data.store import Store

SCALE = Scale(title="Training compute (FLOP)")
STAR = ChartStar(name="Small", date="2026-07-02", value=8.4e22, said="8.40e22 FLOP")


@pytest.fixture(scope="module")
def shown():
    return view.view(METRICS["compute"], "frontier", Filter(from_year=2018.0))


@pytest.fixture(scope="module")
def clipping(shown):
    chart = clip.chart_of(shown, SCALE, star=STAR, levels=[ChartLevel(value=1e25, text="1e25 FLOP · EU · in force")])
    return clip.of_view(shown, chart, ("Small: 35 months behind.",), "trends?among=Frontier+models")


def test_it_holds_every_dot_and_the_line_of_the_page(shown, clipping):
    live = figures_trends.over_time(shown.points, "light", SCALE, eras=shown.eras, star=STAR)
    kept = clipped(clipping.chart, "light")
    groups = clipping.chart.points
    dots = {pair for part in groups for pair in zip(part.names, part.values, strict=True)}
    assert dots == {(row.name, float(f"{row.value:.6g}")) for row in shown.points.itertuples(index=False)}
    on_page = [trace for trace in live.data if trace.meta == "dots"]
    printed = [trace for trace in kept.data if trace.mode == "markers" and trace.name != "Small"]
    assert [(one.name, one.marker.color, one.marker.symbol, len(one.x)) for one in printed] == [
        (one.name, one.marker.color, one.marker.symbol, len(one.x)) for one in on_page
    ]
    assert {trace.type for trace in kept.data} == {"scatter"}  # a printed page keeps shapes
    star = next(trace for trace in kept.data if trace.name == "Small")
    assert (star.y[0], star.marker.symbol) == (8.4e22, "star")
    (line,) = clipping.lines
    assert line.n == 77 and f"{line.doubling_months.mid:.1f}" == "5.4"
    assert (f"{line.doubling_months.low:.1f}", f"{line.doubling_months.high:.1f}") == ("4.9", "5.9")


@pytest.mark.parametrize("name", ["html", "markdown", "model_card"])
def test_every_readable_format_shows_it(clipping, name, monkeypatch):
    monkeypatch.setattr(figures_report, "svg", lambda drawn: f"<svg>{len(drawn.data)} traces</svg>")
    made = clip.put(report(), clipping)
    text = exporters()[name].render(made).decode()
    for part in ("Training compute: frontier models", "5.4 (4.9–5.9)", "35 months behind", "CC-BY-4.0"):
        assert part in text, part
    if name == "html":
        drawn = clipped(clipping.chart, "light")
        assert f"<svg>{len(drawn.data)} traces</svg>" in text


def test_the_json_brings_it_back_and_the_store_keeps_it(clipping):
    made = clip.put(report(), clipping)
    assert read(exporters()["json"].render(made)) == made
    store = Store(None)
    store.save(made)
    assert store.get(type(made), made.id) == made
    store.save(clip.take_out(made, clipping.id))
    assert store.get(type(made), made.id).clippings == ()
    store.close()


def test_a_report_of_before_has_none():
    plain = json.loads(exporters()["json"].render(report()))
    del plain["report"]["clippings"]
    assert read(json.dumps(plain).encode()).clippings == ()


def test_the_same_view_stands_once_and_another_beside_it(shown, clipping):
    other = clip.of_view(shown, clip.chart_of(shown, SCALE, star=replace(STAR, name="Other")))
    made = clip.put(clip.put(clip.put(report(), clipping), clipping), other)
    assert [one.id for one in made.clippings] == [clipping.id, other.id]
    assert [one.id for one in made.sources].count("trends/systems") == 1
    with pytest.raises(InputError, match="no such chart"):
        clip.take_out(report(), clipping.id)
    crowded = replace(report(), clippings=tuple(replace(clipping, id=f"chart-{n}") for n in range(clip.MOST)))
    with pytest.raises(InputError, match="at most 12"):
        clip.put(crowded, clipping)


def test_grid_carbon_too():
    rows = grid.of_zones(("Germany", "France"), 2015, 2025)
    made = clip.of_zones(rows, ["Germany 330 g/kWh in 2025"], "g CO2e per kWh")
    drawn = clipped(made.chart, "dark")
    assert [(trace.name, len(trace.x)) for trace in drawn.data] == [("Germany", 11), ("France", 11)]
    held = clip.put(report(), made)
    assert "grid/ember" in [one.id for one in held.sources]
    assert clip.take_out(held, made.id).sources == report().sources, "what is not used is not credited"


def test_values_that_were_revised_keep_both():
    shown = view.view(METRICS["compute"], "sevilla_2022", Filter())
    chart = clip.chart_of(shown, SCALE, ties=view.ties())
    assert len(chart.ties) == 36
    zero = next(tie for tie in chart.ties if tie.name == "AlphaGo Zero")
    assert (zero.before, zero.after) == (pytest.approx(3.41e23, rel=1e-2), pytest.approx(6.49e20, rel=1e-2))
    assert len(clipped(chart, "light").data[0].x) > 0


def test_what_a_report_from_elsewhere_holds_is_shown_as_text(monkeypatch):
    monkeypatch.setattr(figures_report, "svg", lambda drawn: None)
    chart = Chart(
        axis=HOSTILE, tick_format=HOSTILE, prefix=HOSTILE, suffix=HOSTILE,
        points=(ChartPoints(group=HOSTILE, names=(HOSTILE,), dates=("nonsense",), values=(-1.0, 2.0)),),
        curves=(ChartCurve(name=HOSTILE, dates=(), mid=(1.0,), hover=HOSTILE),),
        levels=(ChartLevel(value=-5.0, text=HOSTILE),), star=ChartStar(name=HOSTILE, date=HOSTILE, value=0.0),
    )  # fmt: skip
    line = ClippedLine(title=HOSTILE, method=HOSTILE, n=5, x_per_year=exact(2.0, "modelled", "x"))
    hostile = Clipping(
        id="chart-1", title=HOSTILE, about=HOSTILE, created_at="", source=HOSTILE, says=(HOSTILE,), lines=(line,),
        chart=chart,
    )  # fmt: skip
    made = read(exporters()["json"].render(replace(report(), clippings=(hostile,))))
    page = exporters()["html"].render(made).decode()
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert "does not surely rise" in page
