"""Any chart as a picture (PNG, SVG), drawn by a headless Chromium of this machine."""

import logging
import os
import shutil
import threading
import warnings
from functools import cache

import plotly.graph_objects as go

from data.errors import Unavailable

FORMATS = ("png", "svg")
WIDTH_PX, SHARPNESS = 1100, 2.0
_one_at_a_time = threading.Lock()


def missing() -> str | None:
    """What is needed for pictures and is not here, as one sentence; None where they can be drawn."""
    if _browser() is None:
        return "Pictures need a Chromium: install the package 'chromium'. The chart and its data need none."
    return None


def image(drawn: go.Figure, kind: str = "png", width_px: int = WIDTH_PX, background: str | None = "#FFFFFF") -> bytes:
    """The figure as a PNG or SVG file; None as background leaves it clear. Raises Unavailable without a Chromium."""
    sentence = missing()
    if sentence is not None:
        raise Unavailable(sentence)
    with _one_at_a_time:
        _start()
        figure = go.Figure(drawn)
        if background is not None:
            figure.update_layout(paper_bgcolor=background, plot_bgcolor=background)
        height, scale = int(drawn.layout.height or 420), SHARPNESS if kind == "png" else 1.0
        with warnings.catch_warnings():  # plotly warns that the server already has its options
            warnings.simplefilter("ignore", UserWarning)
            return bytes(figure.to_image(kind, width=width_px, height=height, scale=scale))


def _browser() -> str | None:
    named = os.environ.get("BROWSER_PATH")
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return named or next((path for path in found if path), None)


@cache
def _start() -> None:
    """Starts the drawing browser once: each picture then takes a third of a second instead of five."""
    import kaleido

    for name in ("choreographer", "kaleido"):  # a late word from the browser would be told with its traceback
        logging.getLogger(name).setLevel(logging.CRITICAL)
    os.environ["BROWSER_PATH"] = str(_browser())
    kaleido.start_sync_server(silence_warnings=True)
