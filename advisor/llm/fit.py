"""How the serving parameters (llm/serving) were found: least squares over the measured servers, each model left out
once.

What is not a parameter here is set: the start of a layer's kernels, the share of a link that exchanges reach, and what
reading a prompt reaches (the range of published throughputs).
"""

from collections.abc import Mapping
from typing import Any

from advisor.llm import backtest, step

# name: (first guess, least, most), seconds or shares. The most a share can be is what device benchmarks reach.
SOUGHT = {
    "weight_bandwidth_frac": (0.8, 0.5, 0.85), "cache_bandwidth_frac": (0.5, 0.2, 0.7),
    "compute_frac": (0.35, 0.2, 0.5), "exchange_s": (3e-5, 1e-5, 1e-4), "expert_s": (8e-5, 1e-5, 2e-4),
    "sequence_s": (5e-6, 0.0, 3e-5), "step_s": (5e-4, 0.0, 4e-3),
}  # fmt: skip
HELD_FRAC = 0.9
POWER = ("idle_power_frac", "compute_power_frac", "memory_power_frac")


def fit() -> dict[str, float]:
    """Every fitted parameter, and what measured over predicted was with each model left out: its median error
    ("time_median", "energy_median") and the interval for a model not among them (`elsewhere`; "time_low" ...)."""
    import numpy as np

    known = _Rows()
    every = np.ones(len(known.measured_s), bool)
    times = known.times(every)
    power = known.power(times, every)
    held_s, held_j = np.zeros(len(every)), np.zeros(len(every))
    for model in set(known.models):
        out = known.models == model
        without = known.times(~out)
        held_s[out] = known.seconds(without)[out]
        held_j[out] = known.joules(without, known.power(without, ~out))[out]
    time, energy = known.measured_s / held_s, known.measured_j / held_j
    return {
        **dict(zip(SOUGHT, map(float, times), strict=True)), **dict(zip(POWER, map(float, power), strict=True)),
        **elsewhere("time", time, known.models), **elsewhere("energy", energy, known.models),
        "time_median": float(np.median(abs(1 / time - 1))), "energy_median": float(np.median(abs(1 / energy - 1))),
    }  # fmt: skip


def elsewhere(name: str, ratios: Any, models: Any) -> dict[str, float]:
    """{"<name>_low", "<name>_high"}: the interval that holds HELD_FRAC of the servers of a model nobody has seen.

    Servers of one model miss together, so a new model is one draw among models, not among servers: each of K models
    weighs 1 / (K + 1), its servers alike, and the last share stands for the new one (hierarchical conformal prediction;
    Lee, Barber and Willett 2023, arXiv:2306.06342). Scores are the sizes of the ratios' logarithms."""
    import numpy as np

    size, groups = np.abs(np.log(ratios)), sorted(set(models))
    weight = np.array([1.0 / ((len(groups) + 1) * np.sum(models == model)) for model in models])
    order = np.argsort(size)
    most = float(np.exp(size[order][np.searchsorted(np.cumsum(weight[order]), HELD_FRAC)]))
    return {f"{name}_low": 1.0 / most, f"{name}_high": most}


class _Rows:
    """The measured servers as arrays: what each takes of every parameter."""

    def __init__(self) -> None:
        import numpy as np

        found = [_terms(case) for case in backtest.cases()]
        self.models = np.array([backtest.base(case.model) for case in backtest.cases()])
        self._terms = np.array([[terms[name] for name in SOUGHT] for terms in found])
        self._fixed = np.array([terms["fixed"] for terms in found])
        self._of = {key: np.array([terms[key] for terms in found]) for key in found[0]}
        self.measured_s, self.measured_j = self._of["measured_s"], self._of["measured_j"]

    def seconds(self, values: Any) -> Any:
        """Seconds of a step: bytes and FLOP over their shares, seconds times their counts."""
        terms, shares = self._terms, 3
        return (terms[:, :shares] / values[:shares]).sum(1) + terms[:, shares:] @ values[shares:] + self._fixed

    def times(self, rows: Any) -> Any:
        """The parameters of time that fit these rows best, outliers weighing less."""
        import numpy as np
        from scipy.optimize import least_squares

        first, least, most = (np.array(column) for column in zip(*SOUGHT.values(), strict=True))
        return least_squares(
            lambda values: np.log(self.seconds(values) / self.measured_s)[rows], first, bounds=(least, most),
            loss="soft_l1", f_scale=0.2, x_scale=first,
        ).x  # fmt: skip

    def power(self, values: Any, rows: Any) -> Any:
        """The parameters of power that fit these rows best."""
        import numpy as np

        return np.linalg.lstsq(self._used(values)[rows], self._of["power_frac"][rows], rcond=None)[0]

    def joules(self, values: Any, power: Any) -> Any:
        """Joules a token."""
        import numpy as np

        seconds = self.seconds(values)
        watts = np.minimum(1.0, self._used(values) @ power) * self._of["rated_w"]
        writing = step.value("throughput_frac") / (1.0 + self._of["read_s"] * self._of["prompts"] / seconds)
        return watts * seconds / (self._of["batch"] * writing)

    def _used(self, values: Any) -> Any:
        """One, the share of peak arithmetic and that of the memory bandwidth in use."""
        import numpy as np

        seconds = self.seconds(values)
        moved = self._terms[:, 0] + self._terms[:, 1]
        return np.c_[np.ones(len(seconds)), self._terms[:, 2] / seconds, moved / seconds]


def _terms(case: backtest.Case) -> Mapping[str, float]:
    """What one measured server takes of every parameter."""
    arch, on, load = case.arch, step.on(case.device, case.count, case.stored), case.load
    bandwidth = case.device.memory_bytes_per_s or 1.0
    payload = step.exchange_s(arch, on, load.batch) - arch.layers * step.value("exchange_s") * (on.count > 1)
    return {
        "weight_bandwidth_frac": step.touched_bytes(arch, case.stored, load.batch) / on.count / bandwidth,
        "cache_bandwidth_frac": step.cache_bytes(arch, case.stored, load) / step.shares(arch, on.count) / bandwidth,
        "compute_frac": step.written_flop(arch, load) / on.count / on.rate,
        "exchange_s": float(arch.layers * (on.count > 1)), "expert_s": float(arch.expert_layers),
        "sequence_s": float(load.batch), "step_s": 1.0, "fixed": arch.layers * step.value("launch_s") + payload,
        "measured_s": case.measured_s, "measured_j": case.measured_j, "batch": float(load.batch),
        "read_s": step.read_s(arch, on, load.prompt_tokens),
        "prompts": load.batch / load.answer_tokens, "rated_w": on.count * (case.device.tdp_w or 0.0),
        "power_frac": case.measured_w / (on.count * (case.device.tdp_w or 1.0)),
    }  # fmt: skip
