"""What can be drawn over time: each metric's column, unit and words, and the sets of rows that have it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from advisor.trends.rows import rows
from data import units, words
from data.errors import InputError

SYSTEM_SETS = ("notable", "frontier", "large_scale", "all")
SEVILLA_SETS = ("sevilla_2022", "sevilla_2026")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One quantity over time. `column` is in base units; the axis shows column x `factor` in `unit`."""

    key: str
    title: str
    column: str
    unit: str
    axis: str
    say: Callable[[float | None], str]
    sets: tuple[str, ...] = SYSTEM_SETS
    about: str = ""
    missing: str = ""
    factor: float = 1.0
    fit_id: str = ""
    frontier_fit_id: str = ""


def _with(unit: str) -> Callable[[float | None], str]:
    return lambda value: words.NOT_KNOWN if value is None else f"{words.number(value)} {unit}"


def _counted(unit: str) -> Callable[[float | None], str]:
    return lambda value: words.NOT_KNOWN if value is None else f"{words.count(value)} {unit}"


def _watts(value: float | None) -> str:
    return words.scaled(value, ((1.0, "W"), (1e3, "kW"), (1e6, "MW"), (1e9, "GW")))


@lru_cache(maxsize=16_384)
def _exact_flop(value: float | None) -> str:
    if value is None or value < 1e6:
        return words.NOT_KNOWN if value is None else f"{words.number(value)} FLOP"
    return f"{value:.2e} FLOP".replace("e+0", "e").replace("e+", "e")


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            key="compute",
            title="Training compute",
            column="training_flop",
            unit="FLOP",
            axis="Training compute (FLOP)",
            say=_exact_flop,
            sets=(*SYSTEM_SETS, *SEVILLA_SETS),
            about="2 FLOP per multiply-add, all of the training run",
            missing="no estimate of training compute",
            fit_id="notable-2010-26",
            frontier_fit_id="frontier-2018-26",
        ),
        Metric(
            key="parameters",
            title="Parameters",
            column="parameter_count",
            unit="parameters",
            axis="Parameters",
            say=_counted("parameters"),
            sets=(*SYSTEM_SETS, *SEVILLA_SETS),
            about="weights of the trained system",
            missing="no parameter count",
            fit_id="parameters-2010-26",
        ),
        Metric(
            key="data",
            title="Training data",
            column="training_sample_count",
            unit="samples",
            axis="Training data (tokens or samples)",
            say=_counted("samples"),
            about="tokens, words, images or games, as the source counts them",
            missing="no size of the training data",
            fit_id="data-2010-26",
        ),
        Metric(
            key="cost",
            title="Training cost",
            column="training_usd",
            unit="US$",
            axis="Training cost (US$ of 2023)",
            say=words.usd,
            about="hardware and energy of the final run, 2023 dollars",
            missing="no estimate of its cost",
            fit_id="cost-2016-26",
            frontier_fit_id="cost-frontier-2016-26",
        ),
        Metric(
            key="power",
            title="Training power",
            column="training_w",
            unit="W",
            axis="Power while training (W)",
            say=_watts,
            about="nameplate power of the chips with their servers",
            missing="no power draw",
            fit_id="power-2010-26",
            frontier_fit_id="power-frontier-2010-26",
        ),
        Metric(
            key="energy",
            title="Training energy",
            column="training_kwh",
            unit="kWh",
            axis="Training energy (kWh)",
            say=words.energy_kwh,
            about="nameplate power x time: about 2.7 times what has been reported",
            missing="no power draw or no training time",
            fit_id="energy-2012-26",
            frontier_fit_id="energy-frontier",
        ),
        Metric(
            key="per_watt",
            title="Hardware FLOP/s per W",
            column="best_fp16_flop_per_j",
            unit="FLOP/J",
            axis="FP16 FLOP/s per watt",
            say=_with("FLOP/s per W"),
            sets=("hardware",),
            about="peak FP16 over rated power, tensor units where there are any",
            missing="no FP16 peak or no rated power",
            fit_id="fp16-per-watt",
        ),
        Metric(
            key="per_usd",
            title="Hardware FLOP/s per $",
            column="best_fp16_flop_per_s_per_usd",
            unit="FLOP/s per US$",
            axis="FP16 FLOP/s per US$ at launch",
            say=_with("FLOP/s per $"),
            sets=("hardware",),
            about="peak FP16 over the launch price in dollars of the day",
            missing="no FP16 peak or no launch price",
            fit_id="fp16-per-usd",
        ),
    )
}

HARDWARE_FORMATS = {
    "FP16, tensor units where present": "best_fp16_flop",
    "FP16, tensor units only": "tensor_fp16_flop",
    "FP32": "fp32_flop",
    "INT8": "int8_op",
}
ENERGY_UNITS = ("MWh", "MWh, as reported", "turbine-years", "t CO2e")


def metric(key: str) -> Metric:
    """The metric with this key. Raises InputError where there is none."""
    if key not in METRICS:
        raise InputError(f"There is no trend called {key}.", hint=f"Choose one of {', '.join(METRICS)}.")
    return METRICS[key]


@cache
def in_format(base: Metric, name: str) -> Metric:
    """A hardware metric for another number format (a key of HARDWARE_FORMATS)."""
    column = HARDWARE_FORMATS[name] + ("_per_j" if base.key == "per_watt" else "_per_s_per_usd")
    label = name.split(",")[0]
    return replace(
        base,
        column=column,
        axis=base.axis.replace("FP16", label),
        about=f"peak {name} over {'rated power' if base.key == 'per_watt' else 'launch price in dollars of the day'}",
        missing=f"no {label} peak, or no {'rated power' if base.key == 'per_watt' else 'launch price'}",
        fit_id="",
    )


@cache
def in_unit(base: Metric, unit: str, grid_g_per_kwh: float | None = None) -> Metric:
    """Training energy in another unit (one of ENERGY_UNITS); CO2e needs the grid's intensity (g/kWh).

    "As reported" divides by how much nameplate power x time exceeds what has been reported. Raises InputError on a unit
    that is not known and on CO2e without a grid."""
    if unit == "MWh":
        return replace(base, factor=1.0 / units.KWH_PER_MWH, unit="MWh", axis="Training energy (MWh)", say=_with("MWh"))
    if unit == "MWh, as reported":
        over, n = nameplate_over_reported()
        about = f"nameplate power x time divided by {over:.2f}, the median over {n} runs whose energy was reported"
        axis = "Training energy (MWh, as reported)"
        return replace(
            base, factor=1.0 / over / units.KWH_PER_MWH, unit="MWh", axis=axis, say=_with("MWh"), about=about, fit_id=""
        )
    if unit == "turbine-years":
        axis = "Training energy (years of one wind turbine)"
        return replace(base, factor=units.turbine_years(1.0), unit="turbine-years", axis=axis, say=words.turbine)
    if unit == "t CO2e" and grid_g_per_kwh is not None:
        axis = f"Training carbon at {grid_g_per_kwh:.0f} g/kWh (t CO2e)"
        return replace(base, factor=grid_g_per_kwh / units.G_PER_T, unit="t CO2e", axis=axis, say=_with("t CO2e"))
    raise InputError("This unit needs a grid." if unit == "t CO2e" else f"Energy is not shown in {unit}.")


@cache
def nameplate_over_reported() -> tuple[float, int]:
    """By how much nameplate power x time exceeds reported energy: the median, and over how many runs."""
    systems = rows("all")
    ratio = (systems["training_kwh"] / systems["training_kwh_reported"]).dropna()
    return float(ratio.median()), len(ratio)
