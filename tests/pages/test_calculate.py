"""The calculate page and what is yours, without a browser: presets give what was published, and controls count."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from advisor import presets
from data import own
from data.settings import settings
from pages.ui import calculate_fleet, calculate_train, state
from profiler.types import Layer, Model

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(autouse=True)
def own_store():
    """A store of this test's own."""
    state.app.clear()
    yield
    state.app.clear()


def opened(name, **parameters):
    test = AppTest.from_file(APP, default_timeout=60)
    test.run()
    test.switch_page(f"pages/{name}.py")
    for key, value in parameters.items():
        test.query_params[key] = value
    return done(test.run())


def done(test):
    assert not test.exception, [error.value for error in test.exception]
    return test


def numbers(test):
    return {metric.label: metric.value for metric in test.metric}


def said(test):
    return " ".join(text.value.replace("\\", "") for text in (*test.markdown, *test.caption))


def tables(test):
    return [frame.value for frame in test.dataframe]


def test_it_opens_with_a_run_of_seven_billion_parameters():
    """6 x 7e9 x 2e12 = 8.4e22 FLOP at 0.35 x 989.5 TFLOP/s on 8 chips of 700 W, x 1.33 x 1.56."""
    test = opened("calculate")
    found = numbers(test)
    assert found["Compute"] == "8.40e22 FLOP" and found["Share of the peak"] == "35 %"
    chip_h = 8.4e22 / (0.35 * 989.5e12) / 3600
    assert found["Time on the clock"] == f"{chip_h / 8 / 24:.0f} days"
    assert found["Energy"] == f"{chip_h * 0.7 * 1.33 * 1.56 / 1000:.1f} MWh"
    assert found["CO₂e"] == "not known" and "choose a grid" in said(test)
    assert "Each trial" not in said(test)


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        # talk 3: 188,701.92 kWh and 84.7 t
        ("GPT-3 by the Carbontracker method", {"Energy": "189 MWh", "CO₂e": "84.7 t", "Share of the peak": "100 %"}),
        # Patterson et al. 2021: 1,287 MWh
        ("GPT-3 as measured", {"Energy": "1.29 GWh", "Time on the clock": "14.8 days"}),
        ("BLOOM", {"Energy": "433 MWh", "CO₂e": "24.7 t"}),
        ("PaLM", {"Energy": "3.44 GWh", "Cost": "$27.1 million", "Compute": "2.56e24 FLOP"}),
        ("ViT-H/14", {"Energy": "8.78 MWh", "Wind-turbine time": "6.15 h"}),
    ],
)
def test_a_published_training_gives_its_figures(preset, expected):
    test = opened("calculate")
    test.pills(key="t_preset").set_value(preset)
    done(test.run())
    found = numbers(test)
    assert {label: found[label] for label in expected} == expected
    assert "Published: " + (preset if not preset.startswith("GPT-3") else "GPT-3 by the Carbontracker method") in [
        header.value for header in test.header
    ]
    full = "100 % of the peak is never reached" in said(test)
    assert full == (preset == "GPT-3 by the Carbontracker method")


def test_a_preset_is_left_again_and_its_address_is_enough():
    test = opened("calculate", t_preset="BLOOM")
    assert numbers(test)["Energy"] == "433 MWh" and test.number_input(key="t_chips").value == 384
    test.pills(key="t_preset").set_value("PaLM")
    done(test.run())
    assert numbers(test)["Energy"] == "3.44 GWh" and test.number_input(key="t_chips").value == 6144
    test.pills(key="t_preset").set_value(None)
    done(test.run())
    assert numbers(test)["Compute"] == "8.40e22 FLOP" and test.number_input(key="t_chips").value == 8
    changed = opened("calculate", t_preset="BLOOM", t_grams="100")
    assert numbers(changed)["Energy"] == "433 MWh" and numbers(changed)["CO₂e"] == "43.3 t"


def test_trials_cost_whole_runs_and_say_so():
    test = opened("calculate")
    before = numbers(test)
    test.number_input(key="t_trials").set_value(10)
    done(test.run())
    assert "Each trial costs a whole run: avoid architecture and grid search, fine-tune before you train" in said(test)
    assert before["Compute"] == "8.40e22 FLOP" and numbers(test)["Compute"] == "8.40e23 FLOP"
    assert "0.0084 of it" in said(test)  # a rule looks at one run


def test_the_address_restores_the_run():
    test = opened("calculate", t_parameters="1B", t_tokens="20B", t_chips="64", t_grams="100")
    found = numbers(test)
    assert found["Compute"] == "1.20e20 FLOP" and found["CO₂e"].endswith("kg")


def test_a_typed_turbine_can_be_set_for_every_page():
    test = opened("calculate", turbine_mw="10")
    done(test.button(key="turbine_set").click().run())
    assert (settings().turbine_mw, settings().turbine_h) == (10.0, 2_500.0)
    again = opened("calculate")
    assert again.number_input(key="turbine_mw").value == 10.0 and "25.0 GWh a year" in said(again)
    assert again.button(key="turbine_set").disabled


def test_a_turbine_of_ones_own_and_what_is_typed_wrong():
    test = opened("calculate", turbine_mw="10")
    mine, reference = (numbers(page)["Wind-turbine time"].split() for page in (test, opened("calculate")))
    assert float(mine[0]) == pytest.approx(float(reference[0]) / 2, rel=0.01) and mine[1] == reference[1]
    assert "25.0 GWh a year" in said(test)
    test.text_input(key="t_parameters").set_value("many")
    done(test.run())
    assert "Parameters is not a positive number" in said(test)


def test_without_a_model_its_steps_cannot_be_counted():
    assert "There is no model here whose FLOP are known" in said(opened("calculate", t_known="Steps of my model"))


def test_the_steps_and_the_physics_of_my_model():
    layer = Layer(name="fc", op="Gemm", flop=2_000_000, weight_bytes=4_000_000, read_bytes=800, written_bytes=800)
    state.app().store.save(
        Model(
            sha256="ab" * 32, name="net.onnx", format="onnx", file_bytes=4_000_000, parameter_count=1_000_000,
            parameters_by_dtype={"float32": 1_000_000}, weight_bytes=4_000_000, layers=(layer,), flop=2_000_000,
        )
    )  # fmt: skip
    test = opened("calculate", t_known="Steps of my model")
    assert numbers(test)["Compute"] == "6.00e11 FLOP"  # 3 x 2e6 x 100,000 steps
    test = opened("calculate", calculate="Energy physics")
    assert numbers(test)["DRAM fetch over INT8 multiply"] == "18,600×"
    assert "net.onnx: one pass takes" in said(test)
    test.segmented_control(key="node_nm").set_value(45)
    done(test.run())
    found = numbers(test)
    assert (found["FP32 add over INT8"], found["FP32 multiply over INT8"]) == ("30.0×", "18.5×")
    assert (found["FP32 adder over INT8"], found["FP32 multiplier over INT8"]) == ("116×", "27.3×")
    assert found["DRAM fetch over INT8 multiply"] == "6,500×"


def test_chatgpt_a_day():
    test = opened("calculate", calculate="A fleet")
    test.pills(key="f_preset").set_value("ChatGPT a day")
    done(test.run())
    found = numbers(test)
    assert (found["Energy a day"], found["Turbines all year"]) == ("185 MWh", "5.39 turbines")
    assert found["One turbine, for a day of it"] == "5.39 days" and "0.0148 turbine-years" in said(test)
    assert any("does not follow" in set(frame.get("follows", ())) or "follows" in set(frame.get("follows", ()))
               for frame in tables(test))  # fmt: skip


def test_every_published_figure_is_there_with_its_verdict():
    test = opened("calculate", calculate="Published figures")
    assert "105 figures are recomputed" in said(test)
    for name, examples in presets.presets().items():
        test.selectbox(key="p_preset").set_value(name)
        done(test.run())
        (shown,) = tables(test)
        assert list(shown["figure"]) == [example.title for example in examples]
        assert list(shown["follows"]) == [presets.FOLLOWS[example.follows] for example in examples]


def test_an_input_of_a_figure_can_be_changed():
    test = opened("calculate", calculate="Published figures", p_preset="BLOOM")
    assert numbers(test)["What follows"] == "433.2 MWh"
    test.number_input(key="p-bloom.energy-hours").set_value(2 * 1_082_990.0)
    done(test.run())
    assert numbers(test)["What follows"] == "866.4 MWh"


def test_every_preset_names_widgets_that_are_there():
    test = opened("calculate")
    for preset, values in {**calculate_train.PRESETS, **calculate_fleet.PRESETS}.items():
        fleet = preset in calculate_fleet.PRESETS
        test.segmented_control(key="calculate").set_value("A fleet" if fleet else "Train it yourself")
        done(test.run())
        test.pills(key="f_preset" if fleet else "t_preset").set_value(preset)
        done(test.run())
        for key, value in values.items():
            kinds = (test.number_input, test.text_input, test.selectbox, test.segmented_control)
            (found,) = (widget for kind in kinds for widget in kind if widget.key == key)
            assert found.value == value, (preset, key)


def test_what_is_yours_is_added_used_and_forgotten():
    test = opened("about", part="Yours")
    test.text_input(key="own_device_name").set_value("My card")
    test.number_input(key="own_device_w").set_value(300.0)
    test.number_input(key="own_device_fp16").set_value(100.0)
    test.button(key="own_device_add").click()
    done(test.run())
    test.selectbox(key="own_zone_id").set_value("DE")
    test.number_input(key="own_zone_g").set_value(12.0)
    test.button(key="own_zone_add").click()
    done(test.run())
    (rows,) = tables(test)
    assert list(zip(rows["what"], rows["name"], strict=True)) == [("zone", "DE"), ("device", "own-my-card")]
    calculate = opened("calculate", t_chip="own-my-card")
    assert "My card (yours)" in calculate.selectbox(key="t_chip").options
    assert any("Germany · 12 g/kWh (yours)" in option for option in calculate.selectbox(key="t_zone").options)
    calculate.selectbox(key="t_zone").set_value("DE")
    done(calculate.run())
    assert numbers(calculate)["CO₂e"] != "not known"
    test.selectbox(key="own_remove").set_value("device/own-my-card")
    test.button(key="own_forget").click()
    done(test.run())
    assert [one.device_id for one in own.devices(state.app().store) if one.yours] == []


def test_a_price_of_ones_own_and_one_that_is_not_whole():
    test = opened("about", part="Yours")
    test.button(key="own_price_add").click()
    done(test.run())
    assert "An instance, a region and a price are needed" in said(test)
    test.selectbox(key="own_price_instance").set_value("p5.48xlarge")
    test.selectbox(key="own_price_region").set_value("us-east-1")
    test.number_input(key="own_price_usd").set_value(24.0)
    test.button(key="own_price_add").click()
    done(test.run())
    (price,) = own.yours(state.app().store).prices
    assert (price.usd_per_h, price.yours) == (24.0, True)


def test_claims_stand_with_their_corrections_and_rules_with_their_status():
    test = opened("about", part="Claims")
    claimed = next(frame for frame in tables(test) if "standing" in frame)
    nas = claimed[claimed["figure"] == "626,155 lb CO₂e"].iloc[0]
    assert nas["standing"] == "corrected" and "88x" in nas["correction"]
    for flop, over in (("9e24", (False, False)), ("5e25", (True, False)), ("2e26", (True, True))):
        test.text_input(key="rule_flop").set_value(flop)
        done(test.run())
        told = said(test)
        assert (("Over 1e25" in told), ("Over 1e26" in told)) == over
    assert "in force" in told and "revoked, 2025-01-20" in told
    assert "Marginal" in " ".join(str(cell) for table in test.table for cell in table.value.to_numpy().ravel())
