"""Where Rightsize keeps its files: `RIGHTSIZE_HOME`, or the user's data folder. Outside the project."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from data import passing
from data.errors import InputError, of_disk

PROJECT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"\w[\w-]{0,127}")


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
        """This process's folder of job folders (a job's is the child's only writable place): gone with the process."""
        return passing.own(self.all_jobs)

    @property
    def all_jobs(self) -> Path:
        """The folders of job folders, one a process; those of processes that are gone may be cleared away."""
        return self._made("jobs")

    @property
    def uploads(self) -> Path:
        """One folder an upload, until the job that takes it in has ended."""
        return self._made("uploads")

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
        return self._made("models", hashed(sha256))

    def variants(self, sha256: str) -> Path:
        return self._made("models", hashed(sha256), "variants")

    def _made(self, *parts: str) -> Path:
        """Raises Unavailable where the folder is not there and cannot be made."""
        folder = self.root.joinpath(*parts)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise of_disk(error) from error
        return folder


def hashed(sha256: str) -> str:
    """The hash, where it may be one: it becomes the name of a folder, wherever the record that holds it came from."""
    if not NAME.fullmatch(sha256):
        raise InputError("This is not the hash of a model.", hint="A SHA-256 has 64 digits from 0 to f.")
    return sha256


def home() -> Home:
    """The home named by RIGHTSIZE_HOME, else the user's data folder. Raises InputError where it lies in the program's
    own folder, which the locked child may read."""
    named = os.environ.get("RIGHTSIZE_HOME")
    root = Path(named).expanduser().resolve() if named else Path(platformdirs.user_data_dir("rightsize"))
    if root.is_relative_to(PROJECT):
        raise InputError(
            "RIGHTSIZE_HOME names a folder inside the program's own.",
            hint="Choose one outside: what untrusted models can read must not hold your data.",
        )
    return Home(root)
