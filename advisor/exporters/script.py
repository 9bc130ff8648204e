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
        from advisor.report.script import script

        return script(report)


EXPORTER = Script()
