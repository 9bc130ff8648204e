"""History."""

from pages.ui import cards

cards.page("History", "Every model and every measurement, kept with the machine it was made on.")
cards.nothing_yet(
    "model", "No model yet", todo="Add a model on the overview: upload one, name a path, or take the example."
)
