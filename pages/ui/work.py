"""A job as a card: what it does, how far it is, how long it still takes, and a button to stop it."""

import streamlit as st

from data import words
from data.errors import MeasurementError, from_dict
from pages.ui import cards, state
from profiler.jobs import SO_FAR
from profiler.types import Job

LOOK_EVERY_S = 0.7
ENOUGH_FRAC = 0.08  # before that an estimate of the rest is a guess
UNFINISHED = ("queued", "running")


def card(slot: str) -> Job | None:
    """The job of this slot while it works or where it went wrong; the job itself once it is done, else None."""
    job = state.job(slot)
    if job is None:
        return None
    if job.state in UNFINISHED:
        _live(slot)
        return None
    if job.state == "done":
        return job
    _stopped(slot, job)
    return None


def take_result(slot: str) -> dict[str, object] | None:
    """What the finished job of this slot came to, once: the slot is empty afterwards."""
    job = card(slot)
    if job is None:
        return None
    state.done_with(slot)
    return job.result or {}


def busy(slot: str) -> bool:
    """Whether a job of this slot is waiting or running."""
    job = state.job(slot)
    return job is not None and job.state in UNFINISHED


@st.fragment(run_every=LOOK_EVERY_S)
def _live(slot: str) -> None:
    job = state.job(slot)
    if job is None or job.state not in UNFINISHED:
        st.rerun()
    else:
        with cards.guard(slot), cards.card(f"job-{slot}"):
            _progress(slot, job)


def _progress(slot: str, job: Job) -> None:
    ahead = state.app().jobs.ahead(job.id)
    waiting = f"{ahead} job{'s' if ahead > 1 else ''} before this one" if ahead else "Waiting for its turn"
    left, right = st.columns([4, 1], vertical_alignment="center")
    with left:
        st.markdown(f":material/progress_activity: **{cards.formats.name(job.title)}**")
        text, _, so_far = job.text.partition(SO_FAR)
        st.progress(min(1.0, job.done_frac), text=waiting if job.state == "queued" else cards.formats.name(text))
        if so_far:
            st.markdown(f":material/trophy: Best so far: **{cards.formats.name(so_far, 160)}**")
        st.caption(_pace(job, state.app().jobs.elapsed_s(job.id)))
    stop = right.button("Cancel", icon=":material/stop_circle:", key=f"cancel-{slot}", width="stretch")
    if stop:
        state.app().jobs.cancel(job.id)


def _pace(job: Job, elapsed_s: float | None) -> str:
    """How long it has worked, and how long it still will at the same pace."""
    if elapsed_s is None:
        return ""
    so_far = f"{words.duration(elapsed_s)} so far"
    if job.done_frac < ENOUGH_FRAC:
        return so_far
    return f"{so_far} · about {words.duration(elapsed_s * (1 - job.done_frac) / job.done_frac)} left"


def _stopped(slot: str, job: Job) -> None:
    titles = {"cancelled": "Cancelled", "interrupted": "Interrupted: the app was stopped while this ran"}
    if job.state == "failed":
        fields = {"error": job.error or "", "hint": job.hint or "", "details": job.details or ""}
        cards.problem(from_dict({**fields, "kind": MeasurementError.__name__}), key=slot)
    else:
        cards.warning(slot, f"**{titles[job.state]}.** {cards.formats.name(job.title)}")
    with st.container(horizontal=True):
        if st.button("Run it again", icon=":material/replay:", key=f"again-{slot}"):
            state.repeat(slot)
            st.rerun()
        if st.button("Dismiss", icon=":material/close:", key=f"dismiss-{slot}", type="tertiary"):
            state.done_with(slot)
            st.rerun()


def running() -> None:
    """In the sidebar: what works now, whatever page is open."""
    jobs = state.app().jobs.active()
    if jobs:
        _running()


@st.fragment(run_every=2.0)
def _running() -> None:
    for job in state.app().jobs.active()[:4]:
        st.progress(min(1.0, job.done_frac), text=cards.formats.name(job.title, 40))
