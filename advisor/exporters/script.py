"""A Python script of a few lines that makes the recommended file again."""

from advisor.types import Report


class Script:
    NAME = "script"
    MIME = "text/x-python"
    SUFFIX = ".py"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """The script, UTF-8; whatever came with the model stands in it as a string."""
        from pprint import pformat

        from advisor.recommend import title
        from advisor.report.reproduce import recipe
        from data.version import VERSION

        plan = report.recommendation.plan
        told = f"makes {title(plan)!a} again" if plan else "the original is recommended: checks that this is the file"
        how = pformat(recipe(report), width=110, sort_dicts=False)
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


EXPORTER = Script()
