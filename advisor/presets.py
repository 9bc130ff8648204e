"""The worked examples of the talks and texts: inputs one can change, what follows from them, and what was published.

A row of claims/worked_examples names a formula (advisor/preset_formulas) and its inputs. A further example is a row.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from advisor.preset_formulas import FORMULAS, Value
from data.errors import DataError, InputError
from data.tables import frame

FOLLOWS = {"yes": "follows", "rounded": "follows when rounded", "no": "does not follow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One worked example. `published` is the figure as it was printed, `verdict` why it does or does not follow."""

    example_id: str
    preset: str
    title: str
    formula: str
    inputs: dict[str, Value]
    expected: float
    unit: str
    tolerance_frac: float
    published: str
    follows: str
    verdict: str

    def value(self, changes: Mapping[str, Value] | None = None) -> float:
        """What follows from the inputs, some of them changed. Raises InputError on an input it does not have."""
        given = {**self.inputs, **(changes or {})}
        unknown = set(given) - set(self.inputs)
        if unknown:
            raise InputError(f"{self.title} has no input {', '.join(sorted(unknown))}.")
        return FORMULAS[self.formula](**given)

    def reproduces(self) -> bool:
        """Whether the inputs give the expected value within its tolerance."""
        return abs(self.value() - self.expected) <= self.tolerance_frac * abs(self.expected)


@cache
def examples() -> tuple[Example, ...]:
    """Every worked example. Raises DataError where a row names no formula, or inputs its formula does not take."""
    rows = frame("claims", "worked_examples").fillna({"inputs": "", "published": "", "verdict": ""})
    found = []
    for row in rows.to_dict("records"):
        inputs = dict(_input(part) for part in str(row["inputs"]).split("; ") if part)
        formula = FORMULAS.get(str(row["formula"]))
        if formula is None or set(inspect.signature(formula).parameters) != set(inputs):
            raise DataError(f"Worked example {row['example_id']}: formula or inputs are not known.")
        found.append(Example(**{**{str(name): cell for name, cell in row.items()}, "inputs": inputs}))
    return tuple(found)


def presets() -> dict[str, tuple[Example, ...]]:
    """The examples by the preset they belong to, in the order of the table."""
    names = dict.fromkeys(example.preset for example in examples())
    return {name: tuple(example for example in examples() if example.preset == name) for name in names}


def example(example_id: str) -> Example:
    """The example with this id ("gpt3.energy"). Raises InputError where there is none."""
    for found in examples():
        if found.example_id == example_id:
            return found
    raise InputError(f"No worked example is called {example_id}.", hint="The presets list them.")


def _input(part: str) -> tuple[str, Value]:
    name, _, text = part.partition("=")
    try:
        return name, float(text)
    except ValueError:
        return name, text
