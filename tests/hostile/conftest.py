"""After all hostile tests: what became of what, in tables."""

from tests.hostile.world import TOLD


def pytest_terminal_summary(terminalreporter, config):
    if "hostile or not hostile" not in config.getoption("markexpr", ""):
        return
    for title, counts in TOLD.items():
        columns = sorted({column for _, column in counts})
        terminalreporter.write_sep("-", title)
        terminalreporter.write_line(f"{'':40}" + "".join(f"{column:>20}" for column in columns))
        for row in sorted({row for row, _ in counts}):
            terminalreporter.write_line(f"{row:40}" + "".join(f"{counts[row, column]:>20}" for column in columns))
