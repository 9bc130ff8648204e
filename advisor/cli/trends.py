"""`python -m advisor trends`: a trend of published systems or hardware, and where a model of your own stands in it."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from advisor import history
from data import words
from data.errors import InputError
from data.records import to_plain

USUAL, HARDWARE = "compute", ("per_watt", "per_usd")


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "trends",
        help="how a quantity grew, and where your model stands in it",
        description="Fits a straight line through log10 values of published systems, with the doubling time and its "
        "95 % interval: python -m advisor trends --metric compute --among frontier --since 2018 --value 3e24",
    )
    parser.add_argument("--metric", default=USUAL, help="compute, parameters, data, cost, power, energy, per_watt, ...")
    parser.add_argument("--among", help="notable, frontier, large_scale, all, sevilla_2022, hardware (notable)")
    parser.add_argument("--since", type=float, default=-math.inf, help="the first year (all)")
    parser.add_argument("--until", type=float, default=math.inf, help="up to this year (all)")
    parser.add_argument(
        "--method", default="least squares", help="least squares, theil-sen or quantile (least squares)"
    )
    parser.add_argument("--value", type=float, help="a value of your own, in the metric's base unit (FLOP, USD, W ...)")
    parser.add_argument("--out", type=Path, help="the rows behind the line as .csv or .parquet")
    parser.add_argument("--into", metavar="REPORT", help="put the chart into the kept report of this id")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the line. Raises InputError on a metric, a set of rows or a span that gives none."""
    from advisor.trends import fits, standing
    from advisor.trends.filters import Filter, select
    from advisor.trends.metrics import metric
    from advisor.trends.rows import SETS, rows

    chosen = metric(args.metric)
    among = args.among or chosen.sets[0]
    if among not in SETS or among not in chosen.sets:
        raise InputError(f"{chosen.title} is not known of {among}.", hint=f"Choose one of {', '.join(chosen.sets)}.")
    found = select(rows(among), chosen.column, Filter(from_year=args.since, to_year=args.until))
    if args.out is not None:
        writers = {".csv": history.as_csv, ".parquet": history.as_parquet}
        if args.out.suffix not in writers:
            raise InputError("Rows are written as .csv or .parquet.")
        args.out.write_bytes(writers[args.out.suffix](found.rows))
    line = fits.fit(
        found.rows["year"].to_numpy(), found.rows[chosen.column].to_numpy(dtype=float), args.method, draws=1_000
    )
    if args.into is not None:
        _into(args, among)
    low, mid, high = line.doubling()
    answer: dict[str, Any] = {
        "metric": chosen.key, "among": among, "n": line.n, "method": line.method,
        "slope_oom_per_year": {"low": line.slope_low, "mid": line.slope_oom_per_year, "high": line.slope_high},
        "x_per_year": line.x_per_year, "doubling_months": {"low": low, "mid": mid, "high": high}, "r2": line.r2,
        "residual_sd_oom": line.residual_sd_oom, "dropped": [to_plain(one) for one in found.dropped],
    }  # fmt: skip
    if args.value is not None:
        answer["months_behind"] = to_plain(standing.months_behind(args.value, line))
        answer["larger_than_frac"] = float((found.rows[chosen.column] < args.value).mean())
    print(json.dumps(answer) if args.json else _told(answer))


def _into(args: argparse.Namespace, among: str) -> None:
    """Puts the chart into a kept report. Raises InputError where there is none of this id."""
    from advisor import clip
    from advisor.figures.trend_marks import rule_levels, scale_of, star_of
    from advisor.trends import view, wording
    from advisor.trends.filters import Filter
    from advisor.trends.metrics import metric
    from advisor.trends.standing import MyModel
    from advisor.types import Report
    from data.home import home
    from data.store import Store

    chosen, store = metric(args.metric), Store(home().store)
    try:
        report = store.get(Report, args.into)
        if report is None:
            raise InputError("There is no report of this id.", hint="python -m advisor history list --reports")
        shown = view.view(chosen, among, Filter(from_year=args.since, to_year=args.until), (), args.method)
        mine = None
        if args.value is not None and chosen.sets != ("hardware",):
            mine = MyModel(name="My model", **{chosen.column: args.value})
        levels = rule_levels() if chosen.key == USUAL else ()
        chart = clip.chart_of(shown, scale_of(chosen), star=star_of(mine, chosen), levels=levels)
        told = wording.standing_of(mine, chosen, shown.last.line if shown.last else None) if mine else []
        store.save(clip.put(report, clip.of_view(shown, chart, told)))
    finally:
        store.close()


def _told(answer: dict[str, Any]) -> str:
    doubling = answer["doubling_months"]
    ends = " to ".join(words.NOT_KNOWN if doubling[end] is None else f"{doubling[end]:.1f}" for end in ("low", "high"))
    mid = "does not rise" if doubling["mid"] is None else f"doubles every {doubling['mid']:.1f} months ({ends})"
    lines = [f"{answer['metric']} of {answer['n']} {answer['among']} rows: {mid}, {answer['x_per_year']:.2f} x a year"]
    if "larger_than_frac" in answer:
        behind = answer["months_behind"]
        told = (
            ""
            if behind is None
            else f", {behind['mid']:.0f} months behind the line ({behind['low']:.0f} to {behind['high']:.0f})"
        )
        lines.append(f"yours is larger than {words.percent(answer['larger_than_frac'])} of them{told}")
    return "\n".join(lines)
