"""The report: the chain by hand, the HTML equal to the JSON number by number, nothing hostile alive in it."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from reports import CASES, HOSTILE, MODEL, report

from advisor.exporters import exporters
from advisor.exporters.json import read
from advisor.figures import report as figures_report
from advisor.report import schema as report_schema
from advisor.report.contents import document
from data.errors import InputError
from data.store import Store
from profiler.types import Layer

ROOT = Path(__file__).parents[3]


class Values(HTMLParser):
    """Collects (path, value) of every number in the page, every number without a path, and every tag."""

    def __init__(self):
        super().__init__()
        self.found, self.loose, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.append((tag, named))
        if named.get("data-value"):
            if named.get("data-path"):
                self.found.append((named["data-path"], float(named["data-value"])))
                if named.get("data-low"):
                    stem = named["data-path"].removesuffix(".mid")
                    self.found += [(f"{stem}.{end}", float(named[f"data-{end}"])) for end in ("low", "high")]
            else:
                self.loose.append(named)


def parsed(html):
    values = Values()
    values.feed(html)
    return values


@pytest.fixture(scope="module")
def no_browser():
    """The charts are left to their own test: here the numbers count."""
    patch = pytest.MonkeyPatch()
    patch.setattr(figures_report, "svg", lambda drawn: "<svg></svg>")
    yield
    patch.undo()


@pytest.fixture(scope="module", params=CASES)
def case(request, no_browser):
    """(report, HTML, the JSON's report) of each case."""
    made = CASES[request.param]()
    plain = json.loads(exporters()["json"].render(made))["report"]
    return made, exporters()["html"].render(made).decode(), plain


def at(plain, path):
    for part in path.split("."):
        plain = plain[int(part)] if part.isdigit() else plain[part]
    return plain


def test_the_chain_by_hand():
    # 10 ms x 8 W = 0.08 J a call; x 1e6 a day x 365 days / 3.6e6 J = 8.1111 kWh; x 332 g = 2.6929 kg; / 12.5e6 kWh.
    made = report()
    assert made.footprint_before.energy_j_per_call.mid == pytest.approx(0.08)
    assert made.footprint_before.kwh_per_year.mid == pytest.approx(8.111111111)
    assert made.footprint_before.g_co2e_per_year.mid == pytest.approx(2692.888889)
    assert made.footprint_before.turbine_years.mid == pytest.approx(6.488889e-7)
    assert made.footprint_after.kwh_per_year.mid == pytest.approx(8.111111111 * 0.4, rel=1e-3)


def test_every_number_of_the_html_is_the_json_s(case):
    made, html, plain = case
    values = parsed(html)
    assert values.loose == []
    assert len(values.found) > 15
    for path, value in values.found:
        assert value == float(at(plain, path)), path
    paths = dict(values.found).keys()
    assert {f"recommendation.tried.0.latency_ratio.{part}" for part in ("low", "mid", "high")} <= paths
    if made.footprint_before.kwh_per_year:
        assert "footprint_before.kwh_per_year.mid" in paths
    if made.outlook:
        assert "outlook.runs.0.latency_ms.p95.mid" in paths


def test_every_sentence_with_a_number_stands_in_the_json_too(case):
    made, _, plain = case
    known = json.dumps(plain, ensure_ascii=False)
    fixed = ("5 MW x 2,500 h", "95 %", "0.01 is one", "above 1 the saving")  # constants of ours, told in words
    for section in document(made).sections:
        for text in (*section.points, *section.paragraphs):
            if re.search(r"\d", re.sub(r"CO2e", "", text)) and not any(part in text for part in fixed):
                core = re.sub(r"^(Runner-up|What binds|Not tried|[^:]{1,40}): ", "", text)
                assert json.dumps(core, ensure_ascii=False)[1:-1] in known, text


def test_the_html_stands_alone_and_lets_nothing_in(case):
    _, html, _ = case
    values = parsed(html)
    assert any("default-src 'none'" in named.get("content", "") for tag, named in values.tags if tag == "meta")
    for tag, named in values.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form", "script")
        assert not any(name.startswith("on") for name in named)
        for name in ("src", "href", "xlink:href"):
            assert named.get(name) is None or named[name].startswith(("#", "data:")), named
    assert HOSTILE not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not re.search(r"url\(\s*['\"]?https?:", html)


def test_nothing_unknown_is_shown_as_a_number(case):
    _, html, _ = case
    shown = re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<style.*?</style>", "", html))
    assert not re.search(r"\b(nan|NaN|inf|None|null)\b", shown), re.search(r".{40}\b(nan|NaN|inf|None)\b.{40}", shown)


def test_contents_lead_to_every_section(case):
    _, html, _ = case
    tags = parsed(html).tags
    sections = {named["id"] for tag, named in tags if tag == "section"}
    links = {named["href"].removeprefix("#") for tag, named in tags if tag == "a"}
    assert sections == links
    always = "answer question tried footprint model method uncertainty files sources"
    assert set(always.split()) <= sections


def test_where_the_time_goes_is_told_slowest_first_with_its_sum(no_browser):
    html = exporters()["html"].render(CASES["with its operators"]()).decode()
    section = re.search(r'(?s)<section[^>]*id="operators".*?</section>', html).group(0)
    assert section.index("Gemm") < section.index("ReorderInput")
    assert "95 %" in section  # 9.0 of 9.5 ms
    assert "add up to 95 % of the latency" in section


def test_the_json_is_read_again_whole_and_fits_its_schema(case):
    made, _, plain = case
    content = exporters()["json"].render(made)
    assert read(content) == made
    jsonschema.Draft202012Validator.check_schema(report_schema.schema())
    jsonschema.validate(json.loads(content), report_schema.schema())
    assert plain["baseline"] == made.baseline.id, "what stands in it twice is referred to"


def test_the_schema_that_is_shipped_is_the_one_that_is_checked():
    again = "python -m advisor schema > docs/report-v1.schema.json"
    assert json.loads((ROOT / "docs/report-v1.schema.json").read_text()) == report_schema.schema(), again


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'"rightsize-report"',
        b'{"schema": "rightsize-report", "version": 99}',
        b'{"schema": "rightsize-report", "version": 1, "report": NaN}',
    ],
)
def test_another_file_is_refused_in_one_line(content):
    with pytest.raises(InputError) as caught:
        read(content)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.sha256", "../../../etc"),
        ("variants.0.file", "../../../../etc/passwd"),
        ("variants.0.file", "/etc/passwd"),
        ("variants.0.parent_sha256", ".."),
        ("variants.0.companions", ["x/../../../y"]),
        ("variants.0.decoded", "a/b/c"),
        ("id", "../x"),
        ("model.name", {"a": 1}),
        ("baseline", "nowhere"),
        ("measurements.0.samples_ms", ["x"]),
        ("footprint_before.kwh_per_year.low", 1e9),
        ("recommendation.tried", 3),
        ("machine", "somewhere"),
    ],
)
def test_a_report_that_was_tampered_with_is_refused(path, value):
    document = json.loads(exporters()["json"].render(report()))
    *parents, last = path.split(".")
    place = at(document["report"], ".".join(parents)) if parents else document["report"]
    place[last] = value
    with pytest.raises(InputError) as caught:
        read(json.dumps(document).encode())
    assert "\n" not in caught.value.message


def test_a_report_of_thousands_of_layers_stays_small(no_browser):
    layers = tuple(Layer(name=f"layer {n}", op="Gemm", flop=n) for n in range(5_000))
    made = report(model=replace(MODEL, layers=layers))
    html = exporters()["html"].render(made).decode()
    assert len(html) < 400_000
    assert "4,990 more in the JSON report" in html
    assert "layer 4999" in html and "layer 4989" not in html
    assert read(exporters()["json"].render(made)) == made


def test_the_store_keeps_it_whole():
    store = Store()
    store.save(report())
    assert store.get(type(report()), "0123456789ab") == report()


def test_the_chart_of_candidates_says_where_on_the_latency_they_stand():
    """At the budget's p95, while the head of the report tells the median."""
    drawn = figures_report.figure(report(), "pareto")
    assert drawn[0].layout.xaxis.title.text.startswith("Latency, p95 (")
