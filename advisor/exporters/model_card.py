"""A Hugging Face model card: what the file is, what it emits, how that was found; written by huggingface_hub's classes.

The keys of `co2_eq_emissions` are those of the model-card metadata specification (emissions in grams).
"""

from typing import Any

from advisor.types import Report

LIBRARIES = {"onnx": "onnx", "torchscript": "pytorch", "pt2": "pytorch", "state_dict": "pytorch", "gguf": "gguf"}
SECTIONS = ("question", "tried", "footprint", "method", "uncertainty", "files", "sources")


class Card:
    NAME = "model_card"
    MIME = "text/markdown"
    SUFFIX = ".card.md"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """README.md of the model's repository, UTF-8; without a grid zone there is no `co2_eq_emissions`."""
        from dataclasses import replace

        from huggingface_hub import ModelCard, ModelCardData

        from advisor.report import markdown as report_markdown
        from advisor.report.charts import PREFIX
        from advisor.report.contents import document

        more: dict[str, Any] = {"co2_eq_emissions": found} if (found := _emissions(report)) else {}
        data = ModelCardData(
            library_name=LIBRARIES.get(report.model.format), tags=_tags(report), ignore_metadata_errors=True, **more
        )
        made = document(report)
        kept = (one for one in made.sections if one.id in SECTIONS or one.id.startswith(PREFIX))
        body = replace(made, sections=tuple(kept))
        card = ModelCard(f"---\n{data.to_yaml()}\n---\n\n{report_markdown.whole(body, {})}")
        return str(card).encode()


def _tags(report: Report) -> list[str]:
    plan = report.recommendation.plan
    return ["rightsize", "energy", *([step.technique for step in plan.steps] if plan else [])]


def _emissions(report: Report) -> dict[str, Any] | None:
    """Of a year of serving, and said so: this tool did not see the training."""
    from advisor.report.zone import place_of
    from data import words

    carbon = report.footprint_after.g_co2e_per_year
    if carbon is None or report.budget.zone is None:
        return None
    calls = words.count(report.budget.requests_per_day)
    return {
        "emissions": carbon.mid,
        "source": f"Rightsize, {carbon.basis}, the calls alone; from {carbon.low:.4g} to {carbon.high:.4g} g",
        "training_type": f"none: a year of inference at {calls} requests a day, training not included",
        "geographical_location": place_of(report.budget.zone).name,
        "hardware_used": _hardware(report),
    }


def _hardware(report: Report) -> str:
    here = report.baseline.machine
    gpu = report.baseline.provider.startswith(("CUDA", "Tensorrt", "cuda")) and here.gpus
    threads = report.baseline.workload.threads
    return here.gpus[0].name if gpu else f"{here.cpu}, {threads} thread{'s' if threads > 1 else ''}"


EXPORTER = Card()
