"""The class a model belongs to, as a line to project; and what a training of some size costs in a coming year."""

import numpy as np
import pandas as pd

from advisor.trends import fits
from advisor.trends.fits import Fit
from advisor.trends.metrics import Metric
from advisor.trends.reference import reference_fit
from advisor.trends.rows import rows
from advisor.trends.standing import SIZE_CLASS, MyModel
from data.errors import InputError
from data.estimate import Estimate

CLASSES = {
    "shown": "What is shown",
    "frontier": "Frontier",
    "notable": "All notable",
    "size": "Of my size",
    "cost": "Of my cost",
}
SINCE = {"frontier": 2018.0, "notable": 2010.0, "size": 2010.0, "cost": 2010.0}


def offered(metric: Metric, mine: MyModel | None) -> list[str]:
    """The classes one can project for this metric."""
    if metric.sets == ("hardware",):
        return ["shown"]
    own = {"size": mine and mine.parameter_count, "cost": mine and mine.training_usd}
    return [name for name in CLASSES if own.get(name, True)]


def class_line(name: str, metric: Metric, mine: MyModel | None = None) -> Fit:
    """The line of a class in a metric: frontier since 2018; notable, of my parameters or cost (a third to three times)
    since 2010. Raises InputError where too few have a value."""
    if name not in SINCE:
        raise InputError(f"There is no class called {name}.", hint=f"Choose one of {', '.join(SINCE)}.")
    frame = rows("frontier" if name == "frontier" else "notable")
    frame = frame[frame[metric.column].gt(0) & frame["year"].ge(SINCE[name])]
    if name == "size":
        frame = _near(frame, "parameter_count", mine.parameter_count if mine else None)
    elif name == "cost":
        frame = _near(frame, "training_usd", mine.training_usd if mine else None)
    values = frame[metric.column].to_numpy(dtype=float) * metric.factor
    return fits.fit(frame["year"].to_numpy(dtype=float), values, draws=2_000)


def cost_of(training_flop: float, year: float) -> Estimate:
    """US dollars (2023) of a training of so many FLOP in a decimal year, by the trend of FLOP per dollar: the band that
    holds half of the published runs."""
    return _per_flop(
        training_flop, year, "flop-per-usd-2012-26", "achieved FLOP per dollar of published runs (Epoch AI)"
    )


def energy_of(training_flop: float, year: float) -> Estimate:
    """Joules of a training of so many FLOP in a decimal year, by the trend of FLOP per joule: nameplate power x time,
    the band that holds half of the published runs."""
    return _per_flop(
        training_flop, year, "flop-per-joule-2012-26", "achieved FLOP per joule, nameplate power (Epoch AI)"
    )


def _per_flop(training_flop: float, year: float, fit_id: str, source: str) -> Estimate:
    line = reference_fit(fit_id).line
    low, high = fits.band(line, np.array([year]), 0.5)
    ends = [training_flop / 10 ** float(edge) for edge in (high[0], line.at(year), low[0])]
    return Estimate(low=ends[0], mid=ends[1], high=ends[2], basis="modelled", source=source)


def _near(frame: pd.DataFrame, column: str, value: float | None) -> pd.DataFrame:
    if not value:
        raise InputError("Your model's value is not known.", hint="Type it under Your model.")
    return frame[(frame[column] / value).between(1 / SIZE_CLASS, SIZE_CLASS)]
