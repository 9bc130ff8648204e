"""Overview."""

from pages.ui import cards

cards.page("Overview", "Your models, what they take, and what their plans save.")
cards.nothing_yet(
    "model", "No model yet", todo="Add a model on the overview: upload one, name a path, or take the example."
)
