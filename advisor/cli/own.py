"""`python -m advisor own`: devices, zone values and prices of your own, as the page About, Yours keeps them."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from data.errors import InputError

GIVEN = {
    "tdp_w": "rated power (W)", "fp32_tflop_per_s": "FP32 peak (TFLOP/s)",
    "fp16_tflop_per_s": "dense FP16 peak (TFLOP/s)",
    "int8_top_per_s": "dense INT8 peak (TOP/s)", "memory_gib": "memory (GiB)", "memory_gb_per_s": "bandwidth (GB/s)",
    "pue": "PUE of where it stands (the world's average)",
}  # fmt: skip


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "own",
        help="devices, zone values and prices of your own",
        description="Lists them, after adding or forgetting one: python -m advisor own --zone DE=320",
    )
    parser.add_argument("--zone", metavar="ZONE=GRAMS", help="g CO2e a kWh of a zone, shipped or new: DE=320")
    parser.add_argument(
        "--price", metavar="PLACE=USD",
        help="US$ an hour: aws/p5.48xlarge/us-east-1=24; of a device of yours: yours/own-my-card/here=0.5",
    )  # fmt: skip
    parser.add_argument("--device", metavar="NAME", help="a device by its name, with the figures below")
    parser.add_argument("--kind", default="gpu", help="gpu, tpu, npu or cpu (gpu)")
    for name, what in GIVEN.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=f"of the device: {what}")
    parser.add_argument("--forget", metavar="WHAT/NAME", help="forget one: zone/DE")
    parser.add_argument("--json", action="store_true", help="what is yours as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Changes and lists what is yours. Raises InputError on what cannot be kept."""
    from data import own
    from data.home import home
    from data.store import Store

    store = Store(home().store)
    try:
        if args.zone:
            zone, grams = _pair(args.zone)
            own.add_zone(store, zone, grams)
        if args.price:
            place, usd = _pair(args.price)
            names = place.split("/")
            if len(names) != 3:
                raise InputError("A price has provider, instance and region.", hint="aws/p5.48xlarge/us-east-1=24")
            own.add_price(store, names[0], names[1], names[2], usd)
        if args.device:
            figures = {name: getattr(args, name) for name in GIVEN}
            own.add_device(store, own.device_of(args.device, args.kind, **figures))
        if args.forget:
            own.remove(store, *args.forget.partition("/")[::2])
        rows = store.ask("own_rows")
    finally:
        store.close()
    found = [{**row, "row": json.loads(row["row"])} for row in rows.to_dict("records")]
    print(json.dumps(found) if args.json else "\n".join(_told(one) for one in found) or "Nothing of yours yet.")


def _pair(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        raise InputError(f"'{text[:60]}' is not NAME=NUMBER.", hint="For example DE=320") from error


def _told(one: Mapping[Any, Any]) -> str:
    values = ", ".join(f"{name} {value}" for name, value in one["row"].items() if name not in ("yours", "source_ids"))
    return f"{one['what']}/{one['name']}: {values}"
