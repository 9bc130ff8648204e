"""Whom a report owes its facts: every shipped source that one of its numbers names."""

from collections.abc import Iterator
from typing import Any

from advisor.types import Outlook, Source
from data import tables
from data.records import to_plain

OF_YEARS = ("trends/hardware",)  # the trend of work per joule; demand names its own paper
OF_REBOUND = ("trends/rebound",)


def credited(*records: Any) -> tuple[Source, ...]:
    """The sources that the numbers of these records name, and those of the outlooks among them, by id."""
    said = " ".join(text for record in records for text in _sources(to_plain(record)))
    named = [*(OF_YEARS if _any(records, "years") else ()), *(OF_REBOUND if _any(records, "rebounds") else ())]
    words = {word.strip("(),;") for word in said.split()}
    return tuple(
        Source(id=one.id, title=one.title, licence=one.licence, as_of=one.as_of, url=one.url)
        for one in tables.sources()
        if one.id in words or one.id in named
    )


def _sources(plain: Any) -> Iterator[str]:
    """Every text under the name "source", however deep."""
    if isinstance(plain, dict):
        for name, value in plain.items():
            if name == "source" and isinstance(value, str):
                yield value
            yield from _sources(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from _sources(value)


def _any(records: tuple[Any, ...], field: str) -> bool:
    return any(isinstance(record, Outlook) and getattr(record, field) for record in records)
