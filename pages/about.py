"""About."""

from pages.ui import cards

cards.page("About", "This machine, the sources of every figure, the physics, and how good the predictions are.")
cards.nothing_yet(
    "model", "No model yet", todo="Add a model on the overview: upload one, name a path, or take the example."
)
