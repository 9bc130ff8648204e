"""A report brought from elsewhere whose every free text is markup: on no page does any of it become a link, a picture,
a colour or a formula, and no control character gets through."""

import json
import re

import pytest
import reports
import streamlit
import yaml
from google.protobuf.json_format import MessageToDict
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from advisor import history
from advisor.exporters import exporters
from advisor.exporters.json import Json
from advisor.report.schema import schema
from advisor.types import Report
from data.home import Home
from data.store import Store
from tests.hostile.world import ROOT

TRAP = "![x](http://evil.test/p)[l](javascript:alert(1)):red[r]$e$<img src=x onerror=alert(1)>\x1b[31m\u202e"
MARKUP = re.compile(r"(?<!\\)\]\((?:http|javascript)|(?<!\\):red\[|(?<!\\)\$e|(?<!\\)!\[x")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Elements that show text as it is, and attributes that are no text.
AS_IS = {
    "dataframe", "text", "code", "json", "arrow_data_frame", "arrowDataFrame", "plotly_chart", "plotlyChart", "data",
    "textInput", "textArea", "multiselect",  # its options are drawn as they are
}  # fmt: skip
KEPT = {
    "baseline", "machine", "latency_basis", "scenario", "inputs", "basis", "verdict", "created_at", "format",
    "runtime", "kind", "objective", "technique", "dtype",
}  # fmt: skip


def trapped(value, key=""):
    """The plain report with the trap at the end of every free text."""
    if isinstance(value, dict):
        return {name: trapped(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [trapped(item, key) for item in value]
    free = isinstance(value, str) and key not in KEPT and not key.endswith(("sha256", "id", "file", "fingerprint"))
    return value + TRAP if free else value


class Navigated(PagesManager):
    """As in tests/pages: AppTest must not forget that app.py calls st.navigation."""

    def __init__(self, *args, **kwargs):
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **kwargs)


@pytest.fixture
def report(own_home, monkeypatch):
    monkeypatch.setattr(app_test, "PagesManager", Navigated)
    monkeypatch.chdir(ROOT)
    plain = json.loads(Json().render(reports.report()))
    plain["report"] = trapped(plain["report"])
    for key in ("companions", "decoded"):
        for variant in plain["report"]["variants"]:
            variant[key] = [] if key == "companions" else None
    store = Store(Home(own_home).store)
    history.bring(store, json.dumps(plain).encode())
    (found,) = store.all(Report)
    store.close()
    streamlit.cache_resource.clear()
    yield found
    streamlit.cache_resource.clear()


def texts(node):
    """(type of element, text) of everything on a page that is shown as markdown."""
    if hasattr(node, "children"):
        for child in node.children.values():
            yield from texts(child)
    proto = getattr(node, "proto", None)
    kind = getattr(node, "type", "")
    if proto is not None and kind not in AS_IS:
        yield from ((kind, text) for text in strings(MessageToDict(proto)))


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in AS_IS:
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


@pytest.mark.parametrize("page", ["overview", "profile", "compress", "place", "report", "history"])
def test_no_text_of_a_report_becomes_markup(report, page):
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    test.query_params["model"], test.query_params["report"] = report.model.sha256, report.id
    test.run()
    if page != "overview":
        test.switch_page(f"pages/{page}.py").run()
    assert not test.exception, test.exception[0].stack_trace
    found = list(texts(test.main)) + list(texts(test.sidebar))
    assert len(found) > 5
    bad = [(kind, text[:300]) for kind, text in found if MARKUP.search(text) or CONTROL.search(text)]
    assert bad == []


def test_the_trap_stands_in_every_format_as_text_only(report):
    assert schema()
    for name, exporter in exporters().items():
        if name in ("pdf", "json", "parquet") or exporter.missing():
            continue
        made = exporter.render(report).decode("utf-8", "replace")
        if name == "html":
            assert "<img src=x" not in made and 'href="javascript' not in made
            assert 'http-equiv="Content-Security-Policy" content="default-src ' in made
        if name in ("markdown", "model_card"):
            body = made.split("---\n", 2)[2] if name == "model_card" else made
            assert not MARKUP.search(body), body[max(0, MARKUP.search(body).start() - 200) :][:400]
        if name == "model_card":
            front = yaml.safe_load(made.split("---\n")[1])
            assert set(front) <= {"library_name", "tags", "co2_eq_emissions"} and made.count("\n---\n") == 1
        if name == "csv":
            assert not re.search(r'(?m)(^|,)"?[=+@]', made)
        assert "\x1b" not in made
