"""Rules that start at an amount of training compute: dated, with their status, and what they mean for a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from data import tables
from data.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Dates are ISO dates or None; `unverified` names the fields nobody has read again in the law itself."""

    training_flop: float
    title: str
    jurisdiction: str
    adopted_date: str | None
    applies_date: str | None
    revoked_date: str | None
    status: str
    effect: str
    source: str
    url: str
    unverified: tuple[str, ...]

    def binding(self, on: date) -> bool:
        """Whether the rule applies on a day."""
        started = self.applies_date is not None and date.fromisoformat(self.applies_date) <= on
        ended = self.revoked_date is not None and date.fromisoformat(self.revoked_date) <= on
        return started and not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A model against one rule: over its threshold or under it, whether the rule binds today, and a sentence."""

    rule: Rule
    over: bool
    binding: bool
    text: str


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule of the shipped table, the lowest threshold first."""
    frame = tables.frame("claims", "regulation").sort_values("training_flop", kind="stable")
    return tuple(_rule(row) for row in frame.astype(object).where(frame.notna(), None).to_dict("records"))


def verdicts(training_flop: float, on: date | None = None) -> tuple[Verdict, ...]:
    """What each rule says about a model trained with this many FLOP, on a day (today). A threshold itself is over."""
    if training_flop <= 0:
        raise InputError("Training compute is a positive number of FLOP.", hint="For example 9e24.")
    return tuple(_verdict(rule, training_flop, on or date.today()) for rule in rules())


def _verdict(rule: Rule, training_flop: float, on: date) -> Verdict:
    over, binding = training_flop >= rule.training_flop, rule.binding(on)
    ratio = training_flop / rule.training_flop
    state = f"{rule.status}, {rule.revoked_date}" if rule.revoked_date else rule.status
    text = f"{'Over' if over else 'Under'} {rule.training_flop:.0e} FLOP ({ratio:.2g} of it): ".replace("e+", "e")
    return Verdict(rule=rule, over=over, binding=binding, text=f"{text}{rule.title} ({rule.jurisdiction}, {state}).")


def _rule(row: Mapping[Any, Any]) -> Rule:
    def text(column: str) -> str | None:
        return None if row[column] is None else str(row[column])

    source = tables.source(f"claims/{row['source_id']}")
    return Rule(
        training_flop=float(row["training_flop"]),
        title=str(row["rule"]),
        jurisdiction=str(row["jurisdiction"]),
        adopted_date=text("adopted_date"),
        applies_date=text("applies_date"),
        revoked_date=text("revoked_date"),
        status=str(row["status"]),
        effect=str(row["effect"]),
        source=source.title,
        url=source.url,
        unverified=tuple((text("unverified_fields") or "").split(";")) if text("unverified_fields") else (),
    )
