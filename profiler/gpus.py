"""The NVIDIA GPUs of this machine through NVML: what they are, how busy they are now, and what a run takes of them."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from data import words
from profiler.types import Gpu

POLL_S = 0.01
W_PER_MW = 1e-3
HZ_PER_MHZ = 1e6
LOW_UTILISATION_FRAC = 0.3
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuNow:
    """One GPU at this moment. `processes` are (process id, bytes it holds or None). What the card does not tell is
    None."""

    gpu: Gpu
    power_w: float | None
    utilisation_frac: float | None
    memory_used_bytes: int | None
    temperature_c: float | None
    clock_hz: float | None
    clock_most_hz: float | None
    processes: tuple[tuple[int, int | None], ...]

    @property
    def warning(self) -> str | None:
        """One sentence where a GPU that is in use does little."""
        used = bool(self.processes) and self.utilisation_frac is not None
        if not used or self.utilisation_frac is None or self.utilisation_frac >= LOW_UTILISATION_FRAC:
            return None
        return (
            f"This GPU is held by {len(self.processes)} processes but only {words.percent(self.utilisation_frac)} busy."
        )


def _pynvml() -> Any:
    import pynvml

    return pynvml


def missing(library: Callable[[], Any] = _pynvml) -> str | None:
    """None where NVML can be read, else one sentence for the user."""
    with _opened(library) as nvml:
        return None if nvml else "This machine has no NVIDIA driver."


def gpus(library: Callable[[], Any] = _pynvml) -> tuple[Gpu, ...]:
    """The GPUs the NVIDIA driver knows; none where there is no driver."""
    with _opened(library) as nvml:
        if nvml is None:
            return ()
        return tuple(_gpu(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))


def live(library: Callable[[], Any] = _pynvml) -> tuple[GpuNow, ...]:
    """Power, utilisation, memory, temperature, clocks and processes of every GPU now; none where there is no driver."""
    with _opened(library) as nvml:
        if nvml is None:
            return ()
        return tuple(_now(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))


class MemoryWatch:
    """The most memory in use on one GPU while the body runs, beyond what was in use before: all processes together,
    the driver's own share included. `peak_bytes` stays None where NVML cannot be read."""

    def __init__(self, device: str, library: Callable[[], Any] = _pynvml) -> None:
        self._device, self._library = device, library
        self.peak_bytes: int | None = None
        self._ended = threading.Event()

    def __enter__(self) -> "MemoryWatch":
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    def _poll(self) -> None:
        with _opened(self._library) as nvml:
            before = None if nvml is None else self._used(nvml)
            self._ready.set()
            if nvml is None or before is None:
                return
            most = before
            while not self._ended.wait(POLL_S):
                most = max(most, self._used(nvml) or 0)
            self.peak_bytes = max(0, max(most, self._used(nvml) or 0) - before)

    def _used(self, nvml: Any) -> int | None:
        return _told(nvml, lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle_of(nvml, self._device)).used))


def handle_of(nvml: Any, device: str) -> Any:
    """NVML's handle of the board that CUDA calls "cuda:1" in our children: they number boards by their place on the
    bus, as NVML does, and CUDA_VISIBLE_DEVICES chooses among them by number or UUID. Raises what NVML raises."""
    index = int(device.partition(":")[2] or 0)
    chosen = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    if not chosen:
        return nvml.nvmlDeviceGetHandleByIndex(index)
    if index >= len(chosen):
        raise nvml.NVMLError(nvml.NVML_ERROR_NOT_FOUND)
    if chosen[index].isdigit():
        return nvml.nvmlDeviceGetHandleByIndex(int(chosen[index]))
    return nvml.nvmlDeviceGetHandleByUUID(chosen[index])


@contextmanager
def _opened(library: Callable[[], Any]) -> Iterator[Any]:
    """NVML, initialised; None where there is no driver."""
    nvml = library()
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()


def _gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    limit_mw = _told(nvml, lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
    return Gpu(
        index=index,
        name=str(nvml.nvmlDeviceGetName(handle)),
        memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        power_limit_w=None if limit_mw is None else limit_mw * W_PER_MW,
        driver=str(nvml.nvmlSystemGetDriverVersion()),
        mig=bool((_told(nvml, lambda: nvml.nvmlDeviceGetMigMode(handle)) or (0,))[0]),
    )


def _now(nvml: Any, index: int) -> GpuNow:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)

    def told(name: str, *more: Any) -> Any:
        return _told(nvml, lambda: getattr(nvml, name)(handle, *more))

    power_mw, clock = told("nvmlDeviceGetPowerUsage"), nvml.NVML_CLOCK_SM
    utilisation, temperature = told("nvmlDeviceGetUtilizationRates"), nvml.NVML_TEMPERATURE_GPU
    clock_mhz, most_mhz = told("nvmlDeviceGetClockInfo", clock), told("nvmlDeviceGetMaxClockInfo", clock)
    running = told("nvmlDeviceGetComputeRunningProcesses") or ()
    return GpuNow(
        gpu=_gpu(nvml, index),
        power_w=None if power_mw is None else power_mw * W_PER_MW,
        utilisation_frac=None if utilisation is None else utilisation.gpu / 100,
        memory_used_bytes=_told(nvml, lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).used)),
        temperature_c=told("nvmlDeviceGetTemperature", temperature),
        clock_hz=None if clock_mhz is None else clock_mhz * HZ_PER_MHZ,
        clock_most_hz=None if most_mhz is None else most_mhz * HZ_PER_MHZ,
        processes=tuple((process.pid, process.usedGpuMemory) for process in running),
    )


def _told(nvml: Any, ask: Callable[[], Value]) -> Value | None:
    """What the card answers, or None where it does not support the question."""
    with suppress(nvml.NVMLError):
        return ask()
    return None
