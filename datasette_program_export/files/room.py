"""Errors for a folder that has no more room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ExportError, SpoolFullError

TEMPORARY = "The temporary folder"


@contextmanager
def room_in(folder: str = TEMPORARY) -> Iterator[None]:
    """Convert an OSError within the block to SpoolFullError: the folder has no more room."""
    try:
        yield
    except OSError as error:
        if isinstance(error, ExportError):  # DeniedError is also a PermissionError of Python's
            raise
        raise no_room(error.strerror, folder) from None


def no_room(reason: str | None, folder: str = TEMPORARY) -> SpoolFullError:
    """Return the exception to raise, with the system's or SQLite's reason."""
    return SpoolFullError(f"{folder} takes no more ({reason}).")
