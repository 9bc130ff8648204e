"""`python -m advisor fleet`: what a fleet of devices takes a day and a year."""

import argparse
import json
from typing import Any

from data import words
from data.records import to_plain


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "fleet",
        help="what a fleet of devices takes a day and a year",
        description="ChatGPT in 2023, as talked of: python -m advisor fleet 28936 --watts 400 --load 0.5 "
        "--overhead 1.33",
    )
    parser.add_argument("devices", type=float, metavar="DEVICES", help="how many devices")
    parser.add_argument("--chip", help="device of the catalogue, for its rated power")
    parser.add_argument("--watts", type=float, help="power of one, instead of a chip")
    parser.add_argument("--load", type=float, default=0.5, help="share of the rated power (0.5)")
    parser.add_argument("--hours", type=float, default=24.0, help="hours a day (24)")
    parser.add_argument("--overhead", type=float, default=1.0, help="server over devices (1)")
    parser.add_argument("--pue", type=float, default=1.0, help="building over server (1)")
    parser.add_argument("--zone", help="grid zone: DE; without one there is no CO2e")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the fleet. Raises InputError on what cannot be."""
    from advisor import calculators, turbine
    from data import tables
    from data.errors import InputError

    if args.watts is None and args.chip is None:
        raise InputError("What does one device take?", hint="Give --watts 400 or --chip nvidia-a100-sxm4-80gb.")
    rated = calculators.power_of(tables.device(args.chip)) if args.watts is None else calculators.typed(args.watts)
    found = calculators.fleet(
        args.devices, rated, hours_per_day=args.hours, utilisation=args.load, overhead=args.overhead, pue=args.pue,
        grid=tables.zone(args.zone).estimate() if args.zone else None, by=turbine.chosen(),
    )  # fmt: skip
    if args.json:
        print(json.dumps(to_plain(found)))
        return
    carbon = words.interval(found.g_co2e_per_year, words.GRAMS) if found.g_co2e_per_year else "not known without --zone"
    print(f"a day: {words.interval(found.kwh_per_day, words.KWH)}, one wind turbine for "
          f"{words.turbine(found.turbine_years_per_day.mid)}\n"
          f"a year: {words.interval(found.kwh_per_year, words.KWH)}, {words.turbines(found.turbines.mid)}\n"
          f"CO2e a year: {carbon}")  # fmt: skip
