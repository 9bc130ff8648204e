"""The energy of operations as rows for charts and tables: ratios, both nodes, areas, fetches, a model as narrower."""

from dataclasses import dataclass

import pandas as pd

from advisor import physics
from data import energy, tables
from profiler.types import Model

OPERATIONS = {"add": "Add", "mul": "Multiply"}
MEMORIES = {
    "sram_8kib": "SRAM, 8 KiB", "sram_32kib": "SRAM, 32 KiB", "sram_1mib": "SRAM, 1 MiB", "dram_hbm2": "DRAM, HBM2",
    "dram_gddr6": "DRAM, GDDR6", "dram_ddr": "DRAM, DDR",
}  # fmt: skip
WIDTHS = ("float32", "bfloat16", "float16", "int8")
FEWEST_WIDTHS_45 = ("float32", "float16", "int8")  # bfloat16 at 45 nm is not published


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One comparison: so many times as much."""

    label: str
    ratio: float
    note: str


def ratios(node_nm: int) -> list[Ratio]:
    """INT8 against FP32 in energy and area, and a fetch against a multiply and against on-chip memory."""
    dram, fetched = _pj("dram_ddr", node_nm), "64 bits, DDR"
    found = (
        ("FP32 add over INT8", physics.energy_ratio("add", node_nm=node_nm), "energy"),
        ("FP32 multiply over INT8", physics.energy_ratio("mul", node_nm=node_nm), "energy"),
        ("FP32 adder over INT8", physics.area_ratio("add"), "chip area, 45 nm"),
        ("FP32 multiplier over INT8", physics.area_ratio("mul"), "chip area, 45 nm"),
        ("DRAM fetch over INT8 multiply", physics.fetch_in_multiplies(node_nm=node_nm), fetched),
        ("DRAM fetch over FP32 multiply", physics.fetch_in_multiplies("float32", node_nm), fetched),
        ("DRAM over SRAM of 1 MiB", dram / _pj("sram_1mib", node_nm), fetched),
        ("DRAM over SRAM of 8 KiB", dram / _pj("sram_8kib", node_nm), fetched),
    )
    return [Ratio(label=label, ratio=ratio, note=note) for label, ratio, note in found]


def operations() -> pd.DataFrame:
    """name, value (pJ at 7 nm), other (pJ at 45 nm): every operation and memory, cheapest first."""
    rows = tables.frame("energy", "per_op")
    names = [
        MEMORIES[operation] if operation in MEMORIES else f"{OPERATIONS[operation]}, {dtype}"
        for operation, dtype in zip(rows["operation"], rows["dtype"], strict=True)
    ]
    found = pd.DataFrame({"name": names, "value": rows["energy_7nm_pj"], "other": rows["energy_45nm_pj"]})
    return found.sort_values("value", ignore_index=True)


def node_mean() -> float:
    """By how much an operation's energy fell from 45 to 7 nm: the geometric mean."""
    return physics.node_ratio_mean()


def areas() -> pd.DataFrame:
    """unit, area_um2 of adders and multipliers."""
    rows = tables.frame("energy", "chip_area")
    named = [f"{OPERATIONS[name]}, {dtype}" for name, dtype in zip(rows["operation"], rows["dtype"], strict=True)]
    return pd.DataFrame({"unit": named, "area_um2": rows["area_um2"].astype(float)}).sort_values("area_um2")


def fetches(node_nm: int) -> pd.DataFrame:
    """Memory against dtype: how many multiplies 64 bits from it cost, where the node's figures are published."""
    multiplies = {dtype: energy.operation_pj("mul", dtype, node_nm) for dtype in ("int8", "float16", "float32")}
    known = {dtype: found.mid for dtype, found in multiplies.items() if found is not None}
    found = []
    for memory, title in MEMORIES.items():
        fetch = energy.operation_pj(memory, "bits", node_nm)
        if fetch is not None:
            found.append({"64 bits from": title, **{dtype: _times(fetch.mid / one) for dtype, one in known.items()}})
    return pd.DataFrame(found)


def what_if(model: Model, node_nm: int, memory: str) -> pd.DataFrame:
    """The model's graph as it is, and as if all that multiplies were of another width: numbers, energy_j with its
    ends, dram_frac, basis. Raises InputError as physics.of_model."""
    splits = {"as it is": physics.of_model(model, node_nm, memory)}
    for dtype in WIDTHS if node_nm == 7 else FEWEST_WIDTHS_45:
        splits[f"all {dtype}"] = physics.of_layers(physics.at_dtype(model.layers, dtype), node_nm, memory)
    return pd.DataFrame([
        {
            "numbers": name, "energy_j": split.total_j.mid, "energy_low_j": split.total_j.low,
            "energy_high_j": split.total_j.high, "dram_frac": split.dram_frac, "basis": "modelled",
        }
        for name, split in splits.items()
    ])  # fmt: skip


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


def _pj(memory: str, node_nm: int) -> float:
    found = energy.operation_pj(memory, "bits", node_nm)
    assert found is not None, f"{memory} at {node_nm} nm"
    return found.mid
