"""What is raised where a folder has no more room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ExportError, SpoolFullError

TEMPORARY = "The temporary folder"


@contextmanager
def room_in(folder: str = TEMPORARY) -> Iterator[None]:
    """Within it, an OSError means that the folder takes no more: it becomes a SpoolFullError."""
    try:
        yield
    except OSError as error:
        if isinstance(error, ExportError):  # DeniedError is one of Python's, too
            raise
        raise no_room(error.strerror, folder) from None


def no_room(reason: str | None, folder: str = TEMPORARY) -> SpoolFullError:
    """What to raise, with the system's or SQLite's reason."""
    return SpoolFullError(f"{folder} takes no more ({reason}).")
