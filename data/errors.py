"""What can go wrong, as the user reads it.

RightsizeError
├── InputError        your file or value: what is wrong, what to do       exit code 2
├── Unavailable       this machine cannot: what it would take             exit code 3
├── MeasurementError  too noisy, timed out, out of memory: what to try    exit code 4
└── DataError         a shipped table or the store is broken              exit code 5
"""

from data.text import plain, without_paths

MESSAGE_LIMIT = 200
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


KINDS: dict[str, type[RightsizeError]] = {
    kind.__name__: kind for kind in (InputError, Unavailable, MeasurementError, DataError, Cancelled)
}


def from_dict(fields: dict[str, str]) -> RightsizeError:
    """The error that `as_dict` described; a kind that is not known is a MeasurementError."""
    kind = KINDS.get(fields.get("kind", ""), MeasurementError)
    return kind(plain(fields.get("error", ""), 2000), hint=fields.get("hint", ""), details=fields.get("details", ""))
