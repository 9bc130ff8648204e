"""The memory of a model: measured beside estimated, where it fits and by how much, and what training it takes."""

import streamlit as st

from advisor import memory_frames
from advisor.figures import named as figures
from data import words
from pages.ui import cards, state, style, work
from profiler.memory import static_bytes
from profiler.run_types import TrainingStep
from profiler.training import train_kept
from profiler.types import Measurement, Model

TRAINED = ("torchscript", "pt2")
SLOT = "training"


def running(model: Model, run: Measurement | None) -> None:
    """The static estimate and the measured peak."""
    rows = memory_frames.running(model, run)
    if rows.empty:
        cards.nothing_yet("memory", "Memory is not known", todo="Measure the model: its graph gives no estimate.")
        return
    parts = [f"{row['what']} {row['part']} {words.size(row['memory_bytes'])}" for row in rows.to_dict("records")]
    said = ", ".join(parts)
    cards.chart(figures.memory_parts(rows, style.mode()), key="memory_chart", alt=f"Memory: {said}.", table=rows)
    st.caption(
        f"{memory_frames.ratio(model, run)} The estimate is the weights and the most activations alive at once; "
        "a runtime adds its own buffers, and often a second copy of the weights in a faster layout."
    )


def fits(model: Model) -> None:
    """Where the model fits, and by how much."""
    rows = memory_frames.fits(model)
    if rows.empty:
        cards.nothing_yet("fits", "Where it fits is not known", todo="The graph of this file could not be followed.")
        return
    alt = "; ".join(f"{row['target']}: {row['verdict']}" for row in rows.to_dict("records"))
    cards.chart(figures.ladder(rows, style.mode()), key="fits_chart", alt=alt, table=rows.drop(columns="fits"))
    needed = words.size(static_bytes(model))
    st.caption(
        f"{cards.basis('modelled')} {needed} of weights and activations against one device of each kind; a "
        "microcontroller keeps weights in its flash. Compressed, the model may climb down: see Compress."
    )


def training(model: Model) -> None:
    """One training step, estimated and, for PyTorch's formats, measured."""
    if not model.layers:
        cards.nothing_yet("training", "Training memory is not known", todo="The graph could not be followed.")
        return
    kept = state.ask("training_steps", model_sha256=model.sha256)["id"]
    steps = [step for step_id in kept if (step := state.get(TrainingStep, step_id)) is not None]
    rows = memory_frames.training(model, steps)
    totals = rows.groupby("what", sort=False)["memory_bytes"].sum()
    said = ", ".join(f"{what} {words.size(total)}" for what, total in totals.items())
    cards.chart(figures.memory_parts(rows, style.mode()), key="training_chart", alt=f"Training: {said}.", table=rows)
    st.caption("One float32 step with Adam. The estimate keeps every layer's output until the backward pass.")
    if model.format in TRAINED and not model.cannot_run:
        if st.button("Measure a real step", icon=":material/school:", key="train", disabled=work.busy(SLOT)):
            arguments = {"sha256": model.sha256}
            state.submit(train_kept, arguments, title=f"Training step of {model.name}", lane="device", slot=SLOT)
            st.rerun()
        work.take_result(SLOT)
    else:
        st.caption("A real step can be measured for TorchScript and torch.export files: ONNX has no gradients.")
