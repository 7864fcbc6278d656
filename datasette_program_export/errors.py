"""The exceptions of this package, as one tree.

    ExportError
    ├── RequestError (ValueError)        the request is wrong                     400  exit 2
    │   ├── ArgumentTypeError (TypeError)  an argument is of a wrong type         400  exit 2
    │   └── TooSlowError                 an upload takes longer than the site waits 408
    ├── NotFoundError (LookupError)      no such table, row, database             404  exit 2
    ├── DeniedError (PermissionError)    not allowed for this person              403  exit 1
    ├── UnsupportedError                 not possible for this subject or format  422  exit 1
    ├── TooLargeError                    a limit refused before the first byte    422  exit 1
    │   └── FileTooLargeError            an upload is larger than the site takes  413
    ├── SourceError                      the database cannot be read              422  exit 1
    ├── UnreadableError                  a file is cut, damaged, not ours         422  exit 1
    │   └── OtherKindError               a file is a picture, a letter, …       422  exit 1
    ├── ConflictError                    the job's state forbids it               409  exit 1
    ├── GoneError                        a result is no longer kept               410  exit 1
    ├── RefusedError                     a file is not imported; see ``report``   422  exit 1
    ├── BusyError                        too much at once, try later              429  exit 1
    ├── UsedUpError (RuntimeError)       an export is iterated over a second time      exit 1
    ├── AuditError                       the log of exports cannot be written     503  exit 1
    ├── PluginError                      a plugin failed, or gave what it must not 500  exit 1
    ├── BrokenExportError                failed after the first byte              cut  exit 1
    │   ├── SnapshotLostError            the snapshot is lost
    │   └── SpoolFullError               no room for waiting data                 507 if before
    ├── CancelledError                   the person left or cancelled             cut  exit 1
    └── SettingsError (ValueError)       the configuration is wrong               start-up

Every message says what is wrong, where, and what to do; none contains SQL or a row's values. The web layer
responds with ``status``, the command line exits with ``exit_code``.

A message that advises a choice names it as ``the argument table``: those are Python's words. ``in_words`` puts those of
another door in their place. Behind ``the argument cells with`` stands the value itself, such as ``price=number``.
"""

from __future__ import annotations

import re
from typing import Any, Literal

Door = Literal["command", "page"]
_ARGUMENT = re.compile(r'\bthe argument (\w+)(=[\w"]+)?( with\b)?')
# what a choice is called at the command line, and on a page; a choice that a page does not offer is made elsewhere
_CALLED: dict[str, tuple[str, str]] = {
    "table": ("--table", "the table its rows go into"),
    "create": ("--create", "the choice to make a table that is not there"),
    "delimiter": ("--delimiter", "the choice of what stands between its fields"),
    "encoding": ("--encoding", "the field (encoding)"),
    "header": ("--header", "the field (header)"),
    "pk": ("--pk", "the key of the new table"),
    "types": ("--type", "the types of new columns"),
    "map": ("--map", "the columns with another name"),
    "alter": ("--alter", "the choice to make the columns that a table lacks"),
    "header=True": ("--header", 'the answer "yes" (header)'),
    "header=False": ("--no-header", 'the answer "no" (header)'),
    "skip_lines": ("--skip-lines", "the field (skip-lines)"),
    "sheet": ("--sheet", "the field (sheet)"),
    "decimal": ("--decimal", "the field (decimal)"),
    "dates": ("--dates", "the field (dates)"),
    "cells": ("--cells", "the field (cells)"),
    "nan": ("--nan", "the field (nan)"),
    'nan="null"': ("--nan null", 'the answer "is no value" (nan)'),
    "rows_at": ("--rows-at", "the field (rows-at)"),
    "trusted": ("--trust", "--trust, at the command line"),
    "triggers": ("--triggers", "the choice that the database's own triggers fire"),
    "allow_stale_indexes": ("--allow-stale-indexes", "the choice for search indexes that would be out of date"),
    "without": ("--without", "the list of tables to leave out"),
    "files": ("--files", "the command import, with --files,"),
    "allow_dangling": ("--allow-dangling", "the choice for references that lead nowhere"),
}


def in_words(message: str, door: Door) -> str:
    """Return a message with the choices that it advises named as they are at the command line, or on a page."""

    def called(found: re.Match[str]) -> str:
        name, value, before_value = found.groups(default="")
        names = _CALLED.get(name + value)
        if names is None:
            return found[0]
        return names[0] if door == "command" else names[1] + before_value

    return _ARGUMENT.sub(called, message)


class ExportError(Exception):
    """The base class of all errors that this package raises on purpose."""

    status = 500
    exit_code = 1


class RequestError(ExportError, ValueError):
    """The request is not valid: an unknown name, a contradiction, a bad value."""

    status = 400
    exit_code = 2


class ArgumentTypeError(RequestError, TypeError):
    """An argument of a function is of a wrong type; the message says which is needed."""


class TooSlowError(RequestError):
    """Of an uploaded file nothing more comes (``send_timeout_seconds``), or not all in time (``upload_seconds``)."""

    status = 408


class NotFoundError(ExportError, LookupError):
    """The database, table or row that was asked for does not exist."""

    status = 404
    exit_code = 2


class DeniedError(ExportError, PermissionError):
    """This person may not see, or not export, what was asked for."""

    status = 403


class UnsupportedError(ExportError):
    """The request is valid, but not possible for this subject or this format."""

    status = 422


class TooLargeError(ExportError):
    """A limit (``max_rows``) refused the export before the first byte."""

    status = 422


class FileTooLargeError(TooLargeError):
    """An uploaded file is larger than the site takes (``verify_mb``)."""

    status = 413


class SourceError(ExportError):
    """The database cannot be read: it is damaged or locked, or a module or function is missing.

    ``reason`` is SQLite's, where it may be a single table's."""

    status = 422

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason

    def of_table(self, table: str, source: str) -> SourceError:
        """Return an error that names the table, if the reason may be its own; else this one."""
        if self.reason is None:
            return self
        return SourceError(f"{table} in {source} cannot be read: {self.reason}.", self.reason)


class UnreadableError(ExportError):
    """A file is not as this program wrote it.

    ``reason`` is ``cut``, ``damaged``, ``changed``, or ``unknown`` (not a document of this program)."""

    status = 422

    def __init__(self, message: str, reason: str = "damaged") -> None:
        super().__init__(message)
        self.reason = reason


class OtherKindError(UnreadableError):
    """A file is of a kind that holds no rows for this program: a picture, a letter, another program's database."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "unknown")


class ConflictError(ExportError):
    """A job is in a state that does not allow the operation: it has no result yet, or nothing to cancel."""

    status = 409


class GoneError(ExportError):
    """The result of a job is no longer kept: its retention time is over."""

    status = 410


class RefusedError(ExportError):
    """An import was refused; nothing was changed. ``report`` (an ImportReport) holds every finding."""

    status = 422

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class BusyError(ExportError):
    """Too many exports run at once; ``retry_after`` is in seconds."""

    status = 429

    def __init__(self, message: str, retry_after: int = 10) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UsedUpError(ExportError, RuntimeError):
    """An ``export`` has given its bytes already, or is closed: it gives nothing more."""


class AuditError(ExportError):
    """The log of exports cannot be written, so nothing is exported."""

    status = 503


class PluginError(ExportError):
    """A plugin with a hook of ours failed, or returned what it must not; the message has the plugin's name."""


class BrokenExportError(ExportError):
    """The export failed while it was being written; what was written is not complete."""


class SnapshotLostError(BrokenExportError):
    """The read transaction ended early, so the rest would come from another snapshot."""


class SpoolFullError(BrokenExportError):
    """There is no more room for data that waits for a slow reader (``spool_disk_mb``, or the disk)."""

    status = 507


class CancelledError(ExportError):
    """The person left or cancelled, so the work was stopped."""


class SettingsError(ExportError, ValueError):
    """A setting or preset is wrong; found at start-up."""
