"""Thresholds, each dated and with its status; the verdicts of the specification."""

from datetime import date

import pytest

from advisor.trends import regulation
from data.errors import InputError


def over(flop):
    return {verdict.rule.training_flop for verdict in regulation.verdicts(flop) if verdict.over}


@pytest.mark.parametrize(
    ("flop", "thresholds"), [(9e24, set()), (5e25, {1e25}), (2e26, {1e25, 1e26}), (1e25, {1e25}), (1.0, set())]
)
def test_over_and_under(flop, thresholds):
    assert over(flop) == thresholds


def test_a_revoked_rule_does_not_bind_and_says_so():
    eu, us = regulation.verdicts(2e26, date(2026, 11, 22))
    assert eu.over and eu.binding and "EU AI Act" in eu.text and "20 of it" in eu.text
    assert us.over and not us.binding and "revoked, 2025-01-20" in us.text


@pytest.mark.parametrize(
    ("day", "bound"),
    [("2024-01-01", {"US"}), ("2025-03-01", set()), ("2025-08-02", {"EU"}), ("2023-01-01", set())],
)
def test_rules_bind_from_and_to_their_dates(day, bound):
    found = regulation.verdicts(1e27, date.fromisoformat(day))
    assert {verdict.rule.jurisdiction for verdict in found if verdict.binding} == bound


def test_every_rule_has_its_source_and_says_what_is_unverified():
    for rule in regulation.rules():
        assert rule.source and rule.url.startswith("https://") and "status" in rule.unverified


def test_compute_is_positive():
    with pytest.raises(InputError):
        regulation.verdicts(0.0)
