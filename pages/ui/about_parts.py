"""What the about page is made of: where figures come from, and the five words."""

import pandas as pd

from data import tables as facts
from pages.ui import cards, claims_parts, tables


def sources() -> None:
    """Everyone to be credited, and how old their figures are."""
    rows = [
        {
            "source": found.title,
            "licence": found.licence,
            "as of": found.as_of,
            "age": "older than two years" if found.is_stale() else "",
            "address": found.url,
        }
        for found in facts.sources()
    ]
    with cards.card("sources", "Sources", "Shipped with Rightsize; nothing is fetched while it runs."):
        tables.show(pd.DataFrame(rows), key="sources", alt="Every source with its licence and date.", height=560)
    claims_parts.equivalents()


def words_of_basis() -> None:
    """The five words that go with every number."""
    with cards.card("words", "Five words", "Every number carries one of them, and is drawn accordingly."):
        cards.legend()
