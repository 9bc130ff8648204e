"""Where the energy of a model goes, from published picojoules: multiplying, adding, on-chip SRAM and DRAM. Modelled.

Arithmetic is one multiply and one add per multiply-add (FLOP / 2 each), the add at the width of the accumulator.
Weights and activations cross DRAM once a pass, and each byte from DRAM crosses SRAM as well; an activation that fits
the cache may stay in SRAM, and so may the weights of a model that fits it whole, from one call to the next: that gives
the low end of the interval. Instructions, registers and control are not in it,
so a real processor takes more. Jouppi et al. 2021, Table 2; Horowitz 2014.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from data import energy, units
from data.errors import InputError
from data.estimate import Estimate, exact
from data.tables import frame
from profiler.types import Layer, Model

ARITHMETIC = {
    "int8": "int8", "uint8": "int8", "float16": "float16", "bfloat16": "bfloat16", "float32": "float32",
}  # fmt: skip
ACCUMULATOR = {"int8": "int32", "float16": "float32", "bfloat16": "float32", "float32": "float32"}
BITS = {"int8": 8, "float16": 16, "bfloat16": 16, "float32": 32}
ROW_BYTES = 64 / units.BITS_PER_BYTE  # the table's energies of memory are for 64 bits
SRAM, SRAM_BYTES = "sram_1mib", units.BYTES_PER_MIB
MEMORIES = ("dram_ddr", "dram_hbm2", "dram_gddr6")
LEFT_OUT_OF_MEAN = (SRAM,)  # the table's own footnote


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Joules of one pass, modelled, by where they go. `not_modelled` names operators whose dtype has no figure."""

    multiply_j: Estimate
    add_j: Estimate
    sram_j: Estimate
    dram_j: Estimate
    not_modelled: tuple[str, ...] = ()

    @property
    def total_j(self) -> Estimate:
        """All four together."""
        return self.multiply_j + self.add_j + self.sram_j + self.dram_j

    @property
    def dram_frac(self) -> float | None:
        """The share of DRAM in the middle value; None where nothing is spent."""
        return self.dram_j.mid / self.total_j.mid if self.total_j.mid else None

    def __add__(self, other: "Split") -> "Split":
        return Split(
            multiply_j=self.multiply_j + other.multiply_j,
            add_j=self.add_j + other.add_j,
            sram_j=self.sram_j + other.sram_j,
            dram_j=self.dram_j + other.dram_j,
            not_modelled=tuple(dict.fromkeys((*self.not_modelled, *other.not_modelled))),
        )


def of_model(model: Model, node_nm: int = 7, memory: str = "dram_ddr", *, cache_bytes: float = SRAM_BYTES) -> Split:
    """The split of one pass of a model at the shapes its layers were built for: the sum of its layers.

    `node_nm` is 45 or 7, `memory` one of MEMORIES. Raises InputError where the model has no layers (it says why) or
    the table has no figure for this node."""
    if not model.layers:
        why = model.notes[0] if model.notes else "its graph is not known"
        raise InputError(f"The energy of this model cannot be modelled: {why}", hint="Give a file with a graph.")
    return of_layers(model.layers, node_nm, memory, cache_bytes=cache_bytes)


def of_layers(
    layers: Iterable[Layer], node_nm: int = 7, memory: str = "dram_ddr", *, cache_bytes: float = SRAM_BYTES
) -> Split:
    """The sum of these layers; see `of_layer`. Where all of them fit the cache, their weights may stay there."""
    layers, none = tuple(layers), exact(0.0, "modelled")
    whole_bytes = sum(layer.weight_bytes for layer in layers) + max(map(_activations, layers), default=0)
    total = Split(multiply_j=none, add_j=none, sram_j=none, dram_j=none)
    for layer in layers:
        total = total + of_layer(
            layer, node_nm, memory, cache_bytes=cache_bytes, weights_stay=whole_bytes <= cache_bytes
        )
    return total


def of_layer(
    layer: Layer, node_nm: int = 7, memory: str = "dram_ddr", *, cache_bytes: float = SRAM_BYTES,
    weights_stay: bool = False,
) -> Split:  # fmt: skip
    """The split of one layer; `weights_stay` where its weights may be in the cache already.

    Raises InputError on a node or memory without a figure."""
    if memory not in MEMORIES:
        raise InputError(f"There is no memory {memory} in the table.", hint=f"Choose one of {', '.join(MEMORIES)}.")
    dtype = ARITHMETIC.get(layer.dtype)
    works = layer.flop + layer.other_flop > 0
    multiply, add = (
        (_needed("mul", dtype, node_nm), _needed("add", ACCUMULATOR[dtype], node_nm))
        if dtype is not None and works
        else (exact(0.0, "modelled"), exact(0.0, "modelled"))
    )
    activations = _activations(layer)
    stays = (0 if activations > cache_bytes else activations) + (layer.weight_bytes if weights_stay else 0)
    moved = layer.weight_bytes + activations
    from_dram = Estimate(low=moved - stays, mid=moved, high=moved, basis="modelled")
    return Split(
        multiply_j=units.j_from_pj(multiply * (layer.flop / units.FLOP_PER_MAC)),
        add_j=units.j_from_pj(add * (layer.flop / units.FLOP_PER_MAC + layer.other_flop)),
        sram_j=units.j_from_pj(_needed(SRAM, "bits", node_nm) * (moved / ROW_BYTES)),
        dram_j=units.j_from_pj(_needed(memory, "bits", node_nm) * from_dram * (1.0 / ROW_BYTES)),
        not_modelled=(layer.op,) if works and dtype is None else (),
    )


def at_dtype(layers: Iterable[Layer], dtype: str) -> tuple[Layer, ...]:
    """The same layers as if weights, activations and multiplications were of `dtype` (float32, float16, bfloat16,
    int8): what-if, nothing is compressed. Layers that do not multiply keep their dtype. Raises InputError on others."""
    if dtype not in BITS:
        raise InputError(f"{dtype} is not in the table of energies.", hint=f"Choose one of {', '.join(BITS)}.")
    return tuple(_at_dtype(layer, dtype) for layer in layers)


def fetch_in_multiplies(dtype: str = "int8", node_nm: int = 7, memory: str = "dram_ddr") -> float:
    """How many multiplications of a dtype cost as much as fetching 64 bits from memory once."""
    return _needed(memory, "bits", node_nm).mid / _needed("mul", dtype, node_nm).mid


def energy_ratio(operation: str, wide: str = "float32", narrow: str = "int8", node_nm: int = 45) -> float:
    """By how much one operation ("add", "mul") takes more energy in the wide dtype than in the narrow one."""
    return _needed(operation, wide, node_nm).mid / _needed(operation, narrow, node_nm).mid


def area_ratio(operation: str, wide: str = "float32", narrow: str = "int8") -> float:
    """By how much one arithmetic unit takes more chip area in the wide dtype than in the narrow one, at 45 nm."""
    return energy.chip_area_um2(operation, wide) / energy.chip_area_um2(operation, narrow)


def node_ratios() -> dict[tuple[str, str], float]:
    """(operation, dtype) -> energy at 45 nm over energy at 7 nm, where both are in the table; DRAM, which did not
    shrink, apart."""
    rows = frame("energy", "per_op")
    rows = rows[(rows.category != "dram") & rows.energy_45nm_pj.notna() & rows.energy_7nm_pj.notna()]
    names = zip(rows.operation, rows.dtype, strict=True)
    return dict(zip(names, map(float, rows.energy_45nm_pj / rows.energy_7nm_pj), strict=True))


def node_ratio_mean(left_out: Iterable[str] = LEFT_OUT_OF_MEAN) -> float:
    """The geometric mean of `node_ratios`, by the table's footnote without the 1 MiB SRAM."""
    ratios = [ratio for (operation, _), ratio in node_ratios().items() if operation not in set(left_out)]
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def _activations(layer: Layer) -> int:
    return layer.read_bytes + layer.written_bytes


def _at_dtype(layer: Layer, dtype: str) -> Layer:
    known = ARITHMETIC.get(layer.dtype)
    if known is None or layer.flop == 0:
        return layer
    scale = BITS[dtype] / BITS[known]
    return replace(
        layer,
        dtype=dtype,
        weight_bytes=round(layer.weight_bytes * scale),
        read_bytes=round(layer.read_bytes * scale),
        written_bytes=round(layer.written_bytes * scale),
    )


def _needed(operation: str, dtype: str, node_nm: int) -> Estimate:
    found = energy.operation_pj(operation, dtype, node_nm)
    if found is None:
        name = operation if dtype == "bits" else f"{operation} on {dtype}"
        raise InputError(f"The energy of {name} at {node_nm} nm is not published.", hint="Choose 7 nm.")
    return found
