"""Compress."""

from pages.ui import cards

cards.page("Compress", "Compressed for real and timed against the original: the smallest plan that meets your budget.")
cards.nothing_yet(
    "model", "No model yet", todo="Add a model on the overview: upload one, name a path, or take the example."
)
