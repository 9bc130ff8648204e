"""The trends page without a browser: every control has an effect, and what is said is what was computed."""

import hashlib
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from advisor.trends.metrics import METRICS
from advisor.trends.projection import SCENARIOS
from pages.ui import state, trends_controls
from profiler.types import Model

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def page():
    """page(my_flop="1e23"): the trends page as an address with these parameters opens it."""

    def opened(**parameters):
        test = AppTest.from_file(APP, default_timeout=60)
        test.run()
        test.switch_page("pages/trends.py")
        for key, value in parameters.items():
            test.query_params[key] = value
        return done(test.run())

    return opened


def done(test):
    assert not test.exception, [error.value for error in test.exception]
    return test


def numbers(test):
    return {metric.label: metric.value for metric in test.metric}


def captions(test):
    """All captions, without what keeps an interval on one line."""
    return " ".join(caption.value for caption in test.caption).replace("\u2060", "").replace("\u00a0", " ")


def tables(test):
    """The cells of all small tables, without the backslashes that keep names from being markdown."""
    return [cell.replace("\\", "") for table in test.table for cell in table.value.to_numpy().ravel()]


def figure(test, key="trend_chart"):
    chart = next(element for element in test.get("plotly_chart") if key in element.proto.id)
    return json.loads(chart.proto.spec)


def points(test):
    return sum(len(trace["x"]["bdata"] if isinstance(trace["x"], dict) else trace["x"]) for trace in dots(test))


def dots(test):
    return [trace for trace in figure(test)["data"] if trace.get("meta") == "dots"]


def test_it_opens_with_the_numbers_of_the_reference(page):
    test = page()
    assert numbers(test)["Doubling time"] == "5.7 months" and "5.4–6.0" in captions(test)
    assert "476 of 886 rows shown" in captions(test) and "348 no estimate of training compute" in captions(test)
    assert "Epoch AI" in captions(test) and "CC-BY-4.0" in captions(test)
    assert points(test) == 476
    assert any(":green-badge" in caption.value and "reproduces" in caption.value for caption in test.caption)


@pytest.mark.parametrize("quantity", trends_controls.TABS)
def test_every_quantity_opens(page, quantity):
    test = page(trend=trends_controls.TABS[quantity])
    assert test.segmented_control(key="trend").value == quantity
    if quantity in METRICS:
        assert figure(test)["layout"]["yaxis"]["title"]["text"] == METRICS[quantity].axis.replace("kWh", "MWh")
    else:
        assert len(figure(test, "grid_chart")["data"]) == 7


def test_it_opens_with_one_chart_and_no_table(page):
    """What is not looked at yet is not built: a second chart is a seventh of the browser's work to open the page."""
    test = page()
    assert len(test.get("plotly_chart")) == 1 and not test.dataframe
    assert len(page(more="The coming years").get("plotly_chart")) == 2


def test_rows_and_filters_change_the_points_and_the_account(page):
    test = page()
    test.selectbox(key="among").set_value("frontier")
    test.slider(key="years").set_value((2018, 2027))
    done(test.run())
    assert points(test) == 77 and numbers(test)["Doubling time"] == "5.4 months" and "4.9–5.9" in captions(test)
    assert numbers(test)["Published"] == "5.8 months"
    test.multiselect(key="country").set_value(["China"])
    done(test.run())
    assert 0 < points(test) < 77 and "another country" in captions(test)


def test_filters_that_leave_nothing_say_so(page):
    test = page()
    test.text_input(key="text").set_value("no such model")
    done(test.run())
    assert any("No row passes these filters" in text.value for text in test.markdown)
    assert "without 'no such model'" in captions(test)


@pytest.mark.parametrize(("method", "words"), [("theil-sen", "Theil-Sen"), ("quantile", "Frontier quantile (90 %)")])
def test_the_method_of_the_line_is_named(page, method, words):
    test = page()
    before = numbers(test)
    test.segmented_control(key="line").set_value(method)
    done(test.run())
    assert numbers(test) != before
    assert words in tables(test)


def test_eras_split_the_line(page):
    test = page()
    test.segmented_control(key="eras").set_value("two")
    done(test.run())
    names = [trace["name"] for trace in figure(test)["data"] if trace.get("name", "").startswith("20")]
    assert len(names) == 2 and all("doubles every" in name for name in names)
    test.slider(key="break").set_value(2015.0)
    done(test.run())
    assert any(trace.get("name", "").startswith("2010 to 2015:") for trace in figure(test)["data"])


def test_the_preset_of_the_paper_gives_its_eras_and_ties(page):
    test = page()
    test.pills(key="preset").set_value("Three eras, as published in 2022")
    done(test.run())
    assert points(test) == 118  # 123 without the five low outliers
    assert sum(trace.get("name", "").find("doubles every") > 0 for trace in figure(test)["data"]) == 3
    assert any("older than two years" in caption.value for caption in test.caption)
    test.pills(key="preset").set_value("2022 values against 2026")
    done(test.run())
    ties = next(trace for trace in figure(test)["data"] if trace.get("name") == "Value of 2022 to value of 2026")
    assert len(ties["x"]) == 3 * 36  # 36 systems moved by more than a factor of two


def test_my_model_is_placed_by_its_numbers(page):
    test = page(my_name="Small", my_parameters="7B", my_tokens="2T")
    star = next(trace for trace in figure(test)["data"] if trace.get("name") == "Small")
    assert star["y"] == [pytest.approx(8.4e22)] and star["marker"]["symbol"] == "star"
    told = " ".join(text.value for text in test.markdown)
    assert "8.40e22 FLOP" in told and "among the ten largest until December 2021" in told
    assert "Under 1e25 FLOP" in captions(test).replace("\\", "")


def test_thresholds_are_drawn_with_their_status(page):
    test = page()
    texts = {note["text"] for note in figure(test)["layout"]["annotations"]}
    assert texts == {"1e25 FLOP · EU · in force", "1e26 FLOP · US · revoked 2025-01-20"}
    test.toggle(key="rules").set_value(False)
    done(test.run())
    assert "annotations" not in figure(test)["layout"]


def test_what_is_typed_wrong_is_said_in_one_line(page):
    test = page(my_parameters="many")
    assert any("Parameters is not a positive number" in text.value.replace("\\", "") for text in test.markdown)


@pytest.mark.parametrize("scenario", ["fit", "power-limited", "flat"])
def test_a_scenario_changes_the_text_of_the_horizon(page, scenario):
    test = page(more="The coming years")
    test.segmented_control(key="scenario").set_value(scenario)
    done(test.run())
    told = next(text.value for text in test.markdown if "In 5 years" in text.value)
    assert told.startswith(f"- {SCENARIOS[scenario]}")


def test_the_class_of_my_size_is_projected(page):
    test = page(my_parameters="7B", my_tokens="2T", more="The coming years")
    test.segmented_control(key="class").set_value("size")
    done(test.run())
    assert any("Yours again then" in text.value for text in test.markdown)


def test_published_figures_and_contradicting_claims(page):
    test = page(more="Against what was published")
    assert any("53 fits recomputed" in text.value for text in test.markdown)
    assert "7.2 months" in captions(test)


def test_budget_and_rebound(page):
    test = page(more="Hardware and budget")
    assert any("1.37× a year: **fits in 2.2 years (1.7 to 2.7)**" in text.value for text in test.markdown)
    test = page(more="Rebound")
    assert numbers(test)["Energy after the gain"] == "50.0 MWh" and "off: the engineering saving" in captions(test)
    test.slider(key="rebound").set_value(150)
    done(test.run())
    assert numbers(test)["Energy after the gain"] == "125 MWh" and "backfire" in captions(test)


@pytest.mark.parametrize("unit", ["MWh, as reported", "turbine-years", "t CO2e"])
def test_energy_in_other_units(page, unit):
    test = page(trend="Energy")
    test.selectbox(key="unit").set_value(unit)
    done(test.run())
    title = figure(test)["layout"]["yaxis"]["title"]["text"]
    assert {"MWh, as reported": "as reported", "turbine-years": "wind turbine", "t CO2e": "g/kWh"}[unit] in title


def test_one_system_can_be_chosen(page):
    test = page()
    test.selectbox(key="trend_system").set_value("GPT-3 175B (davinci)")
    done(test.run())
    assert {"3.14e23 FLOP", "1.29 GWh", "175 billion", "OpenAI"} <= set(tables(test))


def test_countries_of_the_grid_can_be_chosen(page):
    test = page(trend="Grid carbon")
    test.multiselect(key="zones").set_value(["Norway"])
    done(test.run())
    assert [trace["name"] for trace in figure(test, "grid_chart")["data"]] == ["Norway"]
    test.multiselect(key="zones").set_value([])
    done(test.run())
    assert any("No country chosen" in text.value for text in test.markdown)


@pytest.fixture
def kept_model():
    """kept_model("net.onnx", 25_557_032): a model in the store of this test, as its hash."""
    state.app.clear()

    def kept(name, parameter_count):
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        state.app().store.save(
            Model(
                sha256=sha256,
                name=name,
                format="onnx",
                file_bytes=4 * parameter_count,
                parameter_count=parameter_count,
                parameters_by_dtype={"float32": parameter_count},
                weight_bytes=4 * parameter_count,
            )
        )
        return sha256

    yield kept
    state.app.clear()


def test_a_model_of_the_app_brings_its_name_and_parameters(page, kept_model):
    first, second = kept_model("resnet50.onnx", 25_557_032), kept_model("tiny.onnx", 1_000)
    for sha256, name, count in ((first, "resnet50.onnx", 25_557_032), (second, "tiny.onnx", 1_000)):
        test = page(trend="Parameters", model=sha256)
        star = next(trace for trace in figure(test)["data"] if trace.get("marker", {}).get("symbol") == "star")
        assert (star["name"], star["y"]) == (name, [count])
    test = page(model=first, my_tokens="90m")
    star = next(trace for trace in figure(test)["data"] if trace.get("marker", {}).get("symbol") == "star")
    assert star["y"] == [pytest.approx(6 * 25_557_032 * 90e6)]


def test_what_accelerators_ran_is_a_claim_with_its_table_and_its_source(page):
    test = page(more="What accelerators run")
    drawn_names = [trace["name"] for trace in figure(test, "workloads_chart")["data"]]
    assert drawn_names == ["MLP or DLRM", "RNN", "CNN", "Transformer", "not named"]
    assert "arXiv:2304.01433" in captions(test) and "compare like with like" in captions(test)
    assert any("claimed" in caption.value for caption in test.caption)
    assert any("not for one kind of model alone" in text.value for text in test.markdown)
    assert not test.dataframe  # the table of a chart is built, and sent to the browser, when it is opened
    test.session_state["workloads_chart_table"] = True
    done(test.run())
    (table,) = [frame.value for frame in test.dataframe]
    assert list(table["Transformer"]) == ["–", "21 %", "28 %", "57 %"]
