"""Finding the members of a registry: one file, one member; listing loads no heavy library."""

import importlib
import pkgutil
from functools import cache
from typing import Any


@cache
def members(package: str, attribute: str) -> dict[str, Any]:
    """Every module of `package` that defines `attribute`: {its NAME (or the module's name): the member}, by name."""
    folder = importlib.import_module(package)
    found = {}
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        member = getattr(importlib.import_module(f"{package}.{info.name}"), attribute, None)
        if member is not None:
            found[getattr(member, "NAME", info.name)] = member
    return found
