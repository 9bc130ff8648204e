"""A Python script that makes the recommended file with the libraries alone, where they can: no Rightsize needed."""

from advisor.types import Report


class Libraries:
    NAME = "libraries"
    MIME = "text/x-python"
    SUFFIX = ".libraries.py"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """The script, UTF-8, ASCII only; names from the model stand in it as strings."""
        from advisor.report.elsewhere import script

        return script(report).encode()


EXPORTER = Libraries()
