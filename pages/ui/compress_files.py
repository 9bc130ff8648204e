"""Everything that was tried as a table, and of a chosen row: what each step changed, the file, the script, the hash."""

import streamlit as st

from advisor import compress
from advisor.recommend import title
from advisor.report import frames as report_frames
from advisor.report.script import script
from advisor.types import Plan, Report, Variant
from data import words
from pages.ui import formats, state, tables


def candidates(report: Report) -> None:
    """Every plan with its numbers and why it lost, to be sorted by any column; a chosen row tells all of its plan."""
    rows = report_frames.tried(report)
    if rows.empty:
        st.caption("No technique could be applied.")
        return
    chosen = tables.show(
        rows.drop(columns="variant_id"),
        key="candidates",
        alt="Every plan that was tried: latency, energy and size against the original, loss, and why it was ruled out.",
        more={
            "standing": st.column_config.Column("Standing", width=120),
            "latency_ends": "95 %",
            "export_ratio": st.column_config.NumberColumn("Latency, of the ONNX export (×)", format="%.3f"),
            "energy_ends": "95 %, energy",
            "file_frac": tables.bar("File, of original", max(100.0, 100 * float(rows["file_frac"].max()))),
            "make_s": st.column_config.NumberColumn("Made in (s)", format="%.2g"),
            "why": st.column_config.Column("Ruled out because", width="large"),
        },
        on_select="rerun",
        selection_mode="single-row",
    )
    if chosen.selection.rows:
        _one(report, report.recommendation.tried[chosen.selection.rows[0]])
    else:
        st.caption("Choose a row to see what each step changed, and to take its file.")


def _one(report: Report, plan: Plan) -> None:
    """A plan in full."""
    made = _made(report, plan)
    with st.container(key="chosen-plan"):
        st.subheader(formats.name(title(plan), 200), anchor=False)
        if plan.ruled_out:
            st.markdown(f":material/block: {formats.name(plan.ruled_out, 240)}")
        for step, notes in report_frames.changes(report, plan.variant_id):
            st.markdown(f"**{formats.name(step, 120)}** {formats.name(' '.join(notes), 600)}")
        said = [*(() if made is None else _facts(made))]
        st.caption("  \n".join(formats.name(text, 300) for text in said))
        download(report, plan)


def _facts(made: Variant) -> list[str]:
    said = [f"Calibrated on {made.calibrated_on}."] if made.calibrated_on else []
    if made.quality is not None:
        said.append(f"Quality was measured on {made.quality.samples} {made.quality.inputs} samples.")
    if made.make_s is not None:
        said.append(f"Made in {words.duration(made.make_s)}; runs on {made.runtime}.")
    return said


def download(report: Report, plan: Plan, primary: bool = False) -> None:
    """The file of a plan and those that hold its weights, its hash, and the script that makes it again."""
    made = _made(report, plan)
    if made is None or not made.file:
        return
    path = compress.variant_file(state.app().home, made)
    if not path.exists():
        st.caption("The file of this plan was deleted.")
        return
    with st.container(horizontal=not primary):
        for number, name in enumerate((made.file, *made.companions)):
            file = path.parent / name.rsplit("/", 1)[-1]
            st.download_button(
                f"Download {words.size(file.stat().st_size)}" if number == 0 else f"Weights {number}",
                file.read_bytes,
                file_name=file.name,
                mime="application/octet-stream",
                icon=":material/download:",
                type="primary" if primary and number == 0 else "secondary",
                key=f"file-{made.id}-{number}-{primary}",
                on_click="ignore",
                width="stretch" if primary else "content",
            )
        if not primary:
            st.download_button(
                "Script", script(report, made.id), file_name=f"make_{made.sha256[:8]}.py", mime="text/x-python",
                icon=":material/code:", key=f"script-{made.id}", on_click="ignore",
                help="A dozen lines of Python that make this file again and check its hash.",
            )  # fmt: skip
    if not primary:
        st.caption("SHA-256 of the file")
        st.code(made.sha256, language=None, wrap_lines=True)


def _made(report: Report, plan: Plan) -> Variant | None:
    return next((variant for variant in report.variants if variant.id == plan.variant_id), None)
