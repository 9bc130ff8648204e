"""Where Rightsize keeps its files: `RIGHTSIZE_HOME`, or the user's data folder. Outside the project."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one installation; each is made when it is first asked for."""

    root: Path

    @property
    def store(self) -> Path:
        """The DuckDB file. The app is its only opener while it runs."""
        return self._made() / "store.duckdb"

    @property
    def jobs(self) -> Path:
        """One folder a job, the child's only writable place, removed after."""
        return self._made("jobs")

    @property
    def inbox(self) -> Path:
        """Records of headless runs made while the app held the store, as JSON lines."""
        return self._made("inbox")

    @property
    def locks(self) -> Path:
        """One lock file a device: a measurement holds it."""
        return self._made("locks")

    @property
    def reports(self) -> Path:
        return self._made("reports")

    @property
    def examples(self) -> Path:
        return self._made("examples")

    def model(self, sha256: str) -> Path:
        """The folder of one model: original.<ext> and variants/<sha256>.<ext>."""
        return self._made("models", sha256)

    def variants(self, sha256: str) -> Path:
        return self._made("models", sha256, "variants")

    def _made(self, *parts: str) -> Path:
        folder = self.root.joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def home() -> Home:
    """The home named by RIGHTSIZE_HOME, else the user's data folder."""
    named = os.environ.get("RIGHTSIZE_HOME")
    return Home(Path(named).expanduser().resolve() if named else Path(platformdirs.user_data_dir("rightsize")))
