"""The charts of a report by name, each with the text that stands for it, and as an SVG that needs no script."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache

import plotly.graph_objects as go

from advisor import closeness
from advisor.clippings import Clipping
from advisor.figures import image as figures_image
from advisor.figures import named as figures
from advisor.figures.style import COLOURS
from advisor.figures.svg import drawing
from advisor.report import charts as report_charts
from advisor.report import frames as report_frames
from advisor.types import Report
from data import words

WIDTH_PX = 860


def figure(report: Report, name: str, mode: str = "light") -> tuple[go.Figure, str] | None:
    """The named chart and its text alternative; None where the report has nothing to draw in it."""
    budget = report.budget
    clipping = report_charts.of_figure(report, name)
    if clipping is not None:
        return _clipped(clipping, mode)
    if name == "pareto":
        rows = report_frames.candidates(report)
        drawn = figures.pareto(
            rows, mode, budget.latency_ms, budget.max_loss, loss_title=_loss_title(report),
            latency_title=f"Latency, {report_frames.told_percentile(report)}",
        )  # fmt: skip
        return drawn, f"Latency against loss of the original and {len(rows) - 1} plans; their table has the rows."
    if name == "latency_ecdf":
        samples = report_frames.latencies(report)
        return figures.latency_ecdf(samples, mode, budget.latency_ms), "; ".join(
            f"{variant}: median {words.latency(part.median())}"
            for variant, part in samples.groupby("variant", sort=False)["latency_ms"]
        )
    if name == "before_after":
        rows = report_frames.before_after(report)
        if rows.empty:
            return None
        said = [f"{row.quantity} {words.change(float(str(row.ratio)))}" for row in rows.itertuples()]
        return figures.before_after(rows, mode), "With the plan: " + ", ".join(said)
    raise ValueError(f"no chart is called {name!r}")


def _clipped(clipping: Clipping, mode: str) -> tuple[go.Figure, str] | None:
    from advisor.figures.clipping import clipped  # the trends and scipy, for those who have such a chart

    if clipping.chart is None:
        return None
    return clipped(clipping.chart, mode), " ".join([f"{clipping.title}.", *clipping.says])


def told(report: Report, name: str) -> str | None:
    """The text that stands for the named chart, for a format without pictures."""
    drawn = figure(report, name)
    return None if drawn is None else drawn[1]


def _loss_title(report: Report) -> str:
    qualities = [plan.quality for plan in report.recommendation.tried if plan.quality]
    return next((closeness.name(one) for one in qualities), "1 - cosine")


def svg(drawn: go.Figure) -> str | None:
    """The figure as SVG text: drawn here, or by a headless Chromium what is not; None where there is none either."""
    found = drawing.svg(drawn.to_plotly_json(), WIDTH_PX)
    if found is not None:
        return found
    return None if figures_image.missing() is not None else _drawn(drawn.to_json())


@lru_cache(maxsize=64)
def _drawn(figure_json: str) -> str:
    """Drawn once, however many formats show it."""
    figure = go.Figure(json.loads(figure_json))
    return figures_image.image(figure, "svg", WIDTH_PX, background=None).decode()


def live(drawn: go.Figure, name: str) -> tuple[str, str]:
    """(markup, script) of plotly's own drawing, for a page that carries `plotly_script`."""
    markup = drawn.to_html(full_html=False, include_plotlyjs=False, div_id=f"chart-{name}")
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", markup, re.DOTALL)
    return re.sub(r"<script.*?</script>", "", markup, flags=re.DOTALL), "\n".join(scripts)


def plotly_script() -> str:
    """The whole of plotly.js."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def in_both_modes(picture: str) -> str:
    """The SVG with each colour of the light mode turned into the dark one's where the reader's mode is dark."""
    pairs = dict(_pairs())

    def named(match: re.Match[str]) -> str:
        colour = tuple(int(part) for part in match.groups())
        if colour not in pairs:
            return match.group()
        return f"light-dark(rgb{colour},rgb{pairs[colour]})"

    return re.sub(r"rgb\((\d+), (\d+), (\d+)\)", named, picture)


def _pairs() -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    light, dark = COLOURS["light"], COLOURS["dark"]
    for name in ("card", "line", "ink", "mute", "grid", "accent", "grey", "greyline"):
        yield _rgb(light[name]), _rgb(dark[name])
    yield from zip(map(_rgb, light["series"]), map(_rgb, dark["series"]), strict=True)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))
