"""A report as one HTML page that opens offline, for the exporters that show it or print it."""

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.report.contents import document
from advisor.types import Report
from data.version import VERSION

TEMPLATES = Path(__file__).parent / "templates"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart's markup and the text that stands for it."""

    markup: Any
    alt: str


def page(report: Report, *, printed: bool = False) -> str:
    """The page: every text escaped, and a content-security policy that lets nothing in and nothing out.

    Charts are static SVG that follow the reader's mode; one that neither we nor a Chromium can draw is plotly's own,
    with its script inside the page. A page to be printed has one mode and no script: such a chart is told in words."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = document(report)
    scripts: list[str] = []
    charts = {}
    for section in made.sections:
        found = (_chart(report, name, None if printed else scripts) for name in section.figures)
        charts[section.id] = [chart for chart in found if chart is not None]
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"number": repr, "said": said}
    return environment.get_template("report.html.j2").render(
        document=made, charts=charts, scripts=[Markup(script) for script in scripts], policy=_policy(scripts),
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")), version=VERSION, report_id=report.id,
    )  # fmt: skip


def said(text: object) -> Any:
    """Text escaped, with CO2e as it is written."""
    from markupsafe import Markup, escape

    return Markup(str(escape(text)).replace("CO2e", "CO<sub>2</sub>e"))


def _chart(report: Report, name: str, scripts: list[str] | None) -> Chart | None:
    """A static SVG, or plotly's own drawing whose scripts are collected; to be printed where `scripts` is None."""
    from markupsafe import Markup

    from advisor.figures import report as figures_report

    drawn = figures_report.figure(report, name)
    if drawn is None:
        return None
    figure, alt = drawn
    picture = figures_report.svg(figure)
    if picture is not None:
        return Chart(Markup(_unique(picture if scripts is None else figures_report.in_both_modes(picture), name)), alt)
    if scripts is None:
        return Chart(Markup(""), alt)
    markup, script = figures_report.live(figure, name)
    scripts += [script] if scripts else [figures_report.plotly_script(), script]
    return Chart(Markup(markup), alt)


def _unique(picture: str, name: str) -> str:
    """Ids inside an SVG made its own, so that two charts of one page do not share clip paths."""
    return re.sub(r'(id="|url\(#|url\(\'#|href="#)', lambda match: f"{match.group(1)}{name}-", picture)


def _policy(scripts: list[str]) -> str:
    """The policy; scripts of the file itself are let in by their hashes alone."""
    if not scripts:
        return POLICY
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"{POLICY}; script-src {allowed}"
