"""A model's layers and timed operators as the rows that tables and charts are made of; columns sum to their totals."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from advisor import physics
from advisor.physics import Split
from advisor.sensitivity import Ranking
from profiler.run_types import OperatorProfile, OperatorTime
from profiler.types import Layer, Model

ADDED = "added by the runtime"
SHOWN_CHARS = 26
FUSED = "/MatMulAddFusion"  # what preparing for quantization adds to the name of a product it fuses with its sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """The chip whose energies are reckoned with: its node (nm) and its memory (one of `physics.MEMORIES`)."""

    node_nm: int = 7
    memory: str = "dram_ddr"


def layers(
    model: Model, profile: OperatorProfile | None = None, chip: Chip | None = None, ridge: float | None = None,
    ranking: Ranking | None = None,
) -> pd.DataFrame:  # fmt: skip
    """One row a layer: name, op, shape, time_ms, flop, flop_frac (of all), weight_bytes, moved_bytes,
    intensity_flop_per_byte, bound, parameter_count, energy_j, sensitivity, runs_with, basis.

    `time_ms` is measured: the operator's that runs the layer; where it runs several, at the one with most FLOP, and
    `runs_with` names that one at the others. What the runtime added itself is a row of its own. `energy_j` is modelled
    for the chip. `sensitivity` is measured: 1 - cosine of the outputs when this layer alone is quantized; None where it
    was not. `ridge` is this machine's FLOP per byte from which on it is bound by arithmetic."""
    chip = chip or Chip()
    times, leads, added_ms = _times(model, profile)
    total, lost = sum(layer.flop for layer in model.layers), sensitivities(model, ranking)
    rows = [
        {
            "name": layer.name,
            "op": layer.op,
            "shape": dims(layer),
            "time_ms": times.get(layer.name),
            "flop": layer.flop,
            "flop_frac": layer.flop / total if total else None,
            "weight_bytes": layer.weight_bytes,
            "moved_bytes": layer.weight_bytes + layer.read_bytes + layer.written_bytes,
            "intensity_flop_per_byte": layer.intensity,
            "bound": _bound(layer, ridge),
            "parameter_count": layer.parameter_count,
            "energy_j": physics.of_layer(layer, chip.node_nm, chip.memory).total_j.mid,
            "sensitivity": lost.get(layer.name),
            "runs_with": leads.get(layer.name),
            "basis": "modelled",
        }
        for layer in model.layers
    ]
    if added_ms:
        rows.append({"name": ADDED, "op": "reordering", "time_ms": added_ms, "basis": "measured"})
    return pd.DataFrame(rows)


def sensitivities(model: Model, ranking: Ranking | None) -> dict[str, float]:
    """Layer name -> loss when it alone is quantized, of the layers that were measured. A ranking's layer has the
    graph's name, that of a product fused with its sum, or makes the same tensor."""
    if ranking is None:
        return {}
    names = {layer.name for layer in model.layers}
    makers = {output: layer.name for layer in model.layers for output in layer.outputs}
    found = {}
    for one in ranking.layers:
        known = [name for name in (one.layer, one.layer.removesuffix(FUSED)) if name in names]
        name = known[0] if known else makers.get(one.output)
        if name is not None:
            found[name] = one.loss
    return found


def totals(rows: pd.DataFrame) -> dict[str, float | None]:
    """The sums of a table of layers: flop, weight_bytes, moved_bytes, parameter_count, time_ms, energy_j; None where
    no row knows it."""
    names = ("flop", "weight_bytes", "moved_bytes", "parameter_count", "time_ms", "energy_j")
    return {name: float(rows[name].sum()) if name in rows and rows[name].notna().any() else None for name in names}


def dims(layer: Layer) -> str:
    """A layer's shape in words: "64 × 512 × 768" of a product (m × n × k), "3 → 32, 3 × 3" of a convolution."""
    found = layer.dims
    if "out_positions" in found:
        side = round(found["kernel_positions"] ** 0.5)
        square = f"{side} × {side}" if side * side == found["kernel_positions"] else f"{found['kernel_positions']}"
        groups = f", {found['groups']} groups" if found["groups"] > 1 else ""
        return f"{found['in_channels']} → {found['out_channels']}, {square}{groups}"
    if "m" in found:
        many = f"{found['batch']} of " if found.get("batch", 1) > 1 else ""
        return f"{many}{found['m']} × {found['n']} × {found['k']}"
    if "heads" in found:
        return f"{found['heads']} heads, {found['query']} on {found['key']}"
    if "steps" in found:
        return f"{found['steps']} steps, {found['input_size']} → {found['hidden_size']}"
    return f"{found['elements']:,} numbers" if found.get("elements") else ""


def operator_times(profile: OperatorProfile) -> pd.DataFrame:
    """One row an operator as it ran: name (of its largest layer), ran_as, op, time_frac (of all of them), time_ms with
    its middle half, flop, flop_per_s, intensity_flop_per_byte, layers_count, basis; slowest first."""
    rows = [
        {
            "name": shown(one),
            "op": one.op,
            "time_frac": one.ms / profile.sum_ms if profile.sum_ms else None,
            "time_ms": one.ms,
            "low_ms": one.low_ms,
            "high_ms": one.high_ms,
            "flop": one.flop,
            "flop_per_s": one.flop_per_s,
            "intensity_flop_per_byte": one.intensity,
            "layers_count": len(one.layers),
            "ran_as": one.name,
            "basis": "measured",
        }
        for one in profile.operators
    ]
    return pd.DataFrame(rows).sort_values("time_ms", ascending=False, ignore_index=True)


def kinds(rows: pd.DataFrame) -> pd.DataFrame:
    """The timed operators summed up by kind: name, time_frac, time_ms, flop, operators_count, basis; slowest first."""
    found = rows.groupby("op", sort=False).agg(
        time_frac=("time_frac", "sum"), time_ms=("time_ms", "sum"), flop=("flop", "sum"),
        operators_count=("name", "count"),
    )  # fmt: skip
    found = found.reset_index().rename(columns={"op": "name"}).assign(basis="measured")
    return found.sort_values("time_ms", ascending=False, ignore_index=True)


def shown(one: OperatorTime) -> str:
    """An operator by the name a reader knows: that of its first layer, without its kind, the end of a long one."""
    name = (one.layers[0] if one.layers else one.name).removesuffix("_nchwc").strip("/")
    for ending in (f"/{one.op}", f"_{one.op}"):
        name = name.removesuffix(ending)
    return name if len(name) <= SHOWN_CHARS else "…" + name[1 - SHOWN_CHARS :]


def operators(model: Model) -> pd.DataFrame:
    """op, nodes_count: the operators of the graph, most frequent first."""
    rows = sorted(model.operators.items(), key=lambda item: (-item[1], item[0]))
    return pd.DataFrame(rows, columns=["op", "nodes_count"])


def energy_split(split: Split) -> pd.DataFrame:
    """part, energy_j, its ends and basis: where the modelled energy of a pass goes."""
    parts = {
        "Multiplying": split.multiply_j,
        "Adding": split.add_j,
        "On-chip memory": split.sram_j,
        "DRAM": split.dram_j,
    }
    return pd.DataFrame(
        [
            {
                "part": name,
                "energy_j": part.mid,
                "energy_low_j": part.low,
                "energy_high_j": part.high,
                "basis": part.basis,
            }
            for name, part in parts.items()
        ]
    )


def _times(
    model: Model, profile: OperatorProfile | None
) -> tuple[Mapping[str, float], Mapping[str, str], float | None]:
    """(layer -> ms of the operator it leads, layer -> the layer that leads its operator, ms of operators without a
    layer). All are empty for a profile of another graph."""
    if profile is None:
        return {}, {}, None
    known = {layer.name: layer for layer in model.layers}
    times: dict[str, float] = {}
    leads: dict[str, str] = {}
    added_ms = 0.0
    for one in profile.operators:
        mine = [known[name] for name in one.layers if name in known]
        if not mine:
            added_ms += one.ms
            continue
        lead = max(mine, key=lambda layer: (layer.flop, layer.other_flop))
        times[lead.name] = times.get(lead.name, 0.0) + one.ms
        leads |= {layer.name: lead.name for layer in mine if layer is not lead}
    return times, leads, added_ms


def _bound(layer: Layer, ridge: float | None) -> str | None:
    """ "memory" or "compute" at this machine's ridge; None where the layer moves nothing or the ridge is not known."""
    if ridge is None or layer.intensity is None or not math.isfinite(ridge):
        return None
    return "memory" if layer.intensity < ridge else "compute"
