"""What can go wrong, as the user reads it.

RightsizeError
├── InputError        your file or value: what is wrong, what to do       exit code 2
├── Unavailable       this machine cannot: what it would take             exit code 3
├── MeasurementError  too noisy, timed out, out of memory: what to try    exit code 4
└── DataError         a shipped table or the store is broken              exit code 5
"""

import errno

from data.text import plain, without_paths

MESSAGE_LIMIT = 200
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
DISK_FULL = "The disk is full: nothing was saved."
EXIT_CANCELLED = 130


class RightsizeError(Exception):
    """One line for the user, a hint what to do next, and library text kept apart under `details`."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        self.message = without_paths(message, MESSAGE_LIMIT)
        self.hint = without_paths(hint, MESSAGE_LIMIT)
        self.details = without_paths(details)
        super().__init__(self.message)

    def as_dict(self) -> dict[str, str]:
        """The form in which it crosses from the worker to the app and into `--json`."""
        return {"error": self.message, "hint": self.hint, "details": self.details, "kind": type(self).__name__}


class InputError(RightsizeError):
    """The user's file or value is wrong."""

    exit_code = 2


class Unavailable(RightsizeError):
    """This machine, or what is installed on it, cannot do it."""

    exit_code = 3


class MeasurementError(RightsizeError):
    """A run was too noisy, took too long, or needed more memory than it may use."""

    exit_code = 4


class DataError(RightsizeError):
    """A shipped table or the store is broken."""

    exit_code = 5


class Cancelled(RightsizeError):
    """The user stopped it."""

    exit_code = EXIT_CANCELLED


def of_disk(error: OSError) -> RightsizeError:
    """What the disk refused, as the user reads it: no room, or no right to write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataError(DISK_FULL, hint="Free some space and run it again.", details=str(error))
    return Unavailable(
        "The data folder cannot be written.",
        hint="Check the rights and the free space of the folder RIGHTSIZE_HOME names.",
        details=str(error),
    )


def unforeseen(error: Exception) -> RightsizeError:
    """A defect of ours, as the user reads it; where only the disk was full, that."""
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return of_disk(error)
    return MeasurementError("This failed for a reason Rightsize did not foresee.", details=repr(error))


KINDS: dict[str, type[RightsizeError]] = {
    kind.__name__: kind for kind in (InputError, Unavailable, MeasurementError, DataError, Cancelled)
}


def from_dict(fields: dict[str, str]) -> RightsizeError:
    """The error that `as_dict` described; a kind that is not known is a MeasurementError."""
    kind = KINDS.get(fields.get("kind", ""), MeasurementError)
    return kind(plain(fields.get("error", ""), 2000), hint=fields.get("hint", ""), details=fields.get("details", ""))
