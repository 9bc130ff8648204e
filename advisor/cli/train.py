"""`python -m advisor train`: what a training takes, from parameters and tokens, from FLOP, or from chip-hours."""

import argparse
import json
from dataclasses import replace
from typing import Any

from data import units, words
from data.errors import InputError
from data.records import to_plain

CHIP = "nvidia-h100-sxm5-80gb"


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "train",
        help="what a training takes: hours, energy, CO2e, dollars, turbine time",
        description="python -m advisor train --parameters 7B --tokens 2T --chip nvidia-h100-sxm5-80gb --chips 64 "
        "--zone DE. The share of the peak is 0.30 to 0.40 unless given: it is never 1.",
    )
    parser.add_argument("--parameters", default="", help="parameters: 7B")
    parser.add_argument("--tokens", default="", help="training tokens or samples: 2T")
    parser.add_argument("--flop", default="", help="training compute, instead of parameters and tokens: 8.4e22")
    parser.add_argument("--chip-hours", default="", help="chip-hours, instead of any of these: 1.08M")
    parser.add_argument("--way", default="pretrain", help="pretrain, fine-tune, lora or head (pretrain)")
    parser.add_argument("--trained", default="", help="parameters of the adapters or the head: 40M")
    parser.add_argument("--chip", default=CHIP, help=f"device of the catalogue ({CHIP})")
    parser.add_argument("--chips", type=float, default=8, help="how many (8)")
    parser.add_argument("--utilisation", type=float, help="share of the peak reached, stops included (0.30 to 0.40)")
    parser.add_argument("--overhead", type=float, default=1.33, help="server over chips (1.33)")
    parser.add_argument("--pue", type=float, default=1.56, help="building over server (1.56, the world's average)")
    parser.add_argument("--zone", help="grid zone: DE; without one there is no CO2e")
    parser.add_argument("--trials", type=int, default=1, help="training runs in all (1)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the run. Raises InputError on what cannot be."""
    from advisor import calculators, training, turbine
    from data import tables
    from data.estimate import exact

    chip = tables.device(args.chip)
    share = training.default_utilisation() if args.utilisation is None else exact(args.utilisation)
    if args.chip_hours:
        share = exact(share.mid, share.basis, share.source)  # the hours are known: they have no interval
    peak = training.peak_flop_per_s(chip)
    cluster = training.Cluster(
        chips=args.chips, flop_per_s=peak, chip_w=calculators.power_of(chip), utilisation=share,
        overhead=exact(args.overhead), pue=exact(args.pue),
        grid=tables.zone(args.zone).estimate() if args.zone else None,
        usd_per_chip_h=calculators.usd_per_chip_h(args.chip),
    )  # fmt: skip
    found = training.run(_flop(args, peak, share.mid), cluster, args.trials)
    found = replace(found, turbine_years=turbine.chosen().years(found.energy_kwh))
    print(json.dumps(to_plain(found)) if args.json else _told(found))


def _flop(args: argparse.Namespace, peak: float, share: float) -> float:
    from advisor import training
    from advisor.trends.amounts import amount

    parameters, tokens = amount(args.parameters, "--parameters"), amount(args.tokens, "--tokens")
    hours, flop = amount(args.chip_hours, "--chip-hours"), amount(args.flop, "--flop")
    if flop is not None:
        return flop
    if hours is not None:
        return training.flop_of_chip_h(hours, peak, share)
    if parameters is None or tokens is None:
        raise InputError("How large is the training?", hint="Give --parameters and --tokens, --flop or --chip-hours.")
    return training.training_flop(parameters, tokens, args.way, amount(args.trained, "--trained"))


def _told(found: Any) -> str:
    from advisor import training

    likely = training.likely_kwh(found.energy_kwh)
    seconds = found.wall_h * units.S_PER_H
    lines = [
        f"compute: {found.flop:.3g} FLOP at {words.percent(found.utilisation.mid)} of the peak",
        f"time: {words.interval(seconds, words.SECONDS)}, {words.number(found.chip_h.mid)} chip-hours",
        f"energy: {words.interval(found.energy_kwh, words.KWH)} by rated power; usually reported "
        f"{words.interval(likely, words.KWH)}",
        f"one wind turbine: {words.turbine(found.turbine_years.mid)}",
        f"CO2e: {words.interval(found.g_co2e, words.GRAMS)}" if found.g_co2e else "CO2e: not known without --zone",
        f"cost: {words.interval_of(found.usd, words.usd)}" if found.usd else "cost: nobody here rents this chip out",
        *found.warnings,
    ]
    return "\n".join(lines)
