"""Predicted against measured: every configuration of energy/ml_energy whose architecture is known."""

import json
import re
from dataclasses import dataclass
from functools import cache

import pandas as pd

from advisor.llm import speed, step
from advisor.llm.architecture import Architecture
from advisor.llm.configs import known, of_config
from advisor.llm.memory import Precision, precision
from data import tables
from data.tables import Device
from data.units import MS_PER_S

STORED = {"bfloat16": "bf16", "fp8": "fp8", "mxfp4": "mxfp4"}
# Tokens of a prompt by task: not stated with the measurements, so assumed; half of the answer stands on top.
PROMPT_TOKENS = {"lm-arena-chat": 150, "gpqa": 300, "sourcegraph-fim": 1500, "image-chat": 1500, "video-chat": 4000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One measured server."""

    model: str
    task: str
    arch: Architecture
    stored: Precision
    device: Device
    count: int
    load: step.Load
    measured_s: float
    measured_j: float
    measured_w: float


@cache
def cases(column: str = "measured_as") -> tuple[Case, ...]:
    """Every measured server whose model's architecture is known; "held_out_as": those the fit never saw, whose
    language part is known."""
    named = _named(column)
    measured = tables.frame("energy", "ml_energy")
    measured = measured[(measured["per"] == "token") & measured["model"].isin(named) & measured["latency_ms"].notna()]
    found = []
    for row in measured.to_dict("records"):
        prompt, answer = PROMPT_TOKENS[str(row["task"])], float(row["output_tokens_per_request"])
        load = step.Load(
            context=prompt + int(answer / 2), batch=int(row["batch"]), prompt=prompt, answer=max(1, round(answer))
        )
        found.append(
            Case(
                model=str(row["model"]), task=str(row["task"]), arch=named[str(row["model"])],
                stored=precision(STORED[str(row["dtype"])]), device=tables.device(str(row["device_id"])),
                count=int(row["devices_count"]), load=load, measured_s=float(row["latency_ms"]) / MS_PER_S,
                measured_j=float(row["energy_j"]), measured_w=float(row["mean_w"]),
            )
        )  # fmt: skip
    return tuple(found)


@cache
def rows(column: str = "measured_as") -> pd.DataFrame:
    """model, task, device_id, devices_count, batch, predicted and measured time_per_token (ms) and energy_token (J)."""
    found = []
    for case in cases(column):
        made = speed.predict(case.arch, case.stored, case.device, case.count, case.load)
        found.append(
            {
                "model": case.model, "task": case.task, "device_id": case.device.device_id,
                "devices_count": case.count, "batch": case.load.batch,
                "predicted_ms": made.time_per_token_ms.mid, "measured_ms": case.measured_s * MS_PER_S,
                "predicted_j": made.j_per_token.mid if made.j_per_token else None, "measured_j": case.measured_j,
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def errors(column: str = "measured_as") -> dict[str, float]:
    """Median relative error of the time per token and of the joules per token, which share their intervals hold, and
    how many rows they rest on."""
    every = rows(column)
    time, joules = every["measured_ms"] / every["predicted_ms"], every["measured_j"] / every["predicted_j"]
    return {
        "time_median_frac": float((1 / time - 1).abs().median()),
        "energy_median_frac": float((1 / joules - 1).abs().median()),
        "time_held_frac": float(time.between(*step.parameters()["time_ratio"][1:]).mean()),
        "energy_held_frac": float(joules.between(*step.parameters()["energy_ratio"][1:]).mean()),
        "rows_count": float(len(every)),
    }


@cache
def one_sequence() -> pd.DataFrame:
    """model, weights, device_id, predicted_ms, measured_ms, inside (whether the interval holds what was measured): one
    sequence, on devices and with software and weights the fit never saw (llm/one_sequence)."""
    found = []
    for row in tables.frame("llm", "one_sequence").to_dict("records"):
        load = step.Load(context=int(row["context_tokens"]))
        made = speed.predict(
            known()[row["model"]], precision(row["weights"]), tables.device(row["device_id"]), 1, load
        ).time_per_token_ms
        measured = MS_PER_S / float(row["tokens_per_s"])
        said = {key: row[key] for key in ("model", "weights", "device_id")}
        inside = made.low <= measured <= made.high
        found.append(said | {"predicted_ms": made.mid, "measured_ms": measured, "inside": inside})
    return pd.DataFrame(found)


def base(model: str) -> str:
    """The model a measured name is a version of: instruct, thinking and FP8 ones together."""
    return re.sub(r"-(Instruct|Thinking|FP8).*", "", model)


def _named(column: str) -> dict[str, Architecture]:
    listed = tables.frame("llm", "architectures").dropna(subset=[column])
    return {
        measured: of_config(json.loads(row["config"]), str(row["name"]))
        for row in listed.to_dict("records")
        for measured in str(row[column]).split(";")
    }
