"""Which format a report is written in: the one named, else the one its file's ending says."""

from pathlib import Path

from advisor.exporters import Exporter, exporters
from data.errors import InputError


def exporter_for(file: Path, name: str | None = None) -> Exporter:
    """The format called `name`, else that of the file's ending. Raises InputError where there is none."""
    known = exporters()
    if name is not None:
        if name not in known:
            raise InputError(f"No report format is called {name}.", hint=f"There are {', '.join(known)}.")
        return known[name]
    by_suffix = {exporter.SUFFIX: exporter for exporter in known.values()}
    found = by_suffix.get("".join(file.suffixes[-2:])) or by_suffix.get(file.suffix)
    if found is None:
        raise InputError(f"A report cannot end in '{file.suffix}'.", hint=f"Endings: {', '.join(by_suffix)}")
    return found
