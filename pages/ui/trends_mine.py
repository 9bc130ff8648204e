"""My model on the trends page: its fields, and where it stands among the others."""

import streamlit as st

from advisor import training
from advisor.trends import regulation, standing
from advisor.trends.amounts import amount
from advisor.trends.metrics import Metric
from advisor.trends.standing import MyModel, Standing
from advisor.trends.view import View
from data import words
from pages.ui import cards, formats, state
from pages.ui.trends_controls import URL

DOMAINS = ("Language", "Vision", "Multimodal", "Image generation", "Speech", "Video", "Biology", "Games", "Robotics")


def asked() -> MyModel | None:
    """The fields of "Your model"; None while they are empty. A model of the app brings its name and parameters."""
    known = state.model()
    with st.popover("Your model", icon=":material/star:"):
        st.caption("Type what you know. Training compute is 6 × parameters × tokens unless you type it.")
        name = st.text_input("Name", known.name if known else "My model", key="my_name", max_chars=40, **URL)
        told = f"{known.parameter_count:,}" if known and known.parameter_count else ""
        parameters = st.text_input("Parameters", told, key="my_parameters", placeholder="7B", **URL)
        tokens = st.text_input("Training tokens or samples", key="my_tokens", placeholder="2T", **URL)
        flop = st.text_input("Training compute (FLOP)", key="my_flop", placeholder="8.4e22", **URL)
        cost = st.text_input("Training cost (US$)", key="my_cost", placeholder="100k", **URL)
        domain = st.selectbox("Domain", DOMAINS, index=None, key="my_domain", placeholder="Not said", **URL)
    sizes = (amount(parameters, "Parameters"), amount(tokens, "Training tokens"), amount(flop, "Training compute"))
    return _model(name, *sizes, amount(cost, "Training cost"), domain)


def _model(
    name: str,
    parameters: float | None,
    tokens: float | None,
    flop: float | None,
    cost: float | None,
    domain: str | None,
) -> MyModel | None:
    if flop is None and parameters and tokens:
        flop = training.training_flop(parameters, tokens)
    if not any((parameters, tokens, flop, cost)):
        return None
    return MyModel(
        name=name.strip() or "My model",
        training_flop=flop,
        parameter_count=parameters,
        training_sample_count=tokens,
        training_usd=cost,
        domain=domain,
    )


def place(mine: MyModel | None, shown: View) -> None:
    """Where my model stands in what is shown."""
    metric = shown.metric
    with cards.card("trend-mine", "Your model", "Among notable models, whatever is filtered above."):
        if mine is None:
            cards.nothing_yet(
                "mine", "No model placed", todo="Type its size under Your model, above.", icon=":material/star:"
            )
            return
        line = shown.last.line if shown.last else None
        found = None if metric.sets == ("hardware",) else standing.standing(mine, metric.column, line)
        if found is None:
            todo = f"Type under Your model, above, what its {metric.title.lower()} follows from."
            cards.nothing_yet("standing", "Not on this chart", todo=todo, icon=":material/star:")
        else:
            _placed(mine, metric, found)
        if mine.training_flop is not None and metric.key == "compute":
            for verdict in regulation.verdicts(mine.training_flop):
                icon = ":material/gavel:" if verdict.over and verdict.binding else ":material/check:"
                st.caption(f"{icon} {formats.name(verdict.text, 200)}")


def _placed(mine: MyModel, metric: Metric, found: Standing) -> None:
    value = (mine.value(metric.column) or 0.0) * metric.factor
    st.markdown(f"**{formats.name(mine.name)}**: {metric.say(value)} {cards.basis(mine.basis)}")
    told = {f"{part.among} ({part.n})": f"larger than {words.percent(part.frac)}" for part in found.percentiles}
    cards.facts(told)
    st.markdown(f"- {standing.frontier_text(found)}\n- {standing.behind_text(found)}")
