"""The scale of a metric, my model as a star on it, and the rules' thresholds as lines: for pages, commands, reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from advisor.clippings import ChartLevel, ChartStar
from advisor.figures.trend_parts import Scale
from advisor.trends import regulation
from advisor.trends.metrics import Metric
from advisor.trends.rows import date_of, newest_year
from advisor.trends.standing import MyModel

TICKS: Mapping[str, Mapping[str, Any]] = {
    "parameters": {"tick_format": "B"},
    "data": {"tick_format": "B"},
    "cost": {"tick_format": "B", "prefix": "$"},
    "power": {"tick_format": "SI", "suffix": "W"},
    "per_watt": {"tick_format": "SI"},
    "per_usd": {"tick_format": "SI"},
}


def scale_of(metric: Metric, log: bool = True) -> Scale:
    """The value axis of a metric."""
    return Scale(title=metric.axis, log=log, **TICKS.get(metric.key, {}))


def star_of(mine: MyModel | None, metric: Metric) -> ChartStar | None:
    """My model as a point; None where it has no such value."""
    value = mine.value(metric.column) if mine else None
    if mine is None or value is None:
        return None
    value *= metric.factor
    day = date_of(mine.year or newest_year())
    return ChartStar(name=mine.name, date=f"{day:%Y-%m-%d}", value=value, said=metric.say(value))


def rule_levels() -> tuple[ChartLevel, ...]:
    """Regulation thresholds as lines, each with its status."""
    found = []
    for rule in regulation.rules():
        state = f"{rule.status} {rule.revoked_date}" if rule.revoked_date else rule.status
        text = f"{rule.training_flop:.0e} FLOP · {rule.jurisdiction} · {state}".replace("e+", "e")
        found.append(ChartLevel(value=rule.training_flop, text=text, binding=rule.binding(date.today())))
    return tuple(found)
