"""Report."""

from pages.ui import cards

cards.page("Report", "The sizing report: what was measured, what it means, and where every number comes from.")
cards.nothing_yet(
    "model", "No model yet", todo="Add a model on the overview: upload one, name a path, or take the example."
)
