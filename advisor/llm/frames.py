"""A language model's numbers as the rows of tables and charts."""

import pandas as pd

from advisor.llm import memory, speed
from advisor.llm.architecture import Architecture
from advisor.llm.speed import Load, Speed
from data import tables
from data.tables import Device

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
WAYS = ("full", "lora", "qlora", "head")
REQUEST_TOKENS = 300  # an answer of a chat: what energy per 1,000 requests is told for


def parts(found: memory.Memory) -> pd.DataFrame:
    """part, size_bytes, basis: what the memory is made of."""
    return pd.DataFrame(
        {
            "part": ["Weights", "Key-value cache", "Activations", "Runtime"],
            "size_bytes": [
                found.weights_bytes, found.kv_cache_bytes, found.activation_bytes, round(found.overhead_bytes.mid),
            ],
            "basis": ["modelled"] * 4,
        }
    )  # fmt: skip


def by_precision(arch: Architecture, on: Device, count: int, load: Load) -> pd.DataFrame:
    """One row a precision: weights, what one device holds, fits, predicted time, energy; and what others claim of its
    quality. Nothing here was measured on this model."""
    claims = tables.frame("llm", "claims").set_index("precision")["claim"].to_dict()
    return pd.DataFrame(
        [
            {
                "precision": name, "weights_bytes": found.memory.weights_bytes,
                "per_device_bytes": found.memory_per_device_bytes.mid, "fits": found.fits,
                "fewest_devices_count": found.fewest_devices, "time_per_token_ms": found.time_per_token_ms.mid,
                "token_j": found.j_per_token.mid if found.j_per_token else None,
                "claimed_quality": claims.get(name, ""), "meaning": memory.precision(name).meaning,
            }
            for name, found in speed.by_precision(arch, on, count, load).items()
        ]
    )  # fmt: skip


def load_curve(arch: Architecture, stored: memory.Precision, on: Device, count: int, load: Load) -> pd.DataFrame:
    """batch, tokens_per_s, its ends, time_per_token_ms, token_j, fits: continuous batching, from one to 256 at once."""
    rows = []
    for batch in BATCHES:
        asked = Load(context=load.context, batch=batch, prompt=load.prompt, kv=load.kv)
        found = speed.predict(arch, stored, on, count, asked)
        rows.append(
            {
                "batch": batch, "tokens_per_s": found.tokens_per_s.mid, "low_per_s": found.tokens_per_s.low,
                "high_per_s": found.tokens_per_s.high, "time_per_token_ms": found.time_per_token_ms.mid,
                "token_j": found.j_per_token.mid if found.j_per_token else None, "fits": found.fits,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def training(arch: Architecture, tokens: int) -> pd.DataFrame:
    """One row a way to train: bytes by part and in all, and what is trained."""
    rows = []
    for way in WAYS:
        found = memory.training(arch, way, tokens=tokens)
        total = sum(value for key, value in found.items() if key.endswith("_bytes"))
        rows.append(
            {
                "way": {"full": "Full, Adam", "lora": "LoRA", "qlora": "QLoRA", "head": "Head only"}[way],
                "trained_frac": found["trained_parameters"] / arch.parameter_count, **found, "total_bytes": total,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).drop(columns="trained_parameters")


def right_size(found: Speed) -> pd.DataFrame:
    """what, request_j: a request to this model beside what published measurements give for smaller jobs."""
    rows = [
        {"what": "This model, an answer of 300 tokens", "request_j": found.j_per_token.mid * REQUEST_TOKENS,
         "basis": "predicted"}
    ] if found.j_per_token else []  # fmt: skip
    measured = tables.frame("energy", "inference")
    of_text = measured["task"].str.contains("text|question|language|token|summar") & (measured["per"] == "inference")
    for row in measured[of_text & measured["model"].str.startswith("mean over")].to_dict("records"):
        rows.append({"what": str(row["task"]), "request_j": float(row["energy_j"]), "basis": "claimed"})
    return pd.DataFrame(rows).sort_values("request_j", ignore_index=True)
