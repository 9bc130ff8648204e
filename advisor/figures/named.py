"""Every chart by name: rows in, plotly Figure out; `mode` is "light" or "dark". Shared by pages and reports."""

from advisor.figures.bars import (
    bars,
    basis_legend,
    before_after,
    energy_split,
    grid_carbon,
    sensitive_layers,
    where_the_computation_is,
    where_the_time_goes,
)
from advisor.figures.latency import STANDINGS, latency_ecdf, pareto
from advisor.figures.memory import ladder, memory_parts
from advisor.figures.roofline import roofline
from advisor.figures.style import MODES, template
from advisor.figures.sweep import sweep

__all__ = [
    "MODES",
    "STANDINGS",
    "bars",
    "basis_legend",
    "before_after",
    "energy_split",
    "grid_carbon",
    "ladder",
    "latency_ecdf",
    "memory_parts",
    "pareto",
    "roofline",
    "sensitive_layers",
    "sweep",
    "template",
    "where_the_computation_is",
    "where_the_time_goes",
]
