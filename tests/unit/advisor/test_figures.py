"""Charts draw what the rows say: positions, units, fills, escaped names; labels never cover each other."""

import numpy as np
import pandas as pd
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.figures import labels as figures_labels
from advisor.figures import named as figures
from advisor.figures import style as figures_style

PLANS = pd.DataFrame(
    [
        ("Original", 35.0, 34.0, 36.0, 0.0, 98e6, "original"),
        ("FP16", 25.0, 24.6, 25.4, 0.0001, 49e6, "ruled out"),
        ("INT8", 14.9, 14.5, 15.3, 0.004, 25e6, "recommended"),
        ("Prune 80 %", 7.1, 7.0, 7.3, 0.35, 9.6e6, "ruled out"),
        ("Broken", None, None, None, None, 9.6e6, "ruled out"),
    ],
    columns=["plan", "latency_ms", "latency_low_ms", "latency_high_ms", "loss_frac", "file_bytes", "standing"],
)


@pytest.mark.parametrize("mode", figures.MODES)
def test_each_mode_has_its_template(mode):
    layout = pio.templates[f"rightsize_{mode}"].layout
    assert layout.font.color == figures_style.colours(mode)["ink"]
    assert layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_ecdf_holds_the_quantiles_and_says_what_it_leaves_out():
    rows = pd.DataFrame({"variant": "a", "latency_ms": [*range(1, 100), 1000.0]})
    figure = figures.latency_ecdf(rows, "light", budget_ms=50)
    line = figure.data[0]
    assert (line.x[0], line.x[-1], line.y[0], line.y[-1]) == pytest.approx((1, 1000, 0, 1))
    assert np.interp(0.5, line.y, line.x) == pytest.approx(50.5, rel=0.01)
    assert figure.layout.xaxis.title.text == "Latency (ms)"
    assert {note.text for note in figure.layout.annotations} == {"Budget 50 ms", "1 slower call not shown"}


def test_ecdf_is_logarithmic_where_variants_differ_by_ten():
    rows = pd.DataFrame({"variant": ["a"] * 3 + ["b"] * 3, "latency_ms": [1, 1, 1, 50, 50, 50.0]})
    figure = figures.latency_ecdf(rows, "dark", budget_ms=10)
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.annotations[0].x == pytest.approx(1.0)
    assert figure.layout.xaxis.ticktext == ("1", "2", "5", "10", "20", "50")
    assert figure.data[0].line.dash != figure.data[1].line.dash


def test_a_budget_far_beyond_every_run_is_named_at_the_edge():
    rows = pd.DataFrame({"variant": "a", "latency_ms": [1.0, 1.1, 1.2]})
    figure = figures.latency_ecdf(rows, "light", budget_ms=100)
    assert figure.layout.annotations[0].text == "Budget 100 ms ▸"
    assert figure.layout.xaxis.range[1] < 2 and not figure.layout.shapes


def test_axes_are_in_the_unit_that_reads_best():
    rows = pd.DataFrame({"variant": "a", "latency_ms": [0.02, 0.021, 0.022]})
    figure = figures.latency_ecdf(rows, "light")
    assert figure.layout.xaxis.title.text == "Latency (µs)"
    assert figure.data[0].x[0] == pytest.approx(20)


def test_pareto_shades_what_meets_the_budget_and_marks_what_is_off_the_scale():
    figure = figures.pareto(PLANS, "light", budget_ms=20, max_loss_frac=0.01)
    area = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (area.x0, area.x1, area.y1) == (0, 20, 0.01)
    traces = {trace.name: trace for trace in figure.data}
    assert set(traces) == {"Original", "Recommended", "Ruled out"}
    outside = traces["Ruled out"]
    assert list(outside.marker.symbol) == ["circle", "triangle-up"]
    assert outside.y[1] <= figure.layout.yaxis.range[1] == pytest.approx(0.03)
    assert "loss 35 %" in outside.hovertext[1]
    # The dot's area follows the file's size: radius 12 px for the largest, 12 * sqrt(49/98) for half of it.
    assert outside.marker.size[0] == pytest.approx(24 * 0.5**0.5)


def test_names_from_a_file_are_not_markup():
    rows = pd.DataFrame({"name": ["<a href='x'>y</a>\x1b[31m"], "time_frac": [1.0], "basis": ["measured"]})
    assert figures.where_the_time_goes(rows, "light").layout.yaxis.ticktext == ("&lt;a href='x'&gt;y&lt;/a&gt;",)


def test_small_rows_are_summed_up_and_the_total_stays():
    rows = pd.DataFrame({"name": list("abcdef"), "time_frac": [0.4, 0.3, 0.1, 0.1, 0.05, 0.05], "basis": "measured"})
    figure = figures.where_the_time_goes(rows, "light", top=3)
    assert figure.layout.yaxis.ticktext[-1] == "3 others"
    assert sum(figure.data[0].x) == pytest.approx(1.0)
    assert figure.layout.annotations[-1].text == "20 %"


def test_a_basis_has_its_own_fill_and_is_explained():
    rows = pd.DataFrame(
        [("a", 1.0, 0.5, 2.0, "modelled"), ("b", 1.0, 1.0, 1.0, "measured"), ("c", 1.0, 1.0, 1.0, "claimed")],
        columns=["part", "energy_j", "energy_low_j", "energy_high_j", "basis"],
    )
    figure = figures.energy_split(rows, "light")
    assert len(set(figure.data[0].marker.pattern.shape)) == 3
    assert {trace.name for trace in figure.data[1:]} == {"measured", "modelled", "claimed"}
    assert list(figure.data[0].error_x.array) == [1.0, 0.0, 0.0]
    assert list(figure.data[0].error_x.arrayminus) == [0.5, 0.0, 0.0]


def test_grid_is_ranked_and_the_chosen_zone_stands_out():
    rows = pd.DataFrame({"zone": ["PL", "SE"], "intensity_g_per_kwh": [612.0, 22.0]})
    figure = figures.grid_carbon(rows, "light", chosen="SE")
    assert figure.layout.yaxis.ticktext == ("SE", "PL")
    assert figure.data[0].marker.color[0] != figure.data[0].marker.color[1]


def test_roofline_draws_an_untimed_layer_hollow_on_the_roof():
    rows = pd.DataFrame(
        {
            "name": ["gemv", "gemm"],
            "op": ["MatMul", "MatMul"],
            "intensity_flop_per_byte": [0.5, 100.0],
            "flop": [1e6, 1e9],
            "flop_per_s": [None, 5e10],
        }
    )
    figure = figures.roofline(rows, "dark", peak_flop_per_s=1e11, peak_bytes_per_s=1e10)
    layers = figure.data[1]
    assert list(layers.marker.symbol) == ["circle-open", "circle"]
    assert layers.y[0] == pytest.approx(0.5 * 1e10)
    assert "memory-bound, not timed" in layers.hovertext[0]
    assert "compute-bound, 50.0 GFLOP/s, 50 % of the roof" in layers.hovertext[1]


shares = st.floats(0.05, 0.95)


@given(st.lists(st.tuples(shares, shares, st.floats(5, 15), st.text("abc ", min_size=2, max_size=24)), max_size=9))
def test_labels_cover_no_point_and_no_other_label(drawn):
    points = [point[:3] for point in drawn]
    labels = [point[3] for point in drawn]
    sides = figures_labels.place(points, labels, lines=[0.5])
    for area in figures_labels.AREAS:
        boxes = [
            figures_labels._box(point, text, side, area)
            for point, text, side in zip(points, labels, sides, strict=True)
            if side
        ]
        discs = [figures_labels._disc(point, area) for point in points]
        for index, box in enumerate(boxes):
            assert not any(figures_labels._overlap(box, other) for other in boxes[index + 1 :])
            assert not any(figures_labels._overlap(box, disc) for disc in discs)


def test_a_lone_point_gets_its_label():
    assert figures_labels.place([(0.5, 0.5, 10)], ["plan"]) == ["middle right"]


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
DEFICIENCIES = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def lab(colour: str, matrix=None) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if matrix is not None:
        linear = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("mode", figures.MODES)
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_first_five_series_are_told_apart_by_colour_blind_eyes(mode, deficiency):
    series = [lab(colour, DEFICIENCIES[deficiency]) for colour in figures_style.colours(mode)["series"][:5]]
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(series) for b in series[i + 1 :])
    assert nearest > 12, nearest


def test_a_value_beside_its_bar_has_room_in_pixels_so_that_a_phone_cuts_none():
    rows = pd.DataFrame({"name": ["a", "extractive question answering"], "value": [1.0, 2.0]})
    short, long = (
        figures.bars(rows, "light", name="name", value="value", say=say)
        for say in (lambda value: f"{value:g}", lambda value: f"{value:g} million parameters")
    )
    assert long.layout.margin.r - short.layout.margin.r == pytest.approx(7.2 * len(" million parameters"), abs=1)
    assert long.layout.xaxis.range[1] == pytest.approx(2.0 * 1.01)
    assert "extractive question answering" in long.layout.yaxis.ticktext
