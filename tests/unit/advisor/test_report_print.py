"""The report on paper: WeasyPrint's own boxes, since a PDF hides its words."""

import re
from pathlib import Path

import pytest
import reports

from advisor.exporters import exporters
from advisor.report import html


@pytest.fixture(scope="module")
def pages():
    if (sentence := exporters()["pdf"].missing()) is not None:
        pytest.skip(sentence)
    from weasyprint import HTML

    printed = HTML(string=html.page(reports.report(), printed=True)).render()
    return [list(page._page_box.descendants()) for page in printed.pages]


def test_no_word_or_date_of_a_table_is_cut(pages):
    lines = [box.text for boxes in pages for box in boxes if hasattr(box, "text")]
    dates = [line for line in lines if re.fullmatch(r"\d{4}-\d\d-\d\d", line)]
    assert len(dates) == len(reports.report().sources), "a narrow column broke its dates"
    assert lines.count("onnxruntime") >= len({one.runtime for one in reports.report().measurements})


def test_the_numbers_on_top_stand_in_one_row_and_nothing_leaves_the_page(pages):
    tiles = [box for box in pages[0] if box.element is not None and box.element.get("class") == "tile"]
    assert len(tiles) == 5 and len({round(box.position_y) for box in tiles}) == 1
    paper = pages[0][0].content_box_x() + pages[0][0].width
    widest = max(box.position_x + box.width for boxes in pages for box in boxes if hasattr(box, "text"))
    assert widest <= paper + 1


def test_paper_is_light_where_the_reader_s_screen_is_dark():
    """Charts take their colours by light-dark(): pale ink on white paper, were the page's scheme left to the screen."""
    css = (Path(html.__file__).parent / "templates/report.css").read_text()
    printed = css[css.index("@media print{") :]
    assert printed.startswith("@media print{:root{color-scheme:light}")
    assert "light-dark(" in exporters()["html"].render(reports.report()).decode()
