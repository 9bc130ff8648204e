"""What the user chooses: a model, how it is called, a budget, a place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from advisor.site import usual_budget
from advisor.types import OBJECTIVES, Budget
from data import own, tables, words
from data.console import shape
from data.tables import Zone
from data.text import plain
from pages.ui import formats, state
from profiler.inputs import is_batch
from profiler.machine import machine
from profiler.types import Model, Tensor

WORDS = {"energy": "Least energy", "latency": "Least latency", "size": "Smallest file", "cost": "Least machine time"}


def current() -> Model | None:
    """The model this browser looks at; None where there is none yet."""
    return state.model()


def model() -> Model | None:
    """The same, to be changed here."""
    rows = state.ask("models")
    chosen = state.model()
    if chosen is None:
        return None
    hashes = list(rows["sha256"])
    names = {sha256: _title(row) for sha256, row in zip(hashes, rows.to_dict("records"), strict=True)}
    picked = st.selectbox(
        "Model",
        hashes,
        index=hashes.index(chosen.sha256),
        format_func=lambda sha256: names[sha256],
        key=f"model-picker-{chosen.sha256[:12]}",
    )
    if picked != chosen.sha256:
        state.choose_model(picked)
        st.rerun()
    return chosen


def switch() -> None:
    """The same on a page that has one model to show; nothing where there is no other."""
    if len(state.ask("models")) > 1:
        with st.container(width=420):
            model()


def _title(row: Mapping[str, object]) -> str:
    return f"{plain(row['name'], 40)} · {row['format']} · {words.size(float(str(row['file_bytes'])))}"


def call(chosen: Model, key: str) -> dict[str, object]:
    """How one call looks: batch, threads and the lengths of dynamic axes; arguments of the procedures."""
    left, right = st.columns(2)
    batch = left.number_input("Batch", min_value=1, max_value=4096, value=1, step=1, key=f"{key}-batch")
    cores = machine().physical_cores
    threads = right.number_input(
        "Threads", min_value=1, max_value=max(1, machine().logical_cores), value=cores, step=1, key=f"{key}-threads"
    )
    return {"batch_size": int(batch), "threads": int(threads), "shapes": shapes(chosen, key)}


def shapes(chosen: Model, key: str) -> dict[str, list[int]]:
    """One length for each named dynamic axis but the batch; every input's shape with them filled in. A TorchScript
    file does not keep its inputs' shapes: there they are typed. Raises InputError on what is no shape."""
    if chosen.format == "torchscript":
        return _typed(chosen, key)
    lengths: dict[str, int] = {}
    for axis, usual in _open_axes(chosen).items():
        lengths[axis] = int(
            st.number_input(
                f"Length of {formats.name(axis, 30)}", min_value=1, value=usual, step=1, key=f"{key}-axis-{axis}"
            )
        )
    if not lengths:
        return {}
    return {tensor.name: _filled(tensor, lengths, chosen) for tensor in chosen.inputs}


def _typed(chosen: Model, key: str) -> dict[str, list[int]]:
    """Every input's shape as the user writes it; those left empty or open are not given."""
    found = {}
    for tensor in chosen.inputs:
        axes = chosen.shapes.get(tensor.name) or tensor.shape
        usual = "x".join("1" if is_batch(axis, place) else str(axis) for place, axis in enumerate(axes))
        label = f"Shape of {formats.name(tensor.name, 30)}"
        written = st.text_input(
            label, value=usual, placeholder="1x3x224x224", key=f"{key}-shape-{tensor.name}", help=TYPED_HELP
        )
        if written and all(part.strip().isdigit() for part in written.lower().split("x")):
            found[tensor.name] = list(shape(f"{tensor.name}={written.replace(' ', '')}")[1])
    return found


def _open_axes(chosen: Model) -> dict[str, int]:
    found: dict[str, int] = {}
    for tensor in chosen.inputs:
        filled = chosen.shapes.get(tensor.name, ())
        for place, axis in enumerate(tensor.shape):
            if isinstance(axis, str) and "+" not in axis and not is_batch(axis, place):
                found.setdefault(axis, filled[place] if place < len(filled) else 128)
    return found


def _filled(tensor: Tensor, lengths: Mapping[str, int], chosen: Model) -> list[int]:
    known = chosen.shapes.get(tensor.name, ())
    usual = [known[place] if place < len(known) else 1 for place in range(len(tensor.shape))]
    return [
        lengths.get(axis, usual[place]) if isinstance(axis, str) else (axis or usual[place])
        for place, axis in enumerate(tensor.shape)
    ]


def zone(label: str = "Grid zone", key: str = "zone", usual: str | None = None, own_too: bool = False) -> str | None:
    """A grid zone by name and intensity, or none; countries come first. `own_too` offers the user's own zones and
    values, for what reckons with them."""
    known = {found.zone_id: found for found in (own.zones(state.app().store) if own_too else tables.zones())}
    order = sorted(known, key=lambda zone_id: (known[zone_id].zone_type != "country", known[zone_id].name))
    return st.selectbox(
        label,
        order,
        index=order.index(usual) if usual in order else None,
        placeholder="Choose where it runs",
        format_func=lambda zone_id: _zone_title(known[zone_id]),
        key=key,
        help="Yearly mean, location-based. Without a zone there is no CO₂e: no world average stands in for it.",
    )


def _zone_title(found: Zone) -> str:
    return f"{found.name} · {found.g_per_kwh:,.0f} g/kWh{' (yours)' if found.yours else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A budget that was sent, and whether to search, or only to tell what was found for its zone and traffic."""

    budget: Budget
    search: bool


def budget(key: str, found: Budget | None = None) -> Sent | None:
    """The budget form, filled with that of the report that was `found`; what was sent, else None."""
    usual = found or usual_budget()
    with st.form(key, border=False):
        row = st.columns(4)
        latency = row[0].number_input(
            "Latency budget, p95 (ms)", min_value=0.0, value=usual.latency_ms, placeholder="none", key=f"{key}-latency"
        )
        loss = row[1].number_input(
            "Loss allowed (%)", 0.0, 100.0, words.in_percent(usual.max_loss), 0.1, key=f"{key}-loss", help=LOSS_HELP
        )
        requests = row[2].number_input(
            "Requests per day", min_value=0, value=int(usual.requests_per_day), step=100_000, key=f"{key}-day"
        )
        with row[3]:
            place = zone(key=f"{key}-zone", usual=usual.zone, own_too=True)
        objective, search, tell = _goal(key, usual.objective, again=found is not None)
    if found is not None and tell:
        return Sent(budget=replace(found, requests_per_day=float(requests), zone=place), search=False)
    asked = Budget(
        latency_ms=latency or None, max_loss=words.fraction(float(loss)), requests_per_day=float(requests), zone=place,
        objective=objective,
    )  # fmt: skip
    return Sent(budget=asked, search=True) if search else None


def _goal(key: str, usual: str, *, again: bool) -> tuple[str, bool, bool]:
    left, *middle, right = st.columns([2, 1, 1] if again else [3, 1], vertical_alignment="bottom")
    objective = left.segmented_control(
        "What counts most",
        OBJECTIVES,
        default=usual,
        required=True,
        wrap=True,
        format_func=WORDS.get,
        key=f"{key}-goal",
    )
    search = right.form_submit_button("Compress", type="primary", icon=":material/compress:", width="stretch")
    tell = again and middle[0].form_submit_button(
        "Zone and traffic only", icon=":material/public:", width="stretch", help=TELL_HELP
    )
    return str(objective), search, bool(tell)


TELL_HELP = (
    "Carbon, turbine time, pay-back and place are reckoned again for this zone and traffic, from the runs that are "
    "there: nothing is measured."
)


TYPED_HELP = "Lengths with an x between them, the batch first. A TorchScript file does not keep them."
LOSS_HELP = (
    "With labelled data: points of accuracy that may be lost. Without: how far the outputs may turn from the "
    "original's (1 - cosine)."
)
