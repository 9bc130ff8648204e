"""What a report says of where to run it: what was asked, what decided, the places, their energy, the years there."""

from collections.abc import Sequence

from advisor.placement.types import Placed, Placement
from advisor.report import document as doc
from advisor.report import years as report_years
from advisor.report.document import Cell, Section, Table
from advisor.types import Report
from data import tables, units, words
from data.errors import InputError
from data.estimate import Estimate
from data.own import SOURCE

SHOWN = 10
MS = 1.0 / units.MS_PER_S
COLUMNS = (
    "Where", "On", "Runs", "Servers", "Busy", "Latency", "Answer", "Energy a year", "CO2e a year", "Cost a year",
)  # fmt: skip


def sections(report: Report) -> tuple[Section, ...]:
    """The section of the placement; none where nothing was placed."""
    placed, shown = report.placed, report.placements[:SHOWN]
    if placed is None and not shown:
        return ()
    titles = placed.titles if placed is not None else {}
    rows = [_row(one, f"placements.{place}", titles) for place, one in enumerate(shown)]
    left = len(report.placements) - len(shown)
    made = [doc.table("Places, best first", COLUMNS, rows), *_electricity(shown)] if rows else []
    made += [_here(placed)] if placed is not None and placed.here is not None else []
    made += _parts(placed) + _years(placed) if placed is not None else []
    points = _points(placed, shown)
    return (
        Section(
            id="placement", title="Where to run it", paragraphs=_asked(placed),
            points=(*points, *((f"{left:,} more places stand in the JSON report.",) if left else ())),
            tables=tuple(made),
        ),
    )  # fmt: skip


def _asked(placed: Placed | None) -> tuple[str, ...]:
    if placed is None:
        return ()
    limit = placed.budget_ms
    budget = "no latency budget" if limit is None else f"{words.latency(limit)} at p{placed.percentile:g}"
    users = f" for users in {', '.join(placed.users_at)}" if placed.users_at else ", the way to the users not counted"
    asked = (
        f"{words.count(placed.requests_per_day)} requests a day, {placed.peak_factor:g} times as many at the peak; "
        f"{budget}{users}; least {placed.objective}."
    )
    judged = (
        f"{placed.feasible_count:,} of {placed.considered_count:,} combinations of variant, instance, region, number "
        "and batch meet every limit. Latency is predicted from each variant's own graph, and measured where the device "
        "is this machine; claims of providers stand in columns of their own and rank nothing."
    )
    return placed.headline, asked, judged


def _points(placed: Placed | None, shown: Sequence[Placement]) -> tuple[str, ...]:
    reasons = shown[0].reasons if shown else ()
    if placed is None:
        return reasons
    binds = f"What binds: {placed.binding_constraint}." if placed.binding_constraint else "No limit binds."
    said = (*reasons, binds, placed.runner_up_margin, *placed.would_change, *placed.until)
    return (*(one for one in said if one), *(f"Not placed: {one}" for one in placed.not_placed))


def _row(one: Placement, path: str, titles: dict[str, str]) -> list[Cell]:
    known = {True: "", False: " (not offered there)", None: " (not known to be offered there)"}[one.available]
    known += ", at your price" if _is_yours(one.usd_per_year) else ""
    known += ", with your carbon" if _is_yours(one.g_co2e_per_year) else ""
    dollars = one.usd_per_year
    return [
        doc.text(" ".join(part for part in (one.provider, one.region, f"({one.zone})" if one.zone else "") if part)),
        doc.text(f"{one.instance or one.device_id}{known}"),
        doc.text(titles.get(one.variant_id, one.variant_id)),
        doc.value(one.replicas, words.count, f"{path}.replicas", "modelled"),
        doc.value(one.utilisation_frac, words.percent, f"{path}.utilisation_frac", "modelled"),
        doc.estimate(one.latency_ms, words.LATENCY, f"{path}.latency_ms", MS),
        doc.value(one.answer_ms, words.latency, f"{path}.answer_ms", "modelled"),
        doc.estimate(one.kwh_per_year, words.KWH, f"{path}.kwh_per_year"),
        doc.estimate(one.g_co2e_per_year, words.GRAMS, f"{path}.g_co2e_per_year"),
        Cell(words.usd(dollars.mid), dollars.mid, f"{path}.usd_per_year.mid", dollars.basis)
        if dollars is not None
        else doc.text(words.NOT_KNOWN),
    ]


def _electricity(shown: Sequence[Placement]) -> list[Table]:
    """The grid's average beside what the providers claim of the same regions: columns that are never mixed."""
    regions = {(one.provider, one.region, one.zone): one for one in shown if one.region}
    rows = [
        [doc.text(f"{one.provider} {one.region}"), doc.text(_grid(one)), *map(doc.text, _claims(one))]
        for one in regions.values()
    ]
    columns = ("Region", "Grid, average of a year", "Hourly carbon-free, claimed", "Yearly renewable match, claimed")
    return [doc.table("The electricity of these regions", columns, rows)] if rows else []


def _grid(one: Placement) -> str:
    """The annual average a placement's carbon was reckoned with, in words."""
    grams = one.g_co2e_per_year
    if grams is None or not one.kwh_per_year.mid:
        return words.NOT_KNOWN
    return f"{grams.mid / one.kwh_per_year.mid:,.0f} g/kWh{', yours' if _is_yours(grams) else ''}"


def _is_yours(value: Estimate | None) -> bool:
    return value is not None and SOURCE in value.source.replace(";", " ").split()


def _claims(one: Placement) -> tuple[str, str]:
    """The provider's hourly carbon-free share and annual renewable match of the region; "none" where it claims none."""
    try:
        at = tables.region(one.provider, one.region) if one.region else None
    except InputError:
        at = None
    shares = (at.carbon_free_hourly_frac, at.renewable_match_annual_frac) if at else (None, None)
    free, match = ("none" if share is None else words.percent(share) for share in shares)
    return free, match


def _here(placed: Placed) -> Table:
    assert placed.here is not None
    row = _row(placed.here, "placed.here", placed.titles)
    return doc.table("This machine, judged without the limits", COLUMNS, [row])


def _parts(placed: Placed) -> list[Table]:
    rows = [
        [
            doc.text(one.label),
            doc.value(one.kwh_per_year, words.energy_kwh, f"placed.parts.{place}.kwh_per_year", "modelled"),
        ]
        for place, one in enumerate(placed.parts)
    ]
    return [doc.table("Where the first place's energy goes, a year", ("Part", "Energy"), rows)] if rows else []


def _years(placed: Placed) -> list[Table]:
    columns, rows = report_years.ahead(placed.years, "placed.years", "The original")
    return [doc.table("The service placed so, each year at its demand", columns, rows)] if rows else []
