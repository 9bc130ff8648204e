"""What a person does on a page, in the words of the walks."""

from pathlib import Path

from browsing import PATIENCE_S

PATIENCE_MS = PATIENCE_S * 1000
PHONE_PX = 768
MENU = '[data-testid="stSidebar"]'


def see(tab, text, *, exact=False, timeout=PATIENCE_MS):
    """Wait for this text on the page, and until the page rests."""
    tab.page.get_by_text(text, exact=exact).first.wait_for(timeout=timeout)
    return tab.idle()


def press(tab, name, exact=True):
    """Click the first button of this name."""
    tab.page.get_by_role("button", name=name, exact=exact).first.click()


def upload(tab, path):
    """Give a file to the first upload of the page."""
    tab.page.locator('input[type="file"]').first.set_input_files(path)


def taken(tab, name, folder: Path) -> Path:
    """What a download button gives, saved in this folder."""
    with tab.page.expect_download() as waiting:
        press(tab, name)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def menu_is_over_the_page(tab) -> bool:
    """Whether the menu of a narrow window is open."""
    return tab.page.locator(MENU).evaluate("menu => menu.getBoundingClientRect().right > 40")


def go(tab, name):
    """To a page by its link in the menu, which a narrow window opens first and which then leaves the page free."""
    narrow = tab.page.viewport_size["width"] < PHONE_PX
    if narrow and not menu_is_over_the_page(tab):
        tab.page.get_by_test_id("stExpandSidebarButton").click()
    tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    tab.page.wait_for_function(f"() => document.querySelector('h1')?.innerText === '{name}'")
    if narrow:
        gone = f"() => document.querySelector('{MENU}').getBoundingClientRect().right < 40"
        tab.page.wait_for_function(gone)
    return tab.idle()
