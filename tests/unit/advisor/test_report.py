"""The report: the chain by hand, the HTML equal to the JSON number by number, nothing hostile alive in it."""

import json
import re
from html.parser import HTMLParser

import pytest
from reports import HOSTILE, report

from advisor.exporters import exporters
from advisor.exporters.json import read
from data.errors import InputError
from data.store import Store


class Values(HTMLParser):
    """Collects (path, value) of every number in the page, and every tag."""

    def __init__(self):
        super().__init__()
        self.found, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.append((tag, named))
        if named.get("data-path") and named.get("data-value"):
            self.found.append((named["data-path"], float(named["data-value"])))


@pytest.fixture(scope="module")
def html():
    return exporters()["html"].render(report()).decode()


@pytest.fixture(scope="module")
def plain():
    return json.loads(exporters()["json"].render(report()))["report"]


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


def test_every_number_of_the_html_is_the_json_s(html, plain):
    values = Values()
    values.feed(html)
    assert len(values.found) > 20
    for path, value in values.found:
        assert value == at(plain, path), path
    wanted = {"footprint_before.kwh_per_year.mid", "recommendation.tried.0.latency_ratio.mid"}
    assert wanted <= dict(values.found).keys()


def test_the_html_stands_alone_and_lets_nothing_in(html):
    values = Values()
    values.feed(html)
    assert any("default-src 'none'" in named.get("content", "") for tag, named in values.tags if tag == "meta")
    for tag, named in values.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form")
        assert not any(name.startswith("on") for name in named)
        for name in ("src", "href", "xlink:href"):
            assert named.get(name) is None or named[name].startswith(("#", "data:")), named
    assert HOSTILE not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not re.search(r"url\(\s*['\"]?https?:", html)


def test_the_json_is_read_again_whole():
    assert read(exporters()["json"].render(report())) == report()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"schema": "rightsize-report", "version": 99}', b"\xff"])
def test_another_file_is_refused_in_one_line(content):
    with pytest.raises(InputError) as caught:
        read(content)
    assert "\n" not in caught.value.message


def test_the_store_keeps_it_whole():
    store = Store()
    store.save(report())
    assert store.get(type(report()), "0123456789ab") == report()
