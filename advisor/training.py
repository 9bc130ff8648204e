"""Train it yourself: what one training run, or one of its cheaper neighbours, takes in hours, kWh, CO2e and dollars.

Compute is 6ND (Kaplan et al. 2020): per parameter and token 2 FLOP forward, 2 for the gradient of the activations and
2 for that of the weights. What is not trained saves its part: LoRA keeps the gradient of the activations through the
frozen weights (4ND), a head alone needs only the forward pass through them (2ND).
"""

from dataclasses import dataclass, field

from data import energy, units
from data.errors import InputError
from data.estimate import Estimate, exact
from data.tables import Device

WAYS = ("pretrain", "fine-tune", "lora", "head")
TITLES = dict(zip(WAYS, ("Pretrain", "Fine-tune", "LoRA adapters", "Head only"), strict=True))
FORWARD_FLOP, ACTIVATION_FLOP, WEIGHT_FLOP = 2.0, 2.0, 2.0  # per parameter and token
ALL_FLOP = FORWARD_FLOP + ACTIVATION_FLOP + WEIGHT_FLOP
ADAM_BYTES = 8.0  # per trained parameter: two moments in float32
TRIALS_WARNING = (
    "Each trial costs a whole run: avoid architecture and grid search, fine-tune before you train, try random points."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What it runs on. `flop_per_s` is the dense peak of one chip at the format trained in, `chip_w` its power while
    training; `utilisation` the share of that peak reached (None: the default of 0.30 to 0.40, middle 0.35);
    `overhead` the server around the chips; `grid` g/kWh; dollars are per chip and hour."""

    chips: float
    flop_per_s: float
    chip_w: Estimate
    utilisation: Estimate | None = None
    overhead: Estimate = field(default_factory=lambda: exact(1.0))
    pue: Estimate = field(default_factory=lambda: exact(1.0))
    grid: Estimate | None = None
    usd_per_chip_h: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training, all its trials together; CO2e and dollars are None where the grid or the price is not known."""

    flop: float
    trials: int
    utilisation: Estimate
    chip_h: Estimate
    wall_h: Estimate
    energy_kwh: Estimate
    g_co2e: Estimate | None
    turbine_years: Estimate
    usd: Estimate | None
    warnings: tuple[str, ...] = ()


def peak_flop_per_s(device: Device) -> float:
    """The dense peak that training on this device can use: bfloat16, else float16, TF32 or float32.

    Raises InputError where the catalogue has none of them."""
    for peak in (device.bf16_flop_per_s, device.fp16_flop_per_s, device.tf32_flop_per_s, device.fp32_flop_per_s):
        if peak is not None:
            return peak
    raise InputError(f"No training peak of {device.name} is known.", hint="Type the FLOP/s of one chip.")


def training_flop(
    parameters: float, tokens: float, way: str = "pretrain", trained_parameters: float | None = None
) -> float:
    """FLOP of training `parameters` on `tokens` (or samples) in one of WAYS.

    `trained_parameters` are those of the adapters (LoRA) or of the head; they are on top of `parameters`.
    Raises InputError on a way that is not known, and where the trained parameters are needed and not given."""
    if way not in WAYS:
        raise InputError(f"{way} is no way to train.", hint=f"Choose one of {', '.join(WAYS)}.")
    if parameters < 0 or tokens < 0 or (trained_parameters or 0.0) < 0:
        raise InputError("Parameters and tokens cannot be negative.", hint="Give 0 or more.")
    if way in ("pretrain", "fine-tune"):
        return ALL_FLOP * parameters * tokens
    if trained_parameters is None:
        raise InputError(f"{TITLES[way]}: how many parameters are trained?", hint="Give the size of the added part.")
    through = FORWARD_FLOP + ACTIVATION_FLOP if way == "lora" else FORWARD_FLOP
    return (through * parameters + ALL_FLOP * trained_parameters) * tokens


def flop_of_steps(forward_flop: float, steps: float) -> float:
    """FLOP of `steps` full training steps of a model whose forward pass (of one batch) takes `forward_flop`: x 3."""
    return forward_flop * ALL_FLOP / FORWARD_FLOP * steps


def memory_bytes(
    parameters: float,
    way: str = "pretrain",
    trained_parameters: float | None = None,
    *,
    bytes_per_parameter: float = 4.0,
    activation_bytes: float = 0.0,
) -> float:
    """Bytes one step holds: weights, and for what is trained gradients and Adam's two float32 moments.

    Fully trained in float32 that is 4 x the weights, the figure of Hugging Face accelerate's estimator. Activations
    are what the caller measured or estimated. Raises InputError as `training_flop`."""
    training_flop(parameters, 0, way, trained_parameters)
    trained = parameters if way in ("pretrain", "fine-tune") else trained_parameters or 0.0
    kept = parameters if way in ("pretrain", "fine-tune") else parameters + trained
    return kept * bytes_per_parameter + trained * (bytes_per_parameter + ADAM_BYTES) + activation_bytes


def default_utilisation() -> Estimate:
    """The share of the peak that training reaches where it is not known: 0.30 to 0.40, middle 0.35. Never 1."""
    low, mid, high = (energy.equivalent(f"utilisation_default{end}") for end in ("_low", "", "_high"))
    return Estimate(low=low.value, mid=mid.value, high=high.value, basis="modelled", source=mid.source)


def flop_of_chip_h(chip_h: float, flop_per_s: float, utilisation_frac: float) -> float:
    """FLOP that so many chip-hours do at a share of the peak: what stands behind a run known only by its hours."""
    return chip_h * units.S_PER_H * flop_per_s * utilisation_frac


def chip_s(flop: float, flop_per_s: float, utilisation: Estimate | None = None) -> Estimate:
    """Seconds one chip of this peak (FLOP/s) works on it. Raises InputError on a utilisation outside 0 to 1."""
    share = default_utilisation() if utilisation is None else utilisation
    if share.low <= 0 or share.high > 1:
        raise InputError("Utilisation is a share of the peak, above 0 and at most 1.", hint="0.3 to 0.4 is usual.")
    if flop < 0 or flop_per_s <= 0:
        raise InputError("Compute cannot be negative, and a chip has a peak above 0.", hint="Check the units: FLOP/s.")
    return exact(flop) / (share * flop_per_s)


def chips_needed(chip_seconds: Estimate, days: float) -> Estimate:
    """How many chips finish it in so many days. Raises InputError where there is no time."""
    if days <= 0:
        raise InputError("The time must be longer than 0 days.", hint="Give the days you have.")
    return units.days_from_s(chip_seconds) * (1.0 / days)


def utilisation_frac(flop: float, chip_h: float, flop_per_s: float) -> float:
    """The share of the peak that a finished run reached over all its chip-hours."""
    return flop / (chip_h * units.S_PER_H * flop_per_s)


def run(flop: float, cluster: Cluster, trials: int = 1) -> Run:
    """`trials` training runs of `flop` each: chip-hours, hours on the clock, kWh, CO2e, dollars and turbine time.

    Energy is chip power x time x overhead x PUE. Raises InputError on values that cannot be."""
    if trials < 1 or cluster.chips <= 0:
        raise InputError("A training needs at least one run and more than 0 chips.", hint="Give 1 or more.")
    if cluster.overhead.low < 1 or cluster.pue.low < 1:
        raise InputError("Overhead and PUE cannot be below 1.", hint="1 means that nothing is lost.")
    share = default_utilisation() if cluster.utilisation is None else cluster.utilisation
    chip_h = units.h_from_s(chip_s(flop, cluster.flop_per_s, share)) * float(trials)
    energy_kwh = chip_h * cluster.chip_w * (1.0 / units.W_PER_KW) * cluster.overhead * cluster.pue
    return Run(
        flop=flop * trials,
        trials=trials,
        utilisation=share,
        chip_h=chip_h,
        wall_h=chip_h * (1.0 / cluster.chips),
        energy_kwh=energy_kwh,
        g_co2e=None if cluster.grid is None else energy_kwh * cluster.grid,
        turbine_years=units.turbine_years(energy_kwh),
        usd=None if cluster.usd_per_chip_h is None else chip_h * cluster.usd_per_chip_h,
        warnings=_warnings(share, trials),
    )


def ways(
    parameters: float,
    pretrain_tokens: float,
    tune_tokens: float,
    adapter_parameters: float,
    head_parameters: float,
    cluster: Cluster,
    *,
    bytes_per_parameter: float = 4.0,
) -> dict[str, tuple[Run, float]]:
    """Each of WAYS with its run on one cluster and the bytes a step holds (without activations): adapt or train?

    Pretraining sees `pretrain_tokens`, the three others `tune_tokens`. Raises InputError as `run`."""
    found = {}
    for way in WAYS:
        tokens = pretrain_tokens if way == "pretrain" else tune_tokens
        trained = {"lora": adapter_parameters, "head": head_parameters}.get(way)
        flop = training_flop(parameters, tokens, way, trained)
        held = memory_bytes(parameters, way, trained, bytes_per_parameter=bytes_per_parameter)
        found[way] = (run(flop, cluster), held)
    return found


def nameplate_ratio() -> Estimate:
    """Rated power x time over the energy reported, as an interval: least, median and most of the published runs."""
    ratios = sorted(
        found.nameplate_kwh / found.energy_kwh
        for found in energy.trainings()
        if found.nameplate_kwh and found.energy_kwh
    )
    middle = ratios[len(ratios) // 2]
    return Estimate(low=ratios[0], mid=middle, high=ratios[-1], basis="claimed", source="energy/training")


def likely_kwh(nameplate_kwh: Estimate) -> Estimate:
    """What a run would be reported at whose rated power x time is `nameplate_kwh`: divided by `nameplate_ratio`."""
    return nameplate_kwh / nameplate_ratio()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One training on the ladder. `corrected_kwh` is what a figure that was later found too high comes down to; `note`
    tells what weakens a figure."""

    name: str
    energy_kwh: Estimate
    note: str = ""
    corrected_kwh: float | None = None
    yours: bool = False


def ladder(name: str, energy_kwh: Estimate) -> list[Rung]:
    """The published runs and yours, smallest first."""
    rungs = [
        Rung(
            name=found.system,
            energy_kwh=Estimate(
                low=found.energy_kwh, mid=found.energy_kwh, high=found.energy_high_kwh or found.energy_kwh,
                basis="claimed", source=f"energy/{found.source_id}",
            ),
            note="; ".join(filter(None, (found.basis, found.notes))),
            corrected_kwh=found.energy_kwh / found.overstated_ratio if found.overstated_ratio else None,
        )
        for found in energy.trainings()
        if found.energy_kwh is not None
    ]  # fmt: skip
    return sorted([*rungs, Rung(name=name, energy_kwh=energy_kwh, yours=True)], key=lambda rung: rung.energy_kwh.mid)


def _warnings(utilisation: Estimate, trials: int) -> tuple[str, ...]:
    found = [TRIALS_WARNING] if trials > 1 else []
    if utilisation.high >= 1:
        found.append("100 % of the peak is never reached: GPT-3 reached about 20 %, PaLM 46 % while it ran.")
    return tuple(found)
