"""Profile."""

from pages.ui import cards

cards.page("Profile", "What a model is, and how long, how much memory and how much energy one call takes here.")
cards.nothing_yet(
    "model", "No model yet", todo="Add a model on the overview: upload one, name a path, or take the example."
)
