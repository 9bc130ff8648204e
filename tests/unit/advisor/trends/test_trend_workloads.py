"""What TPUs ran: the shares of Table 1 of Jouppi et al. 2023, drawn, told, and kept in a report with their source."""

import dataclasses

import pytest
from reports import HOSTILE, report

from advisor import clip
from advisor.clippings import Chart, ChartBar, ChartPart
from advisor.exporters import exporters
from advisor.exporters.json import read
from advisor.figures import shares as figures_shares
from advisor.figures.clipping import clipped
from advisor.figures.svg import drawing
from advisor.trends import workloads
from data import tables

# As printed there, in percent: generation, MLP or DLRM, RNN, CNN, Transformer; what has no figure is None.
TABLE_1 = {
    "TPU v1, 7/2016": (61, 29, 5, None),
    "TPU v3, 4/2019": (27, 21, 24, 21),
    "TPU v4 Lite, 2/2020": (25, 29, 18, 28),
    "TPU v4, 10/2022": (24, 2, 12, 57),
}
TYPES = ("MLP or DLRM", "RNN", "CNN", "Transformer")


def test_the_shares_are_those_of_the_paper_and_a_blank_is_no_zero():
    found = {bar.name: {part.name: part.value_frac for part in bar.parts} for bar in workloads.bars()}
    assert list(found) == list(TABLE_1)
    for name, printed in TABLE_1.items():
        wanted = {kind: share / 100 for kind, share in zip(TYPES, printed, strict=True) if share is not None}
        assert found[name] == pytest.approx(wanted)
    assert "Transformer" not in found["TPU v1, 7/2016"]
    assert [bar.note for bar in workloads.bars()] == ["inference", "training and inference", "inference", "training"]


def test_no_bar_is_more_than_a_whole_and_parts_of_a_type_make_it_up():
    for bar in workloads.bars():
        assert sum(part.value_frac for part in bar.parts) <= 1 + 1e-9
    rows = workloads.rows()
    inner = rows[rows.part_of.notna()].groupby(["device_id", "part_of"]).share_frac.sum()
    whole = rows[rows.part_of.isna()].set_index(["device_id", "model_type"]).share_frac
    assert dict(inner) == pytest.approx({key: whole[key] for key in inner.index})


def test_every_row_has_its_source_and_it_is_credited():
    assert {row for ids in workloads.rows().source_ids for row in ids.split(";")} == {
        "jouppi_2017",
        "jouppi_2023_table_1",
    }
    credited = {one.id: one for one in tables.sources()}
    assert "2304.01433" in credited[workloads.SOURCE].title and "transcript" in credited[workloads.SOURCE].title
    made = clip.put(report(), clip.of_workloads("trends?more=x"))
    assert workloads.SOURCE in {one.id for one in made.sources}
    assert workloads.SOURCE not in {one.id for one in clip.take_out(made, made.clippings[-1].id).sources}


def test_it_is_told_in_words_with_what_is_not_named():
    told = workloads.sentences()
    assert told[0] == "TPU v1, 7/2016, inference: MLP or DLRM 61 %, RNN 29 %, CNN 5 %; not named 5 %."
    assert told[2].endswith("Transformer 28 % (BERT 28 %).") and told[3].count("(BERT 26 % and LLM 31 %)") == 1
    assert "compare like with like" in told[-1]
    table = workloads.table()
    assert list(table["Transformer"]) == ["–", "21 %", "28 %", "57 %"]
    assert list(table["Not named"]) == ["5 %", "7 %", "–", "5 %"]
    assert "In 4 years" in workloads.meaning()[0] and "28 %" in workloads.meaning()[0]


def test_the_chart_stacks_the_parts_says_their_use_and_draws_them_as_claimed():
    figure = figures_shares.shares(workloads.bars(), "light", workloads.AXIS, workloads.BASIS)
    assert [trace.name for trace in figure.data] == [*TYPES, "not named"]
    cnn = next(trace for trace in figure.data if trace.name == "CNN")
    assert list(cnn.base) == pytest.approx([0.90, 0.48, 0.54, 0.26]) and list(cnn.x) == [0.05, 0.24, 0.18, 0.12]
    assert {shape for trace in figure.data[:4] for shape in trace.marker.pattern.shape} == {"-"}
    assert figure.layout.yaxis.ticktext[0] == "TPU v1, 7/2016<br>inference"
    assert len(figure.data[-1].x) == 3  # the shares of TPU v4 Lite reach the whole
    assert "2" not in {note.text for note in figure.layout.annotations}  # no room for it: the hover tells it
    assert "RNN 2 %" in figure.data[1].hovertext[3]


def test_a_report_draws_the_same_without_a_browser():
    made = clip.put(report(), clip.of_workloads())
    assert read(exporters()["json"].render(made)) == made
    picture = drawing.svg(clipped(made.clippings[-1].chart, "light").to_plotly_json(), 860)
    assert picture is not None and "TPU v4 Lite, 2/2020" in picture and ">57<" in picture
    text = exporters()["html"].render(made).decode()
    for part in ("What Google&#39;s TPUs ran", "RNN 2 %", "arXiv:2304.01433", "compare like with like"):
        assert part in text or part.replace("&#39;", "'") in text, part


def test_stacked_parts_start_where_the_one_before_ends():
    bars = (
        ChartBar(name="A", note="", parts=(ChartPart(name="x", value_frac=0.25), ChartPart(name="y", value_frac=0.5))),
    )
    drawn = figures_shares.shares(bars, "light", "share", "claimed").to_plotly_json()
    whole = drawing.svg(drawn, 860)
    moved = [{**trace, "base": None} if trace["name"] == "y" else trace for trace in drawn["data"]]
    assert whole != drawing.svg({**drawn, "data": moved}, 860)


def test_one_from_elsewhere_is_only_text():
    bars = (ChartBar(name=HOSTILE, note=HOSTILE, parts=(ChartPart(name=HOSTILE, value_frac=-3.0),)),)
    hostile = dataclasses.replace(clip.of_workloads(), chart=Chart(axis=HOSTILE, bars=bars, basis=HOSTILE))
    page = exporters()["html"].render(clip.put(report(), hostile)).decode()
    assert "<script>alert(1)" not in page
