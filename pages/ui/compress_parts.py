"""What the compress page is made of: data, budget, the answer, what it gains, everything that was tried."""

from dataclasses import asdict

import streamlit as st

from advisor.figures.report import figure
from advisor.plan import plan
from advisor.recommend import title
from advisor.report import contents
from advisor.report import frames as report_frames
from advisor.retold import retell
from advisor.types import Budget, Plan, Recommendation, Report
from data import units, words
from data.estimate import Estimate
from pages.ui import cards, compress_files, formats, pickers, state, style, work
from profiler.intake import data_file, training_file
from profiler.kept_data import take_data, take_training
from profiler.types import Model

SLOT, DATA_SLOT = "planning", "data"
REASONS_SHOWN = 6
USES = ("to judge by", "to train on", "half for each")
_, TO_TRAIN, TO_BOTH = USES
USES_HELP = (
    "Quality is measured on samples to judge by. Structured pruning trains on the others: without them it only cuts. "
    "No sample may be in both."
)
ONWARD = (("pages/place.py", "Where to run it"), ("pages/report.py", "Sizing report"))
VERDICTS = {
    "compress": ("Recommended plan", ":material/check_circle:"),
    "keep the original": ("Keep the original", ":material/verified:"),
    "nothing meets the budget": ("Nothing meets the budget", ":material/block:"),
}


def setup(model: Model, report: Report | None) -> None:
    """The budget that starts the search (as it was for the report that is shown), and model, call and data."""
    sent = pickers.budget(f"budget-{formats.short(model.sha256)}", report.budget if report else None)
    with st.expander("Model, call and data", icon=":material/tune:", expanded=False):
        left, right = st.columns(2, gap="medium")
        with left:
            pickers.model()
            call = pickers.call(model, f"plan-{formats.short(model.sha256)}")
        with right:
            _data(model)
    if sent is not None and report is not None and not sent.search:
        _tell(model, report, sent.budget)
    elif sent is not None:
        _start(model, sent.budget, call)


def finished(model: Model) -> None:
    """The card of a running search; once it is done, its report is the one that is shown."""
    result = work.take_result(SLOT)
    if result:
        state.choose_report(str(result["report"]), model.sha256)
        st.rerun()


def _start(model: Model, budget: Budget, call: dict[str, object]) -> None:
    data = data_file(state.app().home, model.sha256)
    arguments = {"sha256": model.sha256, "budget": asdict(budget), "data": str(data) if data.exists() else None, **call}
    state.submit(plan, arguments, title=f"Compressing {model.name}", lane="device", slot=SLOT)
    st.rerun()


def _tell(model: Model, report: Report, budget: Budget) -> None:
    """The report that is shown for another zone and traffic: no search."""
    arguments = {"report": report.id, "zone": budget.zone, "requests_per_day": budget.requests_per_day}
    state.submit(retell, arguments, title=f"Telling {model.name} for its zone", lane="quick", slot=SLOT)
    st.rerun()


def _data(model: Model) -> None:
    """Labelled inputs of the model: there, or to be given."""
    taken = work.take_result(DATA_SLOT)
    if taken:
        st.success(f"{taken['samples']} samples{', labelled' if taken['labels'] else ''}.", icon=":material/check:")
    if data_file(state.app().home, model.sha256).exists():
        st.markdown(":material/dataset: **Test data is there:** quality is measured on it.")
    else:
        st.markdown(":material/casino: **No data:** quality is compared on random inputs, which prove little.")
    names = ", ".join(formats.name(tensor.name, 40) for tensor in model.inputs)
    if training_file(state.app().home, model.sha256).exists():
        st.markdown(":material/model_training: **Training data is there:** techniques train and calibrate on it.")
    turn = st.session_state.setdefault("data_turn", 0)
    use = st.radio("Use it", list(USES), horizontal=True, key=f"data-use-{turn}", help=USES_HELP)
    upload = st.file_uploader(
        "Data (.npz)",
        type=["npz", "npy"],
        key=f"data-{turn}",
        help=f"Arrays named like the inputs ({names}), and 'labels' where accuracy is to be told.",
    )
    if upload:
        st.session_state["data_turn"] = turn + 1
        path = state.received([upload])
        arguments = {"sha256": model.sha256, "path": str(path), "move": True}
        if use == TO_TRAIN:
            state.submit(take_training, arguments, title="Checking the data", lane="quick", slot=DATA_SLOT)
        else:
            arguments["split"] = use == TO_BOTH
            state.submit(take_data, arguments, title="Checking the data", lane="quick", slot=DATA_SLOT)
        st.rerun()


def answer(report: Report) -> None:
    """The verdict with its reasons, and the file to take."""
    found = report.recommendation
    words_of, icon = VERDICTS[found.verdict]
    with cards.hero(f"answer-{found.verdict.split()[0]}", words_of, _headline(report), icon=icon):
        reasons = "\n".join(f"- {formats.name(reason, 240)}" for reason in found.reasons[:REASONS_SHOWN])
        if found.plan is None:
            st.markdown(reasons)
        else:
            left, right = st.columns([3, 1], vertical_alignment="bottom", gap="medium")
            left.markdown(reasons)
            left.caption("  \n".join(formats.name(text, 300) for text in _beside(found, found.plan)))
            with right:
                compress_files.download(report, found.plan, primary=True)
        cards.onward(*ONWARD)
    cards.warning("answer", *(formats.name(text, 240) for text in found.warnings))


def _beside(found: Recommendation, plan_: Plan) -> list[str]:
    """What stands beside the recommended plan: the next best, what kept a larger gain away, when it pays back."""
    said = [f"Runner-up: {found.runner_up_margin}"]
    if found.binding_constraint != "objective":
        said.append(f"What binds: {found.binding_constraint}")
    if plan_.payback_calls is not None:
        said.append(f"The energy spent on making it is back after {words.count(round(plan_.payback_calls))} calls.")
    return said


def _headline(report: Report) -> str:
    found = report.recommendation
    return formats.name(title(found.plan) if found.plan else contents.answer(found), 200)


def gains(report: Report) -> None:
    """Before and after: latency, energy, carbon, turbine time, file."""
    plan_, before, after = report.recommendation.plan, report.footprint_before, report.footprint_after
    own = report_frames.original_latency(report)
    latency = None if plan_ is None or plan_.latency_ratio is None or own is None else plan_.latency_ratio * own
    size = None if plan_ is None else plan_.file_bytes
    percentile = f"Latency, p{report.budget.percentile:g}"
    cards.metrics(
        "gain",
        [
            _gain(percentile, own, latency, plan_.latency_ratio if plan_ else None, words.LATENCY, 1e-3),
            _foot("Energy per call", before.energy_j_per_call, after.energy_j_per_call, words.JOULES, 1.0),
            _carbon(report),
            _foot(
                "Turbine time, a year of calls",
                before.turbine_years,
                after.turbine_years,
                words.TURBINE,
                units.S_PER_YEAR,
            ),
            cards.Metric(
                label="File",
                value=words.size(size or report.model.file_bytes),
                basis="measured",
                delta=words.change(plan_.size_ratio) if plan_ and plan_.size_ratio else None,
                against=f"from {words.size(report.model.file_bytes)}" if plan_ else "",
            ),
        ],
        columns=5,
    )


def _carbon(report: Report) -> cards.Metric:
    before, after = report.footprint_before.g_co2e_per_year, report.footprint_after.g_co2e_per_year
    if report.budget.zone is None:
        return cards.Metric(label="CO₂e, a year of calls", value=words.NOT_KNOWN, note="Choose a grid zone above.")
    return _foot("CO₂e, a year of calls", before, after, words.GRAMS, 1.0)


def _gain(
    label: str, own: Estimate | None, now: Estimate | None, ratio: Estimate | None, ladder: words.Ladder, factor: float
) -> cards.Metric:
    if now is None or ratio is None:
        return cards.estimate(label, own, ladder, factor)
    against = f"from {words.scaled(own.mid * factor, ladder)}" if own else ""
    return cards.estimate(label, now, ladder, factor, delta=words.change(ratio.mid), against=against)


def _foot(
    label: str, before: Estimate | None, after: Estimate | None, ladder: words.Ladder, factor: float
) -> cards.Metric:
    if before is None or after is None:
        return cards.estimate(label, after, ladder, factor)
    if after == before or before.mid <= 0:
        return cards.estimate(label, after, ladder, factor)
    against = f"from {words.scaled(before.mid * factor, ladder)}"
    return cards.estimate(label, after, ladder, factor, delta=words.change(after.mid / before.mid), against=against)


ROWS = {
    "pareto": report_frames.candidates,
    "before_after": report_frames.before_after,
    "latency_ecdf": report_frames.latency_percentiles,
}


def chart(report: Report, name: str) -> None:
    """A chart of the report, with its rows."""
    drawn = figure(report, name, style.mode())
    if drawn is not None:
        cards.chart(drawn[0], key=f"report_{name}", alt=drawn[1], table=ROWS[name](report))


def not_tried(report: Report) -> None:
    """What the time or the model left out."""
    if report.recommendation.not_tried:
        with st.expander(f"Not tried ({len(report.recommendation.not_tried)})", type="compact"):
            for text in report.recommendation.not_tried:
                st.caption(formats.name(text, 240))
