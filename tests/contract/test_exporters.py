"""Every exporter, on every kind of report: bytes come out, or one sentence says why not."""

import pytest
from reports import CASES

from advisor.exporters import exporters
from data.errors import Unavailable

pytestmark = pytest.mark.parametrize("name", exporters())


def test_it_says_what_it_is(name):
    exporter = exporters()[name]
    assert name == exporter.NAME
    assert "/" in exporter.MIME
    assert exporter.SUFFIX.startswith(".")
    assert [one.SUFFIX for one in exporters().values()].count(exporter.SUFFIX) == 1
    sentence = exporter.missing()
    assert sentence is None or (sentence.endswith(".") and "\n" not in sentence and len(sentence) <= 200)


@pytest.mark.parametrize("case", CASES)
def test_it_renders_every_kind_of_report(name, case, monkeypatch):
    from advisor.figures import report as figures_report

    exporter = exporters()[name]
    if (sentence := exporter.missing()) is not None:
        pytest.skip(sentence)
    if name == "pdf" and case not in ("a plan", "no energy"):
        pytest.skip("two seconds each: it prints the HTML, which every case renders")
    monkeypatch.setattr(figures_report, "svg", lambda drawn: "<svg></svg>")
    made = exporter.render(CASES[case]())
    assert isinstance(made, bytes) and len(made) > 100
    if "text" in exporter.MIME or "json" in exporter.MIME:
        made.decode()
        assert b"NaN" not in made and b"Infinity" not in made


def test_where_something_is_missing_it_refuses_in_one_line(name, monkeypatch):
    from advisor.figures import image as figures_image

    monkeypatch.setattr(figures_image, "_browser", lambda: None)
    exporter = exporters()[name]
    if exporter.missing() is None:
        assert exporter.render(CASES["keep the original"]())
    else:
        with pytest.raises(Unavailable) as caught:
            exporter.render(CASES["a plan"]())
        assert "\n" not in caught.value.message
