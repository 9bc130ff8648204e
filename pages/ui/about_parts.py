"""What the about page is made of: where figures come from, the five words, worked examples."""

import pandas as pd
import streamlit as st

from advisor import presets
from data import tables as facts
from data import words
from pages.ui import cards, tables


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


def words_of_basis() -> None:
    """The five words that go with every number."""
    with cards.card("words", "Five words", "Every number carries one of them, and is drawn accordingly."):
        cards.legend()


def examples() -> None:
    """Published claims, recomputed from their own inputs."""
    rows = pd.DataFrame(
        [
            {
                "example": found.title,
                "recomputed": f"{words.number(found.value(), 4)} {found.unit}",
                "published": found.published,
                "follows": presets.FOLLOWS.get(found.follows, found.follows),
                "why": found.verdict,
            }
            for found in presets.examples()
        ]
    )
    with cards.card("examples", "Worked examples", "Published figures, recomputed here from their own inputs."):
        more = {"why": st.column_config.Column("Why", width="large")}
        tables.show(rows, key="examples", alt="Published figures beside what follows from them.", height=560, more=more)
