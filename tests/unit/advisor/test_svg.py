"""Charts drawn without a browser: where things lie by hand, what is escaped, and what is left to a browser."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import plotly.graph_objects as go
import pytest
from reports import CASES, HOSTILE, report

from advisor import clip
from advisor.clippings import Chart, ChartCurve, ChartLevel, ChartPoints, ChartStar
from advisor.figures import image as figures_image
from advisor.figures import report as figures_report
from advisor.figures.clipping import clipped
from advisor.figures.style import blank
from advisor.figures.svg import axes, drawing, pieces
from advisor.figures.svg.axes import axis
from advisor.figures.trends import Scale
from advisor.report.contents import document
from advisor.trends import grid, view
from advisor.trends.filters import Filter
from advisor.trends.metrics import METRICS

SVG = "{http://www.w3.org/2000/svg}"


def drawn(figure, width=400):
    return ET.fromstring(drawing.svg(figure.to_plotly_json(), width))


def texts(root):
    return ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]


def line_chart(**layout):
    figure = blank("light", height=200)
    figure.add_scatter(x=[0, 10], y=[0.0, 1.0], mode="lines", name="one")
    figure.update_xaxes(range=[0, 10], title="Time (s)")
    figure.update_yaxes(range=[0, 1], tickvals=[0, 0.5, 1], tickformat=".0%")
    return figure.update_layout(**layout)


def test_a_line_goes_from_corner_to_corner_of_the_area():
    root = drawn(line_chart())
    clip = root.find(f"{SVG}clipPath/{SVG}rect")
    left, top, wide, high = (float(clip.get(name)) for name in ("x", "y", "width", "height"))
    ends = re.findall(r"([\d.]+),([\d.]+)", root.find(f".//{SVG}path").get("d"))
    assert [float(part) for part in ends[0]] == pytest.approx([left, top + high - 4], abs=0.02)
    assert [float(part) for part in ends[1]] == pytest.approx([left + wide, top + 4], abs=0.02)


def test_ticks_are_round_and_worded():
    said = texts(drawn(line_chart()))
    assert {"0%", "50%", "100%", "Time (s)"} <= set(said)
    assert {"0", "2", "4", "6", "8", "10"} <= set(said)


@pytest.mark.parametrize(
    ("span", "step"), [(1.0, 0.2), (8.0, 1.0), (60.0, 10.0), (0.0126, 0.002), (25.0, 5.0), (1.2e6, 2e5)]
)
def test_a_step_is_one_two_or_five(span, step):
    assert axes._step(span) == pytest.approx(step)


def test_an_axis_in_tens_and_one_in_years():
    tens = axis({"type": "log", "range": [20.5, 26.2], "dtick": 2}, {}, [])
    assert [(own, text) for own, text in tens.ticks] == [(22.0, "10²²"), (24.0, "10²⁴"), (26.0, "10²⁶")]
    assert tens.own(1e24) == 24.0 and tens.share(20.5) == 0.0 and tens.own(0.0) is None
    years = axis({"type": "date"}, {}, ["2018-05-01", "2026-01-01"])
    assert [text for _, text in years.ticks][:2] == ["2018", "2019"]
    assert axis({"type": "log", "exponentformat": "SI", "range": [9, 11]}, {}, []).ticks[1] == (10.0, "10G")


def test_bars_stand_one_below_the_other_as_long_as_their_values():
    figure = blank("light", height=140)
    figure.add_bar(x=[4.0, 1.0], y=[0, 1], orientation="h", marker={"color": ["#0B7A6B", "#B9C5C3"]})
    figure.update_xaxes(range=[0, 4], visible=False)
    figure.update_yaxes(autorange="reversed", tickvals=[0, 1], ticktext=["a", "b"])
    long, short = (
        [float(part) for part in re.search(r"M([\d.]+),([\d.]+)H[\d.]+Q([\d.]+)", one.get("d")).groups()]
        for one in drawn(figure).iter(f"{SVG}path")
    )
    assert long[2] - long[0] == pytest.approx(4 * (short[2] - short[0]), rel=0.001)
    assert long[1] < short[1], "the first row is the upper one"


def test_text_from_outside_is_text():
    figure = line_chart(showlegend=True)
    figure.data[0].name = "&lt;b&gt;&amp; <i>x</i>"  # as figures.style.label leaves it, with a tag of plotly's
    figure.add_annotation(x=5, y=0.5, text="one<br>two", showarrow=False)
    source = drawing.svg(figure.to_plotly_json(), 400)
    assert "&lt;b&gt;&amp; x" in source and "<b>" not in source and "<i>" not in source
    root = ET.fromstring(source)
    note = next(one for one in root.iter(f"{SVG}text") if "one" in "".join(one.itertext()))
    assert len(list(note)) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda figure: figure.add_trace(go.Scattergeo(lon=[1], lat=[2])),
        lambda figure: figure.add_trace(go.Heatmap(z=[[1, 2], [3, 4]])),
        lambda figure: figure.add_annotation(x=1, y=1, text="there", showarrow=True),
        lambda figure: figure.update_xaxes(type="category"),
        lambda figure: figure.update_xaxes(tickformat="~s"),
        lambda figure: figure.update_traces(line_dash="4px,2px", selector=0),
        lambda figure: figure.update_traces(line_color="red", selector=0),
        lambda figure: figure.update_traces(mode="markers", marker_symbol="hash", selector=0),
        lambda figure: figure.update_traces(fill="tonexty", selector=0),
    ],
)  # fmt: skip
def test_what_is_not_drawn_here_is_left_to_a_browser(change):
    figure = line_chart()
    change(figure)
    assert drawing.svg(figure.to_plotly_json(), 400) is None


def test_a_dash_or_colour_cannot_leave_its_attribute():
    for hostile in ('red"/><script>', "url(http://x)", "#12345", "rgb(1,2,3);x"):
        with pytest.raises(pieces.Unknown):
            pieces.colour(hostile)
    assert pieces.colour("#0B7A6B") == "rgb(11, 122, 107)"


@pytest.mark.parametrize("case", CASES)
def test_every_chart_of_a_report_is_drawn_without_a_browser(case, monkeypatch):
    monkeypatch.setattr(figures_image, "_browser", lambda: None)
    made = CASES[case]()
    names = [name for section in document(made).sections for name in section.figures]
    assert names
    for name in names:
        found = figures_report.figure(made, name)
        if found is None:
            continue
        picture = figures_report.svg(found[0])
        root = ET.fromstring(picture)
        assert HOSTILE not in picture and "script" not in {one.tag for one in root.iter()}
        assert not re.search(r"\b(nan|inf|None)\b", picture)
        edge = float(root.get("viewBox").split()[2])
        for mark in root.iter(f"{SVG}circle"):
            assert 0 <= float(mark.get("cx")) <= edge


def test_colours_follow_the_reader_s_mode():
    picture = figures_report.svg(figures_report.figure(report(), "before_after")[0])
    assert "light-dark(rgb(11, 122, 107),rgb(53, 194, 173))" in figures_report.in_both_modes(picture)


def test_trend_charts_of_a_report_are_drawn_here_too():
    shown = view.view(METRICS["compute"], "sevilla_2022", Filter())
    star = ChartStar(name="Small", date="2026-07-02", value=8.4e22, said="8.40e22 FLOP")
    levels = [ChartLevel(value=1e25, text="EU")]
    trend = clip.chart_of(shown, Scale(title="Training compute (FLOP)"), star=star, levels=levels, ties=view.ties())
    grids = clip.of_zones(grid.of_zones(("Germany", "France"), 2015, 2025), [], "g CO2e per kWh").chart
    for chart in (trend, grids):
        root = drawn(clipped(chart, "light"), 860)
        assert sum(len(part.values) for part in chart.points) <= len(list(root.iter())), "a mark for every point"
    assert "10²⁴" in texts(drawn(clipped(trend, "light"), 860))


def test_a_chart_from_elsewhere_cannot_break_the_drawing():
    chart = Chart(
        axis=HOSTILE, tick_format=HOSTILE, prefix=HOSTILE, suffix=HOSTILE,
        points=(ChartPoints(group=HOSTILE, names=(HOSTILE,), dates=("nonsense",), values=(-1.0, 2.0)),),
        curves=(ChartCurve(name=HOSTILE, dates=(), mid=(1.0,), hover=HOSTILE),),
        levels=(ChartLevel(value=-5.0, text=HOSTILE),), star=ChartStar(name=HOSTILE, date=HOSTILE, value=0.0),
    )  # fmt: skip
    picture = drawing.svg(clipped(chart, "light").to_plotly_json(), 860)
    assert picture is None or "<script" not in picture


def test_a_hostile_plan_name_is_text_in_every_chart():
    made = report()
    variants = tuple(replace(one, steps=(replace(one.steps[0], title=HOSTILE),)) for one in made.variants)
    made = replace(made, variants=variants)
    for name in ("pareto", "latency_ecdf"):
        assert "<script" not in figures_report.svg(figures_report.figure(made, name)[0])
