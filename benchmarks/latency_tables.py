"""`python -m benchmarks.latency_tables`: traces the graphs, fits the latency model, writes data/tables/latency anew."""

import csv
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.latency import fit as latency_fit
from advisor.latency.backtest import roofline_s
from advisor.latency.fit import Fold, fit, leave_out, measured_sets
from advisor.latency.intervals import interval, left_out
from advisor.latency.operators import KINDS, NUMBERS, Ops, from_layers
from data.tables import ROOT
from profiler.formats import formats
from tests import make_models

FOLDER = ROOT / "latency"
CONFIGS = Path(__file__).parent / "model_configs"
TOKENS = {"bert_large": 512, "gpt2_large": 1024, "gpt3_xl": 2048, "gpt3_27": 2048, "opt_13": 2048}
JUDGED = ("models", "engines", "products")


def main() -> None:
    """Graphs, then parameters, then what leaving each chip out shows."""
    write_rows("graphs", graph_rows())
    sets = measured_sets()
    found = asdict(fit(sets))
    replace_column("parameters", "name", {"value": {name: f"{value:.4g}" for name, value in found.items()}})
    folds = [leave_out(sets, chip) for chip in latency_fit.chips(sets)]
    write_left_out(folds, sets)
    ends = {kind: interval(left_out(folds, kind)) for kind in JUDGED}
    counts = {kind: str(len(left_out(folds, kind).log_ratio)) for kind in JUDGED}
    replace_column("intervals", "kind", {
        "low_ratio": {kind: f"{low:.3f}" for kind, (low, _) in ends.items()},
        "high_ratio": {kind: f"{high:.3f}" for kind, (_, high) in ends.items()}, "rows_count": counts,
    })  # fmt: skip


def graph_rows() -> Iterable[list[str]]:
    """The rows of latency/graphs: each configuration traced as the product traces it, and the project's ResNet-50."""
    yield ["graph", "kind", *NUMBERS[:-1], "nodes", "repeat"]
    reader = formats()["hf_config"]
    for name, tokens in [*TOKENS.items(), ("bert_large", 384)]:
        shape = (1, tokens)
        model = reader.read(CONFIGS / f"{name}.json", {"input_ids": shape, "attention_mask": shape})
        engine = tokens == 384
        yield from rows_of(f"{name}_384" if engine else name, from_layers(model.layers, "fp32", folds=engine))
    with tempfile.TemporaryDirectory() as folder:
        file = make_models.onnx_file("resnet50", Path(folder))
        model = formats()["onnx"].read(file, {})
        yield from rows_of("resnet50", from_layers(model.layers, "fp32", folds=True))


def rows_of(name: str, ops: Ops) -> Iterable[list[str]]:
    """One line an operator."""
    kinds = {number: text for text, number in KINDS.items()}
    columns = [getattr(ops, field) for field in (*NUMBERS[:-1], "nodes", "repeat")]
    for place in range(len(ops)):
        yield [name, kinds[int(ops.kind[place])], *(f"{column[place]:.0f}" for column in columns)]


def write_rows(table: str, rows: Iterable[list[str]]) -> None:
    """Replaces the rows of a table and keeps its header, with today's date."""
    file = FOLDER / f"{table}.csv"
    header = [line for line in file.read_text().splitlines() if line.startswith("#")]
    header = [f"# as_of: {date.today()}" if line.startswith("# as_of") else line for line in header]
    with file.open("w", newline="") as out:
        out.write("\n".join(header) + "\n")
        csv.writer(out, lineterminator="\n").writerows(rows)


def replace_column(table: str, key: str, columns: dict[str, dict[str, str]]) -> None:
    """Replaces cells of a table: column -> {key: text}."""
    lines = [line for line in (FOLDER / f"{table}.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    for column, cells in columns.items():
        for row in rows:
            row[column] = cells.get(row[key], row[column])
    write_rows(table, [list(rows[0]), *(list(row.values()) for row in rows)])


def write_left_out(folds: list[Fold], sets: list[latency_fit.Measured]) -> None:
    """latency/left_out.parquet: every row predicted without its chip, beside the measured time and the roofline."""
    plain = {measured.kind: roofline_s(measured) for measured in sets}
    frames = []
    for fold in folds:
        mine = [one for one in sets if (one.chip == fold.chip).any()]
        roofs = np.concatenate([plain[one.kind][one.chip == fold.chip] for one in mine])
        frames.append(pd.DataFrame({
            "kind": fold.kind, "chip": fold.chip, "device_id": fold.device_id, "label": fold.label,
            "measured_ms": fold.measured_s * 1e3, "predicted_ms": fold.predicted_s * 1e3, "roofline_ms": roofs * 1e3,
        }))  # fmt: skip
    rows = pd.concat(frames, ignore_index=True)
    rows[["measured_ms", "predicted_ms", "roofline_ms"]] = rows.filter(like="_ms").astype("float32")
    rows.to_parquet(FOLDER / "left_out.parquet", index=False, compression="zstd")
    header = (
        "# title: Measured rows predicted by the latency model without their chip: leave one chip out\n"
        "# source: own fit (benchmarks/latency_tables.py) on devices/op_latency, devices/gemm_latency, "
        "devices/model_latency, devices/mlperf, latency/square_gemm\n"
        f"# licence: own work\n# as_of: {date.today()}\n# joins: device_id -> devices/devices.device_id\n"
    )
    (FOLDER / "left_out.header").write_text(header)


if __name__ == "__main__":
    main()
