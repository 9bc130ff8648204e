"""Every page opens, light and dark, on a desk, a small desk and a phone."""

import pytest

pytestmark = pytest.mark.browser
PAGES = ("", "profile", "compress", "trends", "report", "history", "about")
WIDTHS = {"desk": 1440, "small": 1024, "phone": 390}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_pages_open(walk, device, scheme):
    tab = walk(width=WIDTHS[device], height=844 if device == "phone" else 900, scheme=scheme)
    for path in PAGES:
        tab.open(path)
        assert tab.page.locator("h1").first.inner_text(), path
        assert tab.problems() == [], path
        assert tab.sideways_px() <= 0, path
        if device != "small":
            assert tab.findings() == [], path
        tab.shot(f"{device}-{scheme}-{path or 'overview'}")
    assert tab.failures == []
