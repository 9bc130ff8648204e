"""What the app keeps: the store, the queue, and which model and job this browser looks at (named in the URL)."""

import atexit
import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from advisor import turbine
from advisor.regression import Check
from advisor.sensitivity import Ranking
from advisor.types import Graph, Report, Variant
from data.errors import DataError, InputError, RightsizeError, Unavailable, of_disk
from data.home import Home, home
from data.inbox import take_in
from data.passing import passing_home, remove
from data.store import Store
from profiler.jobs import Jobs
from profiler.run_types import LoadTest, OperatorProfile, TrainingStep
from profiler.types import Job, Machine, Measurement, Model, Peaks, Refusal

Record = TypeVar("Record")
MAIN_SUFFIXES = (".onnx", ".pt", ".pt2", ".gguf", "config.json")
PLAIN_NAME = re.compile(r"[\w][\w .()+-]{0,119}")
RECORDS = (
    Check, Graph, Job, LoadTest, Machine, Measurement, Model, OperatorProfile, Peaks, Ranking, Refusal, Report,
    TrainingStep, Variant,
)  # fmt: skip
KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in RECORDS}


@dataclass(frozen=True, slots=True)
class App:
    """One running app. `warning` says what is lost when the store on disk could not be opened."""

    home: Home
    store: Store
    jobs: Jobs
    warning: RightsizeError | None
    said: list[str]


@st.cache_resource(show_spinner="Opening the store")
def app() -> App:
    """The store and the queue, opened once for all browsers; in memory and in a passing folder, with a warning, where
    the data folder or its store cannot be used."""
    here = home()
    try:
        return _running(here, lambda: Store(here.store), None)
    except (Unavailable, DataError) as error:
        return _running(Home(passing_home(here.root / "locks")), Store, error)


def _running(here: Home, opened: Callable[[], Store], warning: RightsizeError | None) -> App:
    store = opened()
    try:
        running = App(here, store, Jobs(here, store), warning, [])
        take_in(store, here, KINDS, running.said.append)
    except RightsizeError:
        store.close()
        raise
    atexit.register(store.close)
    return running


def ask(question: str, **values: Any) -> pd.DataFrame:
    """Rows of a named question to the store."""
    return app().store.ask(question, **values)


def get(kind: type[Record], key: str | None) -> Record | None:
    """A kept record by its key."""
    return app().store.remembered(kind, key) if key else None


def model() -> Model | None:
    """The model this browser looks at: named in the URL, else the newest."""
    chosen = get(Model, st.query_params.get("model") or st.session_state.get("model"))
    if chosen is None:
        rows = ask("models")
        chosen = get(Model, rows["sha256"].iloc[0]) if len(rows) else None
    return chosen


def choose_model(sha256: str) -> None:
    """Look at this model from now on."""
    st.query_params["model"] = st.session_state["model"] = sha256


def choose_report(report_id: str, sha256: str) -> None:
    """Look at this report of this model from now on."""
    choose_model(sha256)
    st.query_params["report"] = report_id


def forget_choice() -> None:
    """Look at no model in particular."""
    st.session_state.pop("model", None)
    for named in ("model", "report"):
        st.query_params.pop(named, None)


def report(sha256: str) -> Report | None:
    """The report of this model that the URL names, else its newest; told by the turbine that is set."""
    named = get(Report, st.query_params.get("report"))
    if named is None or named.model.sha256 != sha256:
        rows = ask("reports", model_sha256=sha256)
        named = get(Report, rows["id"].iloc[0]) if len(rows) else None
    return named and turbine.told_by(named, turbine.chosen())


def submit(procedure: Callable[..., Any], arguments: Mapping[str, Any], *, title: str, lane: str, slot: str) -> None:
    """Queue a job and remember it under `slot` in the URL, so that a refreshed browser finds it."""
    st.query_params[slot] = st.session_state[slot] = app().jobs.submit(procedure, arguments, title=title, lane=lane)


def job(slot: str) -> Job | None:
    """The job remembered under `slot`."""
    named = st.query_params.get(slot) or st.session_state.get(slot)
    return app().jobs.get(named) if named else None


def repeat(slot: str) -> None:
    """Queue the job of this slot again and remember the new one instead."""
    found = job(slot)
    again = app().jobs.repeat(found.id) if found else None
    if again:
        st.query_params[slot] = st.session_state[slot] = again


def done_with(slot: str) -> None:
    """Forget the job of this slot."""
    st.query_params.pop(slot, None)
    st.session_state.pop(slot, None)


def received(uploads: Sequence[Any]) -> Path:
    """Uploaded files in a folder of their own in the home; where the model lies. The browser's copy can go.

    One file gets a name of ours; several keep theirs, since a model names the files that hold its weights. Raises
    InputError on a name that could lead elsewhere, Unavailable where there is no room; nothing is left then."""
    main = min(uploads, key=lambda upload: not upload.name.lower().endswith(MAIN_SUFFIXES))
    folder = app().home.uploads / uuid.uuid4().hex
    try:
        folder.mkdir(mode=0o700)
        written = [_written(upload, folder, alone=len(uploads) == 1) for upload in uploads]
    except OSError as error:
        remove(folder)
        raise of_disk(error) from error
    except InputError:
        remove(folder)
        raise
    return written[[upload is main for upload in uploads].index(True)]


def _written(upload: Any, folder: Path, *, alone: bool) -> Path:
    suffix = Path(upload.name).suffix.lower()[:12]
    name = f"upload{suffix if PLAIN_NAME.fullmatch(f'upload{suffix}') else ''}" if alone else upload.name
    if not PLAIN_NAME.fullmatch(name):
        raise InputError("With several files, names have letters, digits, dots and dashes only.", hint="Rename it.")
    try:
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError("Two of these files have the same name.", hint="Upload each file once.") from None
    with os.fdopen(descriptor, "wb") as file:
        upload.seek(0)
        shutil.copyfileobj(upload, file, 1 << 20)
    return folder / name
