"""What a report says of years: energy, carbon and turbine share, in things people know, ahead, and with a rebound."""

import math
from collections.abc import Sequence

from advisor import equivalents, turbine
from advisor.placement.types import HERE, YearAhead
from advisor.report import document as doc
from advisor.report.document import Cell, Highlight, Section
from advisor.types import Footprint, Outlook, Report
from data import units, words
from data.estimate import Estimate

DAY_S = units.H_PER_DAY * units.S_PER_H


def sections(report: Report) -> tuple[Section, ...]:
    """The year, and, where its energy is known, the years ahead and what becomes of the saving."""
    year = _year(report)
    if report.outlook is None or not report.outlook.years:
        return (year,)
    return (year, _ahead(report, report.outlook), *_return(report, report.outlook))


def _year(report: Report) -> Section:
    before, after = report.footprint_before, report.footprint_after
    if before.kwh_per_year is None:
        return Section(
            id="footprint", title="A year",
            paragraphs=("The energy of a call is not known on this machine, so nothing is said of a year.",),
        )  # fmt: skip
    planned, whole = report.recommendation.plan is not None, placed(report)
    columns = ("Amount", "Today", *(("With the plan",) if planned else ()), *((PLACED,) if whole else ()))
    rows = []
    for name, field, ladder, factor in PARTS:
        if getattr(before, field) is None and field not in ALWAYS:
            continue
        row = [doc.text(name), doc.estimate(getattr(before, field), ladder, f"footprint_before.{field}", factor)]
        row += [doc.estimate(getattr(after, field), ladder, f"footprint_after.{field}", factor)] if planned else []
        if whole:
            total = whole.get(field)
            row.append(doc.estimate(total[0], ladder, total[1], factor) if total else doc.text("-"))
        rows.append(row)
    rows += [[*row, doc.text("-")] if whole else row for row in _cost(before, after, planned)]
    tables = [doc.table("A year at the given demand", columns, rows)]
    tables += _told(report.outlook, planned) if report.outlook else []
    return Section(
        id="footprint", title="A year: energy, carbon and turbine share",
        paragraphs=(
            f"{turbine.said(turbine.yields_kwh(before))}; the time given is how long it works for this. "
            + _scope(before)
            + (WHOLE if whole else ""),
        ),
        tables=tuple(tables),
    )  # fmt: skip


def _cost(before: Footprint, after: Footprint, planned: bool) -> list[list[Cell]]:
    if before.usd_per_year is None:
        return []
    cells = [
        doc.interval(words.interval_of(value, words.usd), value, f"{path}.usd_per_year")
        if value is not None
        else doc.text(words.NOT_KNOWN)
        for value, path in ((before.usd_per_year, "footprint_before"), (after.usd_per_year, "footprint_after"))
    ]
    return [[doc.text("Electricity a year"), *cells[: 2 if planned else 1]]]


PARTS = (
    ("Energy of one call", "energy_j_per_call", words.JOULES, 1.0),
    ("Energy a year", "kwh_per_year", words.KWH, 1.0),
    ("of it while idle", "idle_kwh_per_year", words.KWH, 1.0),
    ("CO2e a year", "g_co2e_per_year", words.GRAMS, 1.0),
    ("of it from making the device", "embodied_g_co2e_per_year", words.GRAMS, 1.0),
    ("Work of one wind turbine", "turbine_years", words.TURBINE, units.S_PER_YEAR),
)
ALWAYS = ("energy_j_per_call", "kwh_per_year", "g_co2e_per_year", "turbine_years")


PLACED = "The service, placed"
WHOLE = (
    " The last column is the whole service in the first place above: its servers wait for calls, the rest of the "
    "machine and the building around them."
)


def placed(report: Report) -> dict[str, tuple[Estimate, str]]:
    """What the service takes a year in its first place, by the field of a footprint, with its path in the JSON report;
    empty where nothing is placed."""
    if not report.placements:
        return {}
    first, years = report.placements[0], report.placed.years if report.placed else ()
    found = {"kwh_per_year": (first.kwh_per_year, "placements.0.kwh_per_year")}
    if first.g_co2e_per_year is not None:
        found["g_co2e_per_year"] = (first.g_co2e_per_year, "placements.0.g_co2e_per_year")
    if years:
        found["turbine_years"] = (years[0].turbine_years, "placed.years.0.turbine_years")
    return found


def _where(report: Report) -> str:
    first = report.placements[0]
    return "here" if first.provider == HERE else f"in {first.provider} {first.region}".rstrip()


def placed_highlight(report: Report, one: Highlight) -> Highlight:
    """A yearly number of the calls alone as that of the placed service, which waits too; others as they are."""
    field = one.cell.path.removesuffix(".mid").rpartition(".")[2]
    if (whole := placed(report).get(field)) is None:
        return one
    value, path = whole
    ladder, factor = next((ladder, factor) for _, name, ladder, factor in PARTS if name == field)
    return Highlight(
        label=f"{one.label} {_where(report)}", cell=doc.middle(value, ladder, path, factor),
        spread=words.ends(value, ladder, factor),
    )  # fmt: skip


def _scope(before: Footprint) -> str:
    parts = [
        name
        for name, value in (
            ("idle hours", before.idle_kwh_per_year), ("the making of the device", before.embodied_g_co2e_per_year)
        )
        if value is None
    ]  # fmt: skip
    missing = ["PUE", *parts]
    named = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
    return f"{named} {'is' if len(missing) == 1 else 'are'} not in these figures: they depend on the place."


def _told(outlook: Outlook, planned: bool) -> list[doc.Table]:
    if not outlook.equivalents:
        return []
    rows = []
    for place, one in enumerate(outlook.equivalents):
        path = f"outlook.equivalents.{place}"
        told = equivalents.wording(one.label)
        row = [doc.text(told.what), _amount(told, one.before, f"{path}.before")]
        rows.append([*row, _amount(told, one.after, f"{path}.after")] if planned else row)
    columns = ("What", "Today", *(("With the plan",) if planned else ()))
    return [doc.table("The same year in things people know", columns, rows)]


def _amount(told: equivalents.Wording, value: Estimate | None, path: str) -> Cell:
    return doc.text(words.NOT_KNOWN, path) if value is None else doc.interval(told.amount(value), value, path)


def _calls(count: float | None) -> str:
    return words.NOT_KNOWN if count is None else f"{words.count(math.ceil(count))} calls"


def _ahead(report: Report, outlook: Outlook) -> Section:
    columns, rows = ahead(outlook.years, "outlook.years", "As it is")
    whose = ", with the plan." if "With the plan" in columns else "."
    return Section(
        id="ahead", title="The years ahead",
        paragraphs=(
            "Demand grows as data centres' did (Masanet et al., as quoted), hardware does more per joule as "
            "record-setting devices did; both are published trends with wide ends, not a forecast of this service. The "
            f"grid is taken to stay as it is.{' These are the calls alone.' if report.placements else ''} "
            f"Turbine share and CO2e are those on newer hardware{whose}",
        ),
        tables=(doc.table("Each year at the demand of that year", columns, rows),),
    )  # fmt: skip


def ahead(years: Sequence[YearAhead], path: str, today: str) -> tuple[list[str], list[list[Cell]]]:
    """Columns and rows of the years ahead that stand at `path` in the JSON report; `today` heads the column of what
    goes on without a plan."""
    planned = any(year.kwh_after is not None for year in years)
    rows = []
    for place, year in enumerate(years):
        at, number = f"{path}.{place}", year.years_ahead
        row = [
            doc.text(f"In {number} year{'s' if number > 1 else ''}" if number else "Now"),
            doc.ratio(year.demand_ratio, f"{at}.demand_ratio"),
            doc.estimate(year.kwh_before, words.KWH, f"{at}.kwh_before"),
        ]
        row += [doc.estimate(year.kwh_after, words.KWH, f"{at}.kwh_after")] if planned else []
        row += [
            doc.estimate(year.kwh_renewed, words.KWH, f"{at}.kwh_renewed"),
            doc.estimate(year.turbine_years, words.TURBINE, f"{at}.turbine_years", units.S_PER_YEAR),
            doc.estimate(year.g_co2e, words.GRAMS, f"{at}.g_co2e"),
        ]
        rows.append(row)
    columns = ["Year", "Demand", today, *(["With the plan"] if planned else [])]
    return [*columns, "On newer hardware", "Wind turbine", "CO2e"], rows


def _return(report: Report, outlook: Outlook) -> tuple[Section, ...]:
    plan = report.recommendation.plan
    if plan is None or not outlook.rebounds:
        return ()
    calls, days = plan.payback_calls, outlook.payback_days
    spread = outlook.break_even_demand_frac
    more = (
        doc.interval(words.interval_of(spread, words.percent), spread, "outlook.break_even_demand_frac")
        if spread is not None
        else doc.text(words.NOT_KNOWN)
    )
    facts = (
        ("Compressing has paid for itself after", doc.value(
            calls, _calls, "recommendation.plan.payback_calls",
            "modelled")),
        ("At the given demand that is", doc.value(
            days, lambda number: words.scaled(number and number * DAY_S, words.SECONDS), "outlook.payback_days",
            "modelled")),
        ("The saving is used up when demand grows by", more),
    )  # fmt: skip
    rows = [
        [
            doc.text(one.title),
            doc.ratio(one.energy_ratio, f"outlook.rebounds.{place}.energy_ratio"),
            doc.text(one.caution or one.energy_ratio.source),
        ]
        for place, one in enumerate(outlook.rebounds)
    ]
    return (
        Section(
            id="rebound", title="Pay-back and rebound", facts=facts,
            paragraphs=(
                "Cheaper calls tend to be asked more often. Were demand to answer as in these published cases, the "
                "energy with the plan would be this multiple of today's; above 1 the saving backfires.",
            ),
            tables=(doc.table("If demand answers as for", ("Case", "Energy, after over before", "Note"), rows),),
        ),
    )  # fmt: skip
