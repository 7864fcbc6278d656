"""What can go wrong, as one tree.

    ExportError
    ├── RequestError (ValueError)        the question is wrong           400  exit 2
    ├── NotFoundError (LookupError)      no such table, row, database    404  exit 2
    ├── DeniedError (PermissionError)    not for this person             403  exit 1
    ├── UnsupportedError                 this subject or format cannot   422  exit 1
    ├── TooLargeError                    a guard refused before byte one 422  exit 1
    │   └── FileTooLargeError            more was sent than is taken     413
    ├── SourceError                      the database cannot be read     422  exit 1
    ├── UnreadableError                  a file is cut, damaged, not ours 422  exit 1
    ├── ConflictError                    the job's state forbids it      409  exit 1
    ├── GoneError                        a result no longer kept         410  exit 1
    ├── RefusedError                     a file is not imported; ``report`` says why 422  exit 1
    ├── BusyError                        too much at once, try later     429  exit 1
    ├── AuditError                       the log of exports is broken    503  exit 1
    ├── BrokenExportError                failed after the first byte     cut  exit 1
    │   ├── SnapshotLostError            the one moment is gone
    │   └── SpoolFullError               no room for what waits      507 if before
    ├── CancelledError                   somebody left or cancelled      cut  exit 1
    └── SettingsError (ValueError)       the configuration is wrong      start-up

Every message says what, where, and what to do; none holds SQL or a row's values.
The web layer answers with ``status``, the command line exits with ``exit_code``.
"""

from __future__ import annotations

from typing import Any


class ExportError(Exception):
    """The root: every error this package raises on purpose."""

    status = 500
    exit_code = 1


class RequestError(ExportError, ValueError):
    """The request cannot be understood: an unknown name, a contradiction, a bad value."""

    status = 400
    exit_code = 2


class NotFoundError(ExportError, LookupError):
    """The database, table or row that was asked for does not exist."""

    status = 404
    exit_code = 2


class DeniedError(ExportError, PermissionError):
    """This person may not see, or not export, what was asked for."""

    status = 403


class UnsupportedError(ExportError):
    """Understood, but this subject or this format cannot do it."""

    status = 422


class TooLargeError(ExportError):
    """A guard (``max_rows``) refused before the first byte."""

    status = 422


class FileTooLargeError(TooLargeError):
    """A file that was sent to be checked is larger than the site takes (``verify_mb``)."""

    status = 413


class SourceError(ExportError):
    """The database cannot be read: damaged, locked, missing a module or a function."""

    status = 422


class UnreadableError(ExportError):
    """A file is not what this program wrote: ``reason`` is cut, damaged, changed, or unknown (no document of ours)."""

    status = 422

    def __init__(self, message: str, reason: str = "damaged") -> None:
        super().__init__(message)
        self.reason = reason


class ConflictError(ExportError):
    """What was asked for does not go with the state that a job is in: no result yet, nothing to cancel."""

    status = 409


class GoneError(ExportError):
    """The result of a job that was kept for a time, which is over."""

    status = 410


class RefusedError(ExportError):
    """An import that did not happen: nothing was changed. ``report`` (an ImportReport) holds every finding."""

    status = 422

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class BusyError(ExportError):
    """Too many exports at once; ``retry_after`` is in seconds."""

    status = 429

    def __init__(self, message: str, retry_after: int = 10) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AuditError(ExportError):
    """The log of exports cannot be written, so nothing is exported."""

    status = 503


class BrokenExportError(ExportError):
    """The export failed while it was being written; what was written is not complete."""


class SnapshotLostError(BrokenExportError):
    """The read transaction ended early, so the rest would come from another moment."""


class SpoolFullError(BrokenExportError):
    """There is no more room for what waits for its reader (``spool_disk_mb``, or the disk)."""

    status = 507


class CancelledError(ExportError):
    """The person left or cancelled; the work was stopped."""


class SettingsError(ExportError, ValueError):
    """A setting or preset is wrong; found at start-up."""
