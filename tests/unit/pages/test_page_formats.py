"""Names from files cannot become markup; headings and units of tables follow from the names of columns."""

import string

import pandas as pd
import pytest

from pages.ui import formats, tables


def test_every_mark_of_markdown_is_escaped():
    for mark in string.punctuation:
        assert formats.name(f"a{mark}b") == f"a\\{mark}b"


def test_a_name_is_one_visible_line_of_at_most_120_characters():
    shown = formats.name("a\n\x1b[31mb\u202ec" + "d" * 500)
    assert "\n" not in shown and "\x1b" not in shown and "\u202e" not in shown
    assert len(shown) <= 125


def test_streamlits_own_logo_code_is_broken_up():
    assert ":streamlit:" not in formats.name(":streamlit:").replace("\\", "")


@pytest.mark.parametrize(
    ("column", "unit", "shown"),
    [
        ("latency_p95_ms", "ms", "Latency p95 (ms)"),
        ("file_bytes", "MiB", "File (MiB)"),
        ("saved_frac", "", "Saved"),
        ("kwh_per_year", "kWh a year", "Kwh per year (kWh a year)"),
        ("sha256", "", "SHA-256"),
    ],
)
def test_headings(column, unit, shown):
    assert tables.heading(column, unit) == shown


def test_columns_are_shown_in_the_unit_of_their_largest_value():
    frame = pd.DataFrame({"file_bytes": [1 << 20, 3 << 20], "p50_ms": [0.02, 0.05], "loss_frac": [0.004, 0.1]})
    shown, settings = tables.prepared(frame)
    assert list(shown["file_bytes"]) == [1.0, 3.0] and settings["file_bytes"]["label"] == "File (MiB)"
    assert list(shown["p50_ms"]) == pytest.approx([20.0, 50.0]) and settings["p50_ms"]["label"] == "P50 (µs)"
    assert list(shown["loss_frac"]) == pytest.approx([0.4, 10.0])


def test_nothing_known_stays_nothing():
    shown, _ = tables.prepared(pd.DataFrame({"p50_ms": [None, None], "name": [None, "a\nb"]}, dtype=object))
    assert shown["p50_ms"].isna().all()
    assert shown["name"].iloc[1] == "a b"
