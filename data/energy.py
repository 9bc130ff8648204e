"""Facts of energy: an operation, a rated CPU, the training of published models, and what energy equals."""

import re
from dataclasses import dataclass
from functools import cache

from data.errors import InputError
from data.estimate import Estimate
from data.tables import devices, frame, records

NODES_NM = (45, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """A figure by which energy or carbon is told or reckoned, in its own unit."""

    equivalent_id: str
    kind: str
    label: str
    value: float
    unit: str
    source_id: str
    year: int | None = None
    notes: str | None = None

    @property
    def source(self) -> str:
        """The id of its source among `tables.sources()`."""
        return f"energy/{self.source_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What training a published model took, as reported. `nameplate_kwh` is rated power x time, where it is known;
    `overstated_ratio` by how much a figure was later found too high, and then it is never shown without that;
    `unverified_fields` names what could not be read in its source."""

    system: str
    energy_kwh: float | None
    basis: str
    source_id: str
    seen: str
    energy_high_kwh: float | None = None
    parameters: float | None = None
    device_id: str | None = None
    chips_count: float | None = None
    days: float | None = None
    chip_w: float | None = None
    pue: float | None = None
    nameplate_kwh: float | None = None
    carbon_kg_co2e: float | None = None
    scope: str | None = None
    overstated_ratio: float | None = None
    notes: str | None = None
    unverified_fields: tuple[str, ...] = ()


@cache
def equivalents() -> dict[str, Equivalent]:
    """Every equivalent, overhead and default, by its id."""
    return {found.equivalent_id: found for found in records(Equivalent, frame("energy", "equivalents"))}


def equivalent(equivalent_id: str) -> Equivalent:
    """The equivalent with this id ("car_km_eu_new_2018"). Raises InputError where there is none."""
    found = equivalents().get(equivalent_id)
    if found is None:
        raise InputError(f"No equivalent is called {equivalent_id}.", hint=f"Known are {', '.join(equivalents())}.")
    return found


@cache
def trainings() -> tuple[Training, ...]:
    """Published models with what training them took, smallest energy first."""
    return records(Training, frame("energy", "training"))


def operation_pj(operation: str, dtype: str = "bits", node_nm: int = 7) -> Estimate | None:
    """Picojoules of one operation ("add", "mul") of a dtype, or of moving 64 bits ("sram_8kib", "dram_ddr").

    None where the table has no value for this node; of a printed range the first figure is the middle, as in the
    talks. Raises InputError on a node or an operation that is not in the table. Jouppi et al. 2021, Table 2;
    Horowitz 2014."""
    if node_nm not in NODES_NM:
        raise InputError(f"There is no energy table for {node_nm} nm.", hint="Choose 45 or 7 nm.")
    values = _operations().get((operation, dtype))
    if values is None:
        raise InputError(f"The energy of {operation} on {dtype} is not known.", hint="Add it to the table per_op.")
    low, high, sources = values[node_nm]
    if low is None:
        return None
    return Estimate(low=low, mid=low, high=high or low, basis="modelled", source=sources)


def chip_area_um2(operation: str, dtype: str) -> float:
    """Square micrometres of one arithmetic unit at 45 nm. Raises InputError where it is not known. Horowitz 2014."""
    rows = frame("energy", "chip_area")
    found = rows[(rows.operation == operation) & (rows.dtype == dtype)].area_um2
    if found.empty:
        raise InputError(f"The chip area of {operation} on {dtype} is not known.", hint="Known are int8 and float32.")
    return float(found.iloc[0])


def rated_power_sources() -> frozenset[str]:
    """The ids of the sources behind the rated power of the CPU families."""
    return frozenset(f"energy/{name}" for name in frame("energy", "rated_power")["source_id"])


def rated_w(cpu_name: str, cores: int) -> Estimate | None:
    """Rated power (W) of `cores` cores of the CPU the system calls `cpu_name`; None where nothing is known of it.

    Where its model is in the device catalogue: its share of the rated power of the socket. Else that of its family,
    from the lowest to the highest rated power per core among the catalogue's members."""
    for device in devices():
        if device.kind == "cpu" and device.tdp_w and device.cores and _model(device.device_id).search(cpu_name):
            share = device.tdp_w * min(cores, device.cores) / device.cores
            return Estimate(low=share, mid=share, high=share, basis="claimed", source=f"devices/{device.device_id}")
    for row in frame("energy", "rated_power").itertuples():
        if re.search(str(row.name_pattern), cpu_name, re.IGNORECASE):
            low, mid, high = (float(value) * cores for value in (row[3], row[4], row[5]))
            return Estimate(low=low, mid=mid, high=high, basis="modelled", source="energy/rated_power")
    return None


@cache
def _model(device_id: str) -> re.Pattern[str]:
    """The last part of a CPU's id as systems write it: 8259CL, 7R13, 2686 v4."""
    model = re.escape(device_id.rsplit("-", 1)[-1].removesuffix("plus"))
    return re.compile(rf"(?<!\w){re.sub(r'(?<=[0-9])v(?=[0-9]$)', r' *v', model)}(?![\w-])", re.IGNORECASE)


@cache
def _operations() -> dict[tuple[str, str], dict[int, tuple[float | None, float | None, str]]]:
    rows = frame("energy", "per_op")
    plain = rows.astype(object).where(rows.notna(), None)
    return {
        (row["operation"], row["dtype"]): {
            node: (row[f"energy_{node}nm_pj"], row[f"energy_{node}nm_high_pj"], _sources(row["source_ids"]))
            for node in NODES_NM
        }
        for row in plain.to_dict("records")
    }


def _sources(ids: str) -> str:
    return "; ".join(f"energy/{name}" for name in ids.split(";"))
