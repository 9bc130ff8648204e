"""The whole profile of a kept model as one job: the call, its operators, and this machine's peaks where not known."""

from collections.abc import Mapping, Sequence
from typing import Any

from profiler.jobs import Desk
from profiler.kept import kept_model, measure_kept, runtime_for
from profiler.operators import TELL_OPERATORS, profile_kept
from profiler.peaks import kept_peaks, measure_peaks
from profiler.tasks import procedure


@procedure
def profile_whole(
    desk: Desk,
    *,
    sha256: str,
    shapes: Mapping[str, Sequence[int]] | None = None,
    batch_size: int = 1,
    threads: int | None = None,
    device: str = "cpu",
    runtime: str | None = None,
    options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Measures the model, times its operators where its runtime tells them, and measures this machine's peaks once;
    {"measurement", "profile", "sha256"}. Each part is saved as soon as it is there. Raises what the parts raise."""
    how: dict[str, Any] = {"shapes": shapes, "batch_size": batch_size, "threads": threads, "device": device}
    model, _ = kept_model(desk, sha256)
    runtime = runtime or runtime_for(model.format)
    with desk.span(0.0, 0.55):
        found = measure_kept(desk, sha256=sha256, runtime=runtime, options=options, **how)
    found["profile"] = None
    if runtime in TELL_OPERATORS:
        with desk.span(0.55, 0.8):
            told = profile_kept(desk, sha256=sha256, runtime=runtime, options=options, **how)
            found["profile"] = told["profile"]
    if kept_peaks(desk, threads, device) is None:
        with desk.span(0.8, 1.0):
            measure_peaks(desk, threads=threads, device=device)
    return found
