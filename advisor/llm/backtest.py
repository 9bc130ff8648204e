"""Predicted against measured: every configuration of energy/ml_energy whose architecture is known."""

import json
from functools import cache

import pandas as pd

from advisor.llm import speed
from advisor.llm.architecture import Architecture
from advisor.llm.configs import of_config
from advisor.llm.memory import precision
from data import tables

STORED = {"bfloat16": "bf16", "fp8": "fp8", "mxfp4": "mxfp4"}
# Tokens of a prompt by task: not stated with the measurements, so assumed; half of the answer stands on top.
PROMPT_TOKENS = {"lm-arena-chat": 150, "gpqa": 300, "sourcegraph-fim": 1500, "image-chat": 1500, "video-chat": 4000}


@cache
def rows() -> pd.DataFrame:
    """model, device_id, devices_count, batch, predicted and measured time_per_token_ms and j_per_token."""
    known = _named()
    measured = tables.frame("energy", "ml_energy")
    measured = measured[(measured["per"] == "token") & measured["model"].isin(known) & measured["latency_ms"].notna()]
    found = []
    for row in measured.to_dict("records"):
        prompt = PROMPT_TOKENS[str(row["task"])]
        context = prompt + int(float(row["output_tokens_per_request"]) / 2)
        load = speed.Load(context=context, batch=int(row["batch"]), prompt=prompt)
        on = tables.device(str(row["device_id"]))
        made = speed.predict(
            known[str(row["model"])], precision(STORED[str(row["dtype"])]), on, int(row["devices_count"]), load
        )
        found.append(
            {
                "model": row["model"], "task": row["task"], "device_id": row["device_id"],
                "devices_count": int(row["devices_count"]), "batch": int(row["batch"]),
                "predicted_ms": made.time_per_token_ms.mid, "measured_ms": float(row["latency_ms"]),
                "predicted_j": made.j_per_token.mid if made.j_per_token else None, "measured_j": float(row["energy_j"]),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def errors() -> dict[str, float]:
    """Median relative error of the time per token and of the joules per token, and how many rows they rest on."""
    every = rows()
    return {
        "time_median_frac": float((every["predicted_ms"] / every["measured_ms"] - 1).abs().median()),
        "energy_median_frac": float((every["predicted_j"] / every["measured_j"] - 1).abs().median()),
        "rows_count": float(len(every)),
    }


def _named() -> dict[str, Architecture]:
    listed = tables.frame("llm", "architectures").dropna(subset=["measured_as"])
    return {
        measured: of_config(json.loads(row["config"]), str(row["name"]))
        for row in listed.to_dict("records")
        for measured in str(row["measured_as"]).split(";")
    }
