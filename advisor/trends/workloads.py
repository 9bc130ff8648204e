"""What one large operator's accelerators were used for, generation by generation: a reference, as its maker claims."""

from datetime import date
from functools import cache

import pandas as pd

from advisor.clippings import NOT_NAMED, Chart, ChartBar, ChartPart
from data import tables, words

SOURCE = "claims/jouppi_2023_table_1"
BASIS = "claimed"
AXIS = "Share of the TPUs in use"
TITLE = "What Google's TPUs ran"
ABOUT = "Share of TPUs by type of model, as Google claims it: one month of each generation, in different use."
NEWEST_TYPE = "Transformer"


def rows() -> pd.DataFrame:
    """The shipped rows, oldest generation first; those with `part_of` are parts of another row."""
    return tables.frame("claims", "tpu_workloads").sort_values("month_date", kind="stable", ignore_index=True)


@cache
def bars() -> tuple[ChartBar, ...]:
    """A bar for each generation, its types in the order of the source. What is not named is no part: it is unknown."""
    whole = rows()[lambda frame: frame["part_of"].isna()]
    return tuple(
        ChartBar(
            name=f"{tpu}, {_month(month)}",
            note=str(used_for),
            parts=tuple(
                ChartPart(name=str(name), value_frac=float(share))
                for name, share in zip(part["model_type"], part["share_frac"], strict=True)
            ),
        )
        for (tpu, month, used_for), part in whole.groupby(["tpu", "month_date", "used_for"], sort=False)
    )


def chart() -> Chart:
    """The mix as bars for a page and a report."""
    return Chart(axis=AXIS, log=False, bars=bars(), basis=BASIS)


def table() -> pd.DataFrame:
    """A row a generation: when, for what, each type's share in words ("–" where the source has none), the rest."""
    names = list(dict.fromkeys(part.name for bar in bars() for part in bar.parts))
    found = []
    for bar in bars():
        shares = {part.name: part.value_frac for part in bar.parts}
        told = {name: words.whole_percent(shares[name]) if name in shares else "–" for name in names}
        found.append({"Generation": bar.name, "Used for": bar.note, **told, NOT_NAMED.capitalize(): _rest(bar) or "–"})
    return pd.DataFrame(found)


def sentences() -> list[str]:
    """What each bar says, its parts' parts included, and what must be known to read them together."""
    inner = rows()[lambda frame: frame["part_of"].notna()]
    told = []
    for bar in bars():
        parts = []
        for part in bar.parts:
            of_it = inner[(inner["tpu"] == bar.name.split(",")[0]) & (inner["part_of"] == part.name)]
            split = " and ".join(
                f"{name} {words.whole_percent(share)}"
                for name, share in zip(of_it["model_type"], of_it["share_frac"], strict=True)
            )
            parts.append(f"{part.name} {words.whole_percent(part.value_frac)}" + (f" ({split})" if split else ""))
        rest = f"; {NOT_NAMED} {_rest(bar)}" if _rest(bar) else ""
        told.append(f"{bar.name}, {bar.note}: {', '.join(parts)}{rest}.")
    return [*told, "Inference and training are different loads: compare like with like, 2016 with 2020."]


def meaning() -> list[str]:
    """What follows for someone who buys hardware, from the shares alone."""
    first, last = bars()[0], bars()[-1]
    same_use = [bar for bar in bars() if bar.note == first.note][-1]
    years = _year(same_use) - _year(first)
    return [
        f"In {years} years the share of Transformers in {first.note} rose from none named to "
        f"{_share(same_use)}; in {last.note} it was {_share(last)} in {_year(last)}. Keep a device that long, and it "
        "will run kinds of models that were rare when it was bought.",
        "So choose it by what most kinds share (memory, bandwidth, dense products at the widths you use), and "
        "not for one kind of model alone.",
    ]


def _share(bar: ChartBar) -> str:
    return words.whole_percent(next(part.value_frac for part in bar.parts if part.name == NEWEST_TYPE))


def _rest(bar: ChartBar) -> str:
    return words.whole_percent(bar.rest_frac) if bar.rest_frac else ""


def _month(text: object) -> str:
    day = date.fromisoformat(str(text))
    return f"{day.month}/{day.year}"


def _year(bar: ChartBar) -> int:
    return int(bar.name.rsplit("/", 1)[1])
