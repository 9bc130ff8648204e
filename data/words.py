"""Numbers as people read them: scaled, with their unit and interval. The only place where a fraction becomes a percent.

Pages and reports both speak through here, so that the screen and the file cannot differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from data import units
from data.estimate import Estimate

NOT_KNOWN = "not known"
Ladder = Sequence[tuple[float, str]]

SECONDS: Ladder = (
    (1e-9, "ns"),
    (1e-6, "µs"),
    (1e-3, "ms"),
    (1.0, "s"),
    (60.0, "min"),
    (units.S_PER_H, "h"),
    (units.S_PER_H * units.H_PER_DAY, "days"),
)
LATENCY: Ladder = SECONDS[:4]
TURBINE: Ladder = (*SECONDS, (units.S_PER_YEAR, "years"))
BYTES: Ladder = (
    (1.0, "bytes"),
    (units.BYTES_PER_KIB, "KiB"),
    (units.BYTES_PER_MIB, "MiB"),
    (units.BYTES_PER_GIB, "GiB"),
    (units.BYTES_PER_GIB * 1024.0, "TiB"),
)
JOULES: Ladder = ((1e-12, "pJ"), (1e-9, "nJ"), (1e-6, "µJ"), (1e-3, "mJ"), (1.0, "J"), (1e3, "kJ"), (1e6, "MJ"))
WATTS: Ladder = ((1e-6, "µW"), (1e-3, "mW"), (1.0, "W"), (1e3, "kW"), (1e6, "MW"))
KWH: Ladder = ((1e-6, "mWh"), (1e-3, "Wh"), (1.0, "kWh"), (units.KWH_PER_MWH, "MWh"), (units.KWH_PER_GWH, "GWh"))
GRAMS: Ladder = (
    (1e-6, "µg"),
    (1e-3, "mg"),
    (1.0, "g"),
    (units.G_PER_KG, "kg"),
    (units.G_PER_T, "t"),
    (units.G_PER_T * 1e3, "kt"),
)
DISTANCE: Ladder = ((1e-3, "mm"), (1e-2, "cm"), (1.0, "m"), (units.M_PER_KM, "km"))
PER_SECOND: Ladder = ((1.0, "/s"), (1e3, "k/s"), (1e6, "M/s"))
HERTZ: Ladder = ((1.0, "Hz"), (1e3, "kHz"), (1e6, "MHz"), (1e9, "GHz"))
COUNTS: Ladder = ((1.0, ""), (1e6, "million"), (1e9, "billion"), (1e12, "trillion"))
FLOP: Ladder = (
    (1.0, "FLOP"),
    (1e3, "kFLOP"),
    (1e6, "MFLOP"),
    (1e9, "GFLOP"),
    (1e12, "TFLOP"),
    (1e15, "PFLOP"),
    (1e18, "EFLOP"),
)
OPERATIONS: Ladder = ((1.0, "op/s"), (1e3, "kop/s"), (1e6, "Mop/s"), (1e9, "Gop/s"), (1e12, "Top/s"), (1e15, "Pop/s"))
FLOP_PER_S: Ladder = tuple((factor, f"{name}/s") for factor, name in FLOP)


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits, with thousands separators; "1.2 × 10⁻⁷" where it is beyond reading."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent > 14:
        mantissa, power = f"{value:.{min(digits, 3) - 1}e}".split("e")  # rounded first: 9.999e-5 is 1.00e-4
        raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{mantissa} × 10{raised}".replace("-", "−")
    rounded = round(value, digits - 1 - exponent)
    places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{places}f}".replace("-", "−")


def scaled(value: float | None, ladder: Ladder, digits: int = 3) -> str:
    """The value in the largest unit of the ladder in which it is at least 1 (as printed)."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    factor, unit = rung(value, ladder, digits)
    return f"{number(value / factor, digits)} {unit}".rstrip()


def rung(value: float, ladder: Ladder, digits: int = 3) -> tuple[float, str]:
    """The unit of the ladder for this value: (its factor, its name)."""
    if value == 0:
        return min(ladder, key=lambda rung: abs(math.log10(rung[0])))
    # What prints as "1,000 µs" is "1.00 ms": compare after rounding.
    reachable = [rung for rung in ladder if abs(value) / rung[0] >= 1 - 0.5 * 10.0**-digits]
    return max(reachable, key=lambda rung: rung[0]) if reachable else ladder[0]


def latency(value_ms: float | None) -> str:
    """A time of one call, given in ms: ns, µs, ms or s."""
    return scaled(None if value_ms is None else value_ms / units.MS_PER_S, LATENCY)


def duration(value_s: float | None) -> str:
    """A waiting time in whole units: "12 s", "3 min 20 s", "2 h 5 min"."""
    if value_s is None or not math.isfinite(value_s):
        return NOT_KNOWN
    if value_s < 60:
        return f"{max(0, math.ceil(value_s))} s"
    if value_s < units.S_PER_H:
        return f"{int(value_s // 60)} min {int(value_s % 60)} s"
    return f"{int(value_s // units.S_PER_H)} h {int(value_s % units.S_PER_H // 60)} min"


def size(value_bytes: float | None) -> str:
    """Bytes in KiB, MiB, GiB."""
    return scaled(value_bytes, BYTES)


def operations(value_per_s: float | None) -> str:
    """Arithmetic a second, of floating or integer numbers: Gop/s, Top/s."""
    return scaled(value_per_s, OPERATIONS)


def stream(value_bytes_per_s: float | None) -> str:
    """Bytes a second: GiB/s."""
    return f"{size(value_bytes_per_s)}/s" if value_bytes_per_s is not None else NOT_KNOWN


def energy(value_j: float | None) -> str:
    """A measured energy in joules, scaled."""
    return scaled(value_j, JOULES)


def energy_kwh(value_kwh: float | None) -> str:
    """A projected energy in kWh, scaled to Wh or MWh."""
    return scaled(value_kwh, KWH)


def carbon(value_g: float | None) -> str:
    """Grams of CO2e in mg, g, kg or t."""
    return scaled(value_g, GRAMS)


def turbine(value_years: float | None) -> str:
    """How long one wind turbine works for it: from ns to years, never 0.00."""
    return scaled(None if value_years is None else value_years * units.S_PER_YEAR, TURBINE)


def turbines(value_years: float | None) -> str:
    """The same as a share of one turbine (below 1 a fraction in percent, above it a count)."""
    if value_years is None:
        return NOT_KNOWN
    return f"{number(value_years)} turbines" if value_years >= 1 else f"{percent(value_years)} of one turbine"


def flop(value: float | None) -> str:
    """Floating-point operations, scaled."""
    return scaled(value, FLOP)


def count(value: float | None) -> str:
    """A number of things: "1,797", "25.6 million"."""
    if value is not None and math.isfinite(value) and abs(value) < 1e6:
        return f"{value:,.0f}" if float(value).is_integer() else number(value)
    return scaled(value, COUNTS)


def many(value: int, one: str, more: str | None = None) -> str:
    """A number and its thing: "1 layer", "1,797 layers"; `more` where an s does not make the plural."""
    return f"{count(value)} {one if value == 1 else more or one + 's'}"


def usd(value: float | None) -> str:
    """US dollars: cents below ten, whole dollars above a thousand."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    if 0 < abs(value) < 0.01:
        return f"${number(value, 2)}"
    return f"${value:,.2f}" if abs(value) < 1000 else f"${value:,.0f}"


def percent(value_frac: float | None, digits: int = 2) -> str:
    """A fraction as a percentage: 0.0312 is "3.1 %"."""
    if value_frac is None or not math.isfinite(value_frac):
        return NOT_KNOWN
    if value_frac != 0 and abs(value_frac) < 1e-6:
        return f"{number(value_frac * 100, digits)} %"
    hundred = value_frac * 100
    return f"{number(hundred, 3 if abs(hundred) >= 99.5 else digits)} %"


def whole_percent(value_frac: float) -> str:
    """A fraction as its source prints it, in whole percents: 0.05 is "5 %"."""
    return f"{round(value_frac * 100):d} %"


def fraction(value_percent: float) -> float:
    """What a typed percentage means: 1 % is 0.01."""
    return value_percent / 100


def in_percent(value_frac: float) -> float:
    """A fraction as the percentage to type."""
    return round(value_frac * 100, 10)


def change(value_ratio: float | None) -> str:
    """The change that a ratio after/before means: 0.37 is "−63 %", 2 is "+100 %"."""
    if value_ratio is None or not math.isfinite(value_ratio):
        return NOT_KNOWN
    moved = value_ratio - 1
    if abs(moved) < 0.0005:
        return "±0 %"
    return f"{'−' if moved < 0 else '+'}{percent(abs(moved))}"


def times(value_ratio: float | None) -> str:
    """A ratio as a factor: "0.37×", "2.7×"."""
    return NOT_KNOWN if value_ratio is None else f"{number(value_ratio)}×"


def times_of(estimate: Estimate | None) -> str:
    """A ratio with its interval: "0.764× (0.725–0.786)"."""
    if estimate is None or estimate.low == estimate.high:
        return times(estimate.mid if estimate else None)
    return f"{times(estimate.mid)} ({number(estimate.low)}–{number(estimate.high)})"


def interval(estimate: Estimate | None, ladder: Ladder, factor: float = 1.0) -> str:
    """ "12.1 ms (11.8–12.4)": middle and ends in one unit. `factor` takes the estimate to the ladder's base unit."""
    if estimate is None:
        return NOT_KNOWN
    step, unit = rung(estimate.mid * factor, ladder, 3)
    return _spread(estimate, lambda value, digits: number(value * factor / step, digits), unit)


def interval_of(estimate: Estimate | None, word: Callable[[float], str]) -> str:
    """The same in words that carry their own unit: "−63 % (−65 %–−60 %)"."""
    if estimate is None:
        return NOT_KNOWN
    if estimate.low == estimate.high:
        return word(estimate.mid)
    return f"{word(estimate.mid)} ({word(estimate.low)} to {word(estimate.high)})"


def ends(estimate: Estimate | None, ladder: Ladder, factor: float = 1.0) -> str:
    """Only the ends, "11.8–12.4 ms"; empty where there is no interval."""
    if estimate is None or estimate.low == estimate.high:
        return ""
    step, unit = rung(estimate.mid * factor, ladder, 3)
    low, high = (number(end * factor / step, 3) for end in (estimate.low, estimate.high))
    return f"{low}–{high} {unit}".rstrip()


def _spread(estimate: Estimate, word: Callable[[float, int], str], unit: str) -> str:
    if estimate.low == estimate.high:
        return f"{word(estimate.mid, 3)} {unit}".rstrip()
    # More digits where three do not tell the ends apart.
    texts: list[str] = []
    for digits in (3, 4, 5, 6):
        texts = [word(value, digits) for value in (estimate.low, estimate.mid, estimate.high)]
        if texts[0] != texts[2]:
            break
    return f"{texts[1]} {unit}".rstrip() + f" ({texts[0]}–{texts[2]})"
