"""Ready questions to the store, for people: one SELECT a file in sql/ready, titled by its first line."""

from functools import cache

from data.store import SQL


@cache
def ready() -> dict[str, str]:
    """{title: SELECT}, in the order of the files' names."""
    found = {}
    for path in sorted((SQL / "ready").glob("*.sql")):
        title, _, select = path.read_text(encoding="utf-8").partition("\n")
        found[title.removeprefix("--").strip()] = select.strip()
    return found
