"""Every page by AppTest: what it says when there is nothing, and that its numbers are the report's."""

import time

import pytest
import reports

from advisor import model_frames
from advisor.types import Report
from data import units, words
from pages.ui import state
from pages.ui.formats import name

PAGES = ("overview", "profile", "compress", "place", "report", "history", "about")


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_home_says_what_to_do(open_page, said, page):
    test = open_page(page)
    told = said(test)
    assert len(test.title) == 1
    todo = {
        "overview": "Measure your model",
        "profile": "Nothing at hand?",
        "compress": "No model yet",
        "place": "No model yet",
        "report": "No report yet",
        "history": "Nothing measured yet",
        "about": "Every model is read and run in a locked child process",
    }
    assert todo[page] in told


@pytest.mark.parametrize("page", PAGES)
def test_a_name_from_a_file_is_never_markup(open_page, said, seeded, page):
    told = said(open_page(page))
    assert "<script>" not in told
    if page in ("profile", "compress"):
        assert name(reports.HOSTILE)[:20] in told or "layers" in told.lower()


def test_compress_shows_the_numbers_of_the_report(open_page, seeded):
    test = open_page("compress")
    shown = {metric.label: metric for metric in test.metric}
    after, before = seeded.footprint_after, seeded.footprint_before
    assert shown["Energy per call"].value == words.energy(after.energy_j_per_call.mid) == "32.0 mJ"
    assert shown["Energy per call"].delta == "-60 %"  # 4 ms x 8 W against 10 ms x 8 W
    assert shown["CO₂e, a year of calls"].value == words.carbon(after.g_co2e_per_year.mid)
    assert shown["Turbine time, a year of calls"].value == words.turbine(after.turbine_years.mid)
    ratio = seeded.recommendation.plan.latency_ratio.mid
    assert shown["Latency, p95"].value == words.latency(model_frames.tail(seeded.baseline).mid * ratio)
    assert shown["File"].value == words.size(100_000)
    assert before.kwh_per_year.mid == pytest.approx(0.08 * 1e6 * 365 / units.J_PER_KWH)


def test_every_number_has_a_basis(open_page, seeded):
    for page in ("profile", "compress"):
        test = open_page(page)
        marks = [caption.value for caption in test.caption]
        for metric in test.metric:
            assert any(word in mark for mark in marks for word in ("measured", "modelled")), metric.label


def test_profile_shows_the_newest_run_of_the_original(open_page, seeded):
    shown = {metric.label: metric.value for metric in open_page("profile").metric}
    assert shown["Latency, median"] == words.latency(model_frames.median(seeded.baseline).mid)
    assert shown["Peak memory"] == "1.00 MiB"
    assert shown["Energy per call"] == "80.0 mJ"


def test_overview_sums_up_what_the_plans_save(open_page, seeded):
    shown = {metric.label: metric for metric in open_page().metric}
    assert shown["Models"].value == "1"
    assert shown["Energy a year"].value == words.energy_kwh(seeded.footprint_after.kwh_per_year.mid)
    assert shown["Energy a year"].delta == "-60 %"


def test_report_offers_every_format_or_says_why_not(open_page, seeded):
    from advisor.exporters import exporters

    test = open_page("report")
    buttons = {button.key: button for button in test.download_button}
    for found in exporters().values():
        assert buttons[f"export-{found.NAME}"].disabled == (found.missing() is not None)


def test_a_path_without_a_file_is_one_card_with_a_hint(open_page, said):
    test = open_page()
    test.text_input[0].input("/nowhere/model.onnx")
    test.button[[button.label for button in test.button].index("Open")].click().run()
    for _ in range(100):
        if "There is no file" in said(test):
            break
        time.sleep(0.1)
        test.run()
    told = said(test)
    assert "There is no file at this path" in told.replace("\\", "")
    assert "Check the path" in told and "Traceback" not in told and "/nowhere" not in told


def test_the_budget_form_starts_a_search_that_ends_in_one_line(open_page, said, seeded):
    """The kept model has no file here: the job says so, on the page that started it."""
    test = open_page("compress")
    test.button[[button.label for button in test.button].index("Compress")].click().run()
    for _ in range(100):
        if "not kept here" in said(test):
            break
        time.sleep(0.1)
        test.run()
    assert "This model is not kept here any more" in said(test).replace("\\", "")
    assert test.number_input(key=f"budget-{reports.MODEL.sha256[:12]}-latency").value == seeded.budget.latency_ms


def test_a_report_that_goes_out_as_json_comes_back(open_page, seeded, own_home):
    from advisor.exporters.json import EXPORTER, read

    assert read(EXPORTER.render(seeded)) == seeded


def test_questions_to_the_store_are_answered_and_only_selects(open_page, said, seeded):
    test = open_page("history")
    test.text_area[0].input('SELECT name FROM "Model"')
    test.button[[button.label for button in test.button].index("Ask")].click().run()
    assert list(test.dataframe[-1].value["name"])
    test.text_area[0].input('DROP TABLE "Model"')
    test.button[[button.label for button in test.button].index("Ask")].click().run()
    assert "Only one SELECT can be run here" in said(test).replace("\\", "")


def test_deleting_a_model_empties_every_page(open_page, said, seeded):
    test = open_page("history")
    test.checkbox[0].check().run()
    test.button[[button.label for button in test.button].index("Delete")].click().run()
    assert "Nothing measured yet" in said(test)
    assert "No model yet" in said(test.switch_page("pages/compress.py").run())


def test_another_zone_is_told_without_a_search(open_page, seeded):
    """Only what depends on it is reckoned again: the answer stays, its carbon is that of Sweden."""
    test = open_page("compress")
    form = f"budget-{reports.MODEL.sha256[:12]}"
    test.selectbox(key=f"{form}-zone").select("SE")
    test.button[[button.label for button in test.button].index("Zone and traffic only")].click().run()
    for _ in range(200):
        if len(kept := state.app().store.all(Report)) == 2:
            break
        time.sleep(0.1)
        test.run()
    test.run()
    assert kept[1].budget.zone == "SE" and kept[1].measurements == seeded.measurements
    assert test.query_params["report"] in (kept[1].id, [kept[1].id])
    sweden = words.carbon(kept[1].footprint_after.g_co2e_per_year.mid)
    assert sweden in [metric.value for metric in test.metric]


def test_two_runs_side_by_side_say_which_is_which(open_page, said, seeded):
    test = open_page("history")
    one, other = seeded.measurements[:2]
    test.query_params["runs"] = f"{one.id},{other.id}"
    test.run()
    told = said(test).replace("\\", "")
    assert "INT8" in told and "** against **" in told
    assert "· ·" not in told, "a part that is missing leaves no mark"
