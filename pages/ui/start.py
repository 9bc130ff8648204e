"""Adding a model: an upload, a path on this machine, or an example built here."""

import streamlit as st

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


def suffixes() -> list[str]:
    """Endings of the files that are read here, and of weights kept beside a model."""
    known = {suffix.lstrip(".") for found in formats().values() for suffix in found.SUFFIXES}
    return sorted(known | {"data", "bin"})


def add_model(key: str) -> str | None:
    """The three ways in, side by side; the sha256 of a model that was just taken in, else None."""
    taken = work.take_result(SLOT)
    if taken:
        state.choose_model(str(taken["sha256"]))
        return str(taken["sha256"])
    columns = st.columns(3, gap="small")
    with columns[0], cards.card(f"{key}-upload", "Upload", "Stays on this machine."):
        _upload(key)
    with columns[1], cards.card(f"{key}-path", "Path", "A file on this machine, of any size."):
        _path(key)
    with columns[2], cards.card(f"{key}-example", "Example", "Nothing at hand? Built here, once."):
        _examples(key)
    return None


def _upload(key: str) -> None:
    turn = st.session_state.setdefault("upload_turn", 0)
    uploads = st.file_uploader(
        "Model file",
        type=suffixes(),
        accept_multiple_files=True,
        key=f"{key}-files-{turn}",
        help="A model that keeps weights in files of their own: choose them together.",
        label_visibility="collapsed",
    )
    if uploads:
        with cards.guard(f"{key}-upload"):
            path = state.received(uploads)
            name = max(uploads, key=lambda upload: upload.name.lower().endswith(state.MAIN_SUFFIXES)).name
            st.session_state["upload_turn"] = turn + 1  # a new widget: the old one's bytes leave memory
            _take({"path": str(path), "name": name, "move": True}, f"Reading {name}")


def _path(key: str) -> None:
    with st.form(f"{key}-path-form", border=False):
        path = st.text_input("Path on this machine", placeholder="~/models/resnet50.onnx")
        if st.form_submit_button("Open", icon=":material/folder_open:", width="stretch"):
            _take({"path": path.strip()}, f"Reading {path.strip().rsplit('/', 1)[-1] or 'a file'}")


def _examples(key: str) -> None:
    for name, (title, text, icon) in EXAMPLES.items():
        if st.button(title, icon=icon, key=f"{key}-{name}", help=text, width="stretch"):
            state.submit(take_example, {"name": name}, title=f"Example: {title}", lane="quick", slot=SLOT)
            st.rerun()


def _take(arguments: dict[str, object], title: str) -> None:
    state.submit(take_in, arguments, title=title, lane="quick", slot=SLOT)
    st.rerun()
