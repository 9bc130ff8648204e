"""The trends page in a real browser: filters, address, star, click and downloads agree with each other."""

import csv
import io

import pytest
import reports
from browsing import serve

from data.home import Home
from data.store import Store

pytestmark = pytest.mark.browser
CHART = ".st-key-card-trend-chart .js-plotly-plot"
POINTS = f"""() => document.querySelector('{CHART}').data
    .filter(trace => trace.meta === 'dots')
    .flatMap(trace => Array.from(trace.customdata, cell => cell[0])).sort()"""


def drawn(tab):
    """The names of all points on the chart."""
    tab.idle()
    tab.page.wait_for_selector(f"{CHART} .main-svg")
    return tab.page.evaluate(POINTS)


def pick(tab, button, label, value):
    """Choose a value of a list inside a popover."""
    tab.page.get_by_role("button", name=button).click()
    box = tab.page.get_by_role("combobox", name=label)
    box.click()
    tab.page.get_by_role("option", name=value, exact=True).click()
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("Escape")
    return tab.idle()


def download(tab, name):
    """What a download button gives."""
    with tab.page.expect_download() as waiting:
        tab.page.locator(".st-key-trend-downloads").get_by_role("button", name=name).click()
    return waiting.value.path().read_bytes()


def rows_of(text):
    lines = text.decode().splitlines()
    assert lines[0].startswith("# source: Epoch AI") and lines[1] == "# licence: CC-BY-4.0"
    return list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("#")))))


def test_a_filter_changes_points_and_address_and_the_address_restores_them(walk):
    tab = walk().open("trends")
    assert len(drawn(tab)) == 476
    pick(tab, "Filters", "Domain", "Biology")
    tab.page.wait_for_function("() => location.search.includes('domain=Biology')")
    tab.page.wait_for_function(f"() => ({POINTS})().length < 476")
    filtered = drawn(tab)
    assert 0 < len(filtered) < 476
    address = tab.page.url.split("/", 3)[3]
    other = walk(scheme="dark").open(address)
    assert drawn(other) == filtered
    assert other.page.get_by_text("another domain").count() == 1


def test_my_model_stands_where_its_numbers_put_it(walk):
    tab = walk().open("trends?my_name=Small&my_parameters=7B&my_tokens=2T")
    drawn(tab)
    star = tab.page.evaluate(
        f"""() => {{ const gd = document.querySelector('{CHART}');
        const star = gd.data.find(trace => trace.name === 'Small');
        const box = gd.querySelector('.scatterlayer .trace:last-child .point').getBoundingClientRect();
        const plot = gd.querySelector('.nsewdrag').getBoundingClientRect();
        const [low, high] = gd.layout.yaxis.range;
        const share = 1 - (box.top + box.height / 2 - plot.top) / plot.height;
        return {{y: Array.from(star.y)[0], share, low, high}} }}"""
    )
    assert star["y"] == pytest.approx(8.4e22)
    assert star["share"] == pytest.approx((22.924 - star["low"]) / (star["high"] - star["low"]), abs=0.012)
    assert tab.page.get_by_text("It would have been among the ten largest until December 2021.").is_visible()


def test_downloads_hold_what_the_chart_shows(walk):
    tab = walk().open("trends?among=Frontier+models&years=2018&years=2027")
    names = drawn(tab)
    assert len(names) == 77
    assert sorted(row["name"] for row in rows_of(download(tab, "Rows (CSV)"))) == names
    (line,) = rows_of(download(tab, "Lines (CSV)"))
    assert line["n"] == "77" and f"{float(line['doubling_months']):.1f}" == "5.4"
    png, svg = download(tab, "PNG"), download(tab, "SVG")
    assert png.startswith(b"\x89PNG") and len(png) > 20_000
    assert svg.startswith(b"<svg") and b"Training compute (FLOP)" in svg
    assert b"CC-BY-4.0" in svg and b"doubles every 5.4 months (4.9 to 5.9)" in svg


def test_a_click_on_a_point_shows_the_system(walk):
    tab = walk(height=1400).open("trends?among=Study+of+2022&years=1950&years=2027")
    drawn(tab)
    where = tab.page.evaluate(
        f"""() => {{ const gd = document.querySelector('{CHART}'); const plot = gd.querySelector('.nsewdrag');
        const box = plot.getBoundingClientRect(), axes = gd._fullLayout;
        const trace = gd._fullData.find(trace => trace.meta === 'dots');
        const at = Array.from(trace.customdata).findIndex(cell => cell[0] === 'Theseus');
        return [box.left + axes.xaxis.d2p(trace.x[at]), box.top + axes.yaxis.d2p(trace.y[at])] }}"""
    )
    tab.page.mouse.move(*where)
    tab.page.wait_for_timeout(300)
    tab.page.mouse.click(*where)
    card = tab.page.locator(".st-key-card-trend-system")
    card.get_by_text("Bell Laboratories").wait_for()
    assert card.get_by_text("40.0 FLOP").count() == 3  # as drawn, of 2022, of 2026


def test_a_chart_goes_into_a_report_and_out_with_it(walk, tmp_path):
    """Chosen, added, shown on the report page, exported as HTML, taken out again."""
    store = Store(Home(tmp_path).store)
    store.save(reports.report())
    store.close()
    with serve(tmp_path) as address:
        view = "trends?among=Frontier+models&years=2018&years=2027&my_flop=8.4e22"
        tab = walk(address=address, height=1500).open(view)
        names = drawn(tab)
        tab.page.get_by_role("button", name="Add to report").click()
        tab.page.get_by_role("button", name="Add", exact=True).click()
        tab.page.get_by_role("button", name="Open the report").click()
        card = tab.page.locator("[class*=st-key-card-section-clipping]")
        card.locator(".js-plotly-plot .main-svg").first.wait_for()
        tab.idle()
        kept = tab.page.evaluate("""() => document.querySelector(
            '[class*=st-key-card-section-clipping] .js-plotly-plot').data.filter(t => t.mode === 'markers')
            .flatMap(t => t.marker.symbol === 'star' ? [] : Array.from(t.customdata, cell => cell[0])).length""")
        assert kept == len(names) == 77
        assert card.get_by_text("doubles every 5.4 months").is_visible() and card.get_by_text("CC-BY-4.0").is_visible()
        with tab.page.expect_download() as waiting:
            tab.page.get_by_role("button", name="HTML", exact=True).click()
        page = waiting.value.path().read_text()
        assert "Training compute: frontier models" in page and "5.4 (4.9–5.9)" in page and "1e25 FLOP" in page
        card.get_by_role("button", name="Take out of the report").click()
        card.wait_for(state="detached")
        assert tab.problems() == []


def test_a_published_training_fills_the_calculator_and_its_address_restores_it(walk):
    tab = walk(height=1200).open("calculate")
    tab.page.locator(".st-key-t_preset").get_by_text("BLOOM", exact=True).click()
    tab.page.get_by_text("433 MWh").first.wait_for()
    tab.idle()
    tab.page.wait_for_function("() => location.search.includes('t_preset=BLOOM')")
    other = walk(scheme="dark", width=390, height=844).open(tab.page.url.split("/", 3)[3])
    assert other.page.locator(".st-key-metric-train-2").get_by_text("433 MWh").is_visible()
    assert other.page.locator(".st-key-metric-train-4").get_by_text("24.7 t").is_visible()
    assert other.problems() == [] and other.sideways_px() <= 0 and other.findings() == []


def test_an_address_opened_first_on_a_fresh_server_is_inside_the_app(walk, fresh_app):
    """Streamlit takes pages/ for an app of its old kind until st.navigation has been called once."""
    tab = walk(address=fresh_app).open("trends?trend=Grid+carbon")
    tab.page.locator(".st-key-card-trend-grid .js-plotly-plot").wait_for()
    assert tab.page.get_by_role("link", name="Overview", exact=True).count() == 1
    assert "trend=Grid+carbon" in tab.page.url
    tab.page.wait_for_timeout(500)
    assert tab.outside == [], "a tab without an icon of its own would fetch one"


def test_the_first_page_opens_by_its_name_too(walk):
    tab = walk().open("overview")
    tab.page.get_by_role("heading", name="Overview", exact=True).wait_for()
    assert tab.page.get_by_text("Page not found").count() == 0 and tab.problems() == []
    assert tab.page.get_by_role("link", name="Overview", exact=True).count() == 1


def test_several_first_visitors_at_once_are_all_inside_the_app(walk, fresh_app):
    tabs = [walk(address=fresh_app) for _ in range(4)]
    for tab, name in zip(tabs, ("calculate", "history", "about", "language"), strict=True):
        tab.page.goto(f"{fresh_app}/{name}", wait_until="commit")
    for tab in tabs:
        assert tab.idle().page.get_by_role("link", name="Overview", exact=True).count() == 1


@pytest.mark.parametrize(
    ("width", "scheme", "quantity"), [(1440, "dark", "FLOP/s per W"), (390, "light", "Grid carbon")]
)
def test_other_quantities_fit_and_are_accessible(walk, width, scheme, quantity):
    tab = walk(width=width, height=844, scheme=scheme).open(f"trends?trend={quantity}&rebound=50&more=Rebound")
    assert tab.problems() == [] and tab.sideways_px() <= 0
    assert tab.findings() == [] and tab.failures == []


def test_charts_stay_legible_where_the_system_turns_dark_while_the_page_is_open(walk):
    """They are drawn for a mode on the server: until the page runs again they are turned over, then drawn anew."""
    tab = walk().open("trends")
    tab.page.wait_for_selector(".js-plotly-plot .main-svg")
    turned = "() => getComputedStyle(document.querySelector('.js-plotly-plot .plot-container')).filter !== 'none'"
    assert not tab.page.evaluate(turned)
    tab.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    tab.page.wait_for_function(turned)
    tab.turn("dark")
    tab.page.wait_for_function(f"() => !({turned})()")
