"""A sizing as a section of a report: what was asked and what came of it, in sentences, and the page's address."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from advisor.clippings import Clipping
from data import words

SOURCE = "llm/serving"
ABOUT = "Sized from its published shape, not run: memory is modelled, times and energy are predicted."


def of_sizing(answer: dict[str, Any], on: str, more: Sequence[str] = (), address: str = "") -> Clipping:
    """The answer of `advisor.llm.answer.sized` with a device, whose name is `on`; `more` are sentences to add."""
    title = f"Language model: {answer['architecture']} on {answer['count']} × {on}"
    says = (*_told(answer), *more)
    name = hashlib.sha256("\n".join([title, *says]).encode()).hexdigest()
    return Clipping(
        id=f"sizing-{name[:12]}", title=title, about=ABOUT, source=SOURCE, says=says, address=address,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def _told(answer: dict[str, Any]) -> list[str]:
    total, active = answer["parameter_count"], answer["active_parameter_count"]
    fits = {True: "it fits", False: "it does not fit", None: "its memory is what is built in"}[answer["fits"]["fits"]]
    joules = answer["j_per_token"]
    return [
        f"{words.count(total)} parameters, {words.count(active)} active; weights as {answer['weights_title']} take "
        f"{words.size(answer['weights_bytes'])}, the cache of {answer['batch']:,} sequences of {answer['context']:,} "
        f"tokens {words.size(answer['kv_cache_bytes'])}.",
        f"Memory a device: {_ends(answer['fits']['per_device_bytes'], words.BYTES)}; {fits}.",
        f"First token after {_ends(answer['ttft_ms'], words.LATENCY, 1e-3)}, then "
        f"{_ends(answer['time_per_token_ms'], words.LATENCY, 1e-3)} a token; "
        f"{_ends(answer['tokens_per_s'], words.COUNTS)} tokens a second"
        + (f", {_ends(joules, words.JOULES)} a token." if joules else "."),
    ]


def _ends(found: dict[str, Any], ladder: words.Ladder, factor: float = 1.0) -> str:
    low, mid, high = (words.scaled(found[end] * factor, ladder) for end in ("low", "mid", "high"))
    return f"{mid} ({low} to {high}, {found['basis']})"
