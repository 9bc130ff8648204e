"""Everything that was tried: sortable numbers, and of a chosen plan its steps, its file, its script and its hash."""

import dataclasses

import reports
from streamlit.testing.v1 import AppTest

from advisor.compress import variant_file
from advisor.report import frames
from advisor.report.script import script
from advisor.types import Step
from data.home import home


def chosen_row():
    import reports

    from pages.ui import compress_files

    report = reports.report()
    compress_files._one(report, report.recommendation.tried[0])


def test_the_table_has_numbers_that_sort(open_page, seeded):
    test = open_page("compress")
    rows = next(frame.value for frame in test.dataframe if "why" in frame.value.columns)
    assert list(rows["latency_ratio"]) == sorted(rows["latency_ratio"]) and rows["latency_ratio"].dtype.kind == "f"
    assert rows["latency_ends"].str.contains("–").all() and rows["file_frac"].dtype.kind == "f"


def test_a_chosen_plan_tells_its_steps_and_gives_its_file_script_and_hash(own_home, said):
    report = reports.report()
    made = next(one for one in report.variants if one.id == report.recommendation.tried[0].variant_id)
    file = variant_file(home(), made)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a file")
    test = AppTest.from_function(chosen_row).run()
    assert not test.exception
    assert test.code[0].value == made.sha256
    told = said(test).replace("\\", "")
    assert f"{made.quality.samples} {made.quality.inputs} samples" in told


def test_every_step_of_a_chain_says_what_it_changed():
    report = reports.report()
    first, second = Step(technique="structured", title="Pruned"), Step(technique="int8_static", title="INT8")
    alone = dataclasses.replace(report.variants[0], id="alone", steps=(first,), notes=("9 channels went.",))
    chain = dataclasses.replace(report.variants[0], id="chain", steps=(first, second), notes=("5 operators.",))
    report = dataclasses.replace(report, variants=(alone, chain))
    assert frames.changes(report, "chain") == [("Pruned", ("9 channels went.",)), ("INT8", ("5 operators.",))]
    assert frames.changes(report, "unknown") == []


def test_any_variant_has_a_script_and_none_but_the_wanted_one():
    report = reports.report()
    other = next(one for one in report.variants if one.id != report.recommendation.plan.variant_id)
    text = script(report, other.id).decode()
    compile(text, "script", "exec")
    assert other.sha256 in text and other.steps[0].technique in text
    assert script(report).decode() != text and report.recommendation.plan.steps[0].technique in script(report).decode()
