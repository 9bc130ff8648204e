"""Adding a model: an upload, a path on this machine, or an example built here."""

import streamlit as st

from data.settings import settings
from pages.ui import cards, state, work
from profiler.formats import formats
from profiler.intake import take_example, take_in

SLOT = "taking"
EXAMPLES = {
    "digits": ("Digits CNN", "Trained here on real images in seconds, with a labelled test set.", ":material/draw:"),
    "bert": (
        "BERT-base shape",
        "A large encoder with random weights: real speed, no real answers.",
        ":material/notes:",
    ),
}
WEIGHTS_BESIDE = ["data", "bin"]


def suffixes() -> list[str]:
    """Endings of the files that are read here, and of weights kept beside a model."""
    known = [suffix.lstrip(".") for found in formats().values() for suffix in found.SUFFIXES]
    return list(dict.fromkeys([*known, *WEIGHTS_BESIDE]))


def taken() -> str | None:
    """The job that reads a model, as a card; the sha256 of a model that was just taken in, else None."""
    result = work.take_result(SLOT)
    if not result:
        return None
    state.choose_model(str(result["sha256"]))
    return str(result["sha256"])


def add_model(key: str) -> None:
    """The three ways in, side by side."""
    columns = st.columns(3, gap="small")
    with columns[0], cards.card(f"{key}-upload", "Upload", "Stays on this machine."):
        _upload(key)
    with columns[1], cards.card(f"{key}-path", "Path", "A file on the machine that runs Rightsize."):
        _path(key)
    with columns[2], cards.card(f"{key}-example", "Example", "Nothing at hand? Built here, once."):
        _examples(key)


def _upload(key: str) -> None:
    turn = st.session_state.setdefault("upload_turn", 0)
    uploads = st.file_uploader(
        "Model file, with its weight files where it has any",
        type=suffixes(),
        accept_multiple_files=True,
        key=f"{key}-files-{turn}",
        max_upload_size=settings().upload_mb,
    )
    if uploads:
        with cards.guard(f"{key}-upload"):
            path = state.received(uploads)
            name = max(uploads, key=lambda upload: upload.name.lower().endswith(state.MAIN_SUFFIXES)).name
            st.session_state["upload_turn"] = turn + 1  # a new widget: the old one's bytes leave memory
            _take({"path": str(path), "name": name, "move": True}, f"Reading {name}")
    st.caption("ONNX is measured and compressed; TorchScript, .pt2, safetensors, GGUF and config.json are read too.")


def _path(key: str) -> None:
    with st.form(f"{key}-path-form", border=False):
        path = st.text_input("Path on this machine", placeholder="~/models/resnet50.onnx")
        sent = st.form_submit_button("Open", icon=":material/folder_open:", width="stretch")
    if sent and path.strip():
        _take({"path": path.strip()}, f"Reading {path.strip().rsplit('/', 1)[-1]}")
    st.caption("Larger files, and models with weight files beside them: nothing passes through the browser.")


def _examples(key: str) -> None:
    for name, (title, text, icon) in EXAMPLES.items():
        with st.container(gap="xxsmall"):
            if st.button(title, icon=icon, key=f"{key}-{name}", width="stretch"):
                example(name)
            st.caption(text)


def example(name: str) -> None:
    """Build (the first time) and take in an example."""
    state.submit(take_example, {"name": name}, title=f"Example: {EXAMPLES[name][0]}", lane="quick", slot=SLOT)
    st.rerun()


def _take(arguments: dict[str, object], title: str) -> None:
    state.submit(take_in, arguments, title=title, lane="quick", slot=SLOT)
    st.rerun()
