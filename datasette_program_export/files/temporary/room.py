"""The room in a folder: looked at before much is written there, and the error for a folder that has no more."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import ExportError, SpoolFullError

TEMPORARY = "The temporary folder"
_NONE = "No usable temporary directory"  # how Python's message begins


@contextmanager
def room_in(folder: str = TEMPORARY) -> Iterator[None]:
    """Convert an OSError within the block to SpoolFullError: the folder has no more room."""
    try:
        yield
    except OSError as error:
        if isinstance(error, ExportError):  # DeniedError is also a PermissionError of Python's
            raise
        reason = error.strerror or ""
        raise no_room("there is none that can be written to" if reason.startswith(_NONE) else reason, folder) from None


def no_room(reason: str | None, folder: str = TEMPORARY) -> SpoolFullError:
    """Return the exception to raise, with the system's or SQLite's reason."""
    return SpoolFullError(f"{folder} takes no more ({reason}).")


def check_free(folder: str | Path | None, needed: int, what: str) -> None:
    """Raise SpoolFullError if ``folder`` (None: the system's temporary folder) certainly has no room.

    ``needed`` are the fewest bytes that ``what`` can take; ``what`` begins the sentence."""
    free = free_in(folder)
    if free is not None and needed > free:
        raise SpoolFullError(f"{what} needs at least {needed:,} bytes, and {free:,} are free there.")


def free_in(folder: str | Path | None) -> int | None:
    """Return how many bytes this process can still write in ``folder``; None where that is not known."""
    try:
        place = Path(tempfile.gettempdir() if folder is None else folder)
        while not place.exists():  # it is made later
            place = place.parent
        usage = shutil.disk_usage(place)
        if usage.total == 0:  # a file system that does not count
            return None
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # root may also fill what is reserved
            found = os.statvfs(place)
            return max(usage.free, found.f_bfree * found.f_frsize)
    except OSError:
        return None
    return usage.free
