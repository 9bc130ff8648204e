"""The script of a dozen lines that makes a variant's file again, and says whether it is the same file."""

from pprint import pformat

from advisor.recommend import title
from advisor.report.reproduce import recipe
from advisor.types import Report
from data.version import VERSION


def script(report: Report, variant_id: str | None = None) -> bytes:
    """UTF-8; of the variant with this id, else of the recommended one. Whatever came with the model stands in it as a
    string."""
    chosen = report.recommendation.plan
    wanted = variant_id or (chosen.variant_id if chosen else None)
    variant = next((one for one in report.variants if one.id == wanted), None)
    kept = "the original is recommended: checks that this is the file"
    told = f"makes {title(variant)!a} again" if variant else kept
    how = pformat(recipe(report, variant_id), width=110, sort_dicts=False)
    lines = [
        f"# Rightsize {VERSION}, report {report.id}, model {report.model.name!a}: {told}.",
        "# Run it in Rightsize's folder:  PYTHONPATH=. .venv/bin/python THIS.py MODEL [DATA.npz]",
        "import sys",
        "from pathlib import Path",
        "",
        "from advisor.report.reproduce import reproduce",
        "",
        f"HOW = {how}",
        "",
        'if __name__ == "__main__":',
        "    model, *data = map(Path, sys.argv[1:])",
        '    made = reproduce(model, folder=Path("reproduced"), data=data[0] if data else None, **HOW)',
        '    print(made.file, made.sha256, "the same file" if made.same else "another file, made the same way")',
    ]
    return ("\n".join(lines) + "\n").encode()
