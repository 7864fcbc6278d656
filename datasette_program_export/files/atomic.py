"""Writes files completely or not at all; what may hold secrets is readable by its owner only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..database.source import size_beside
from ..errors import RequestError
from .temporary.folder import TemporaryFolder, new_file, new_private


def write_whole(path: Path, chunks: Iterable[bytes], *, private: bool = True) -> int:
    """Write the chunks to ``path`` and return the number of bytes.

    ``private``: only the owner can read the file. Otherwise who may read it follows from the process's umask, as
    for any new file, or it is who may read the file that it replaces. The chunks go to a file in a temporary folder
    beside it, which is renamed when it is on the disk. On any error that is removed, and an
    existing file at ``path`` stays. A link is followed; a path that is no ordinary file (a device, a pipe) is written
    to directly. Raises OSError, and RequestError if SQLite would take a file beside ``path`` for a part of a database
    of this name."""
    if path.exists() and not path.is_file():  # not resolved: a pipe in /dev/fd has no name
        with path.open("wb") as file:
            return sum(file.write(chunk) for chunk in chunks)
    path = path.resolve()
    check_beside(path)
    with folder_beside(path) as folder:
        part, written = (new_private if private else new_file)(folder / path.name), 0
        if not private and path.exists():
            part.chmod(stat.S_IMODE(path.stat().st_mode))
        with part.open("wb") as file:
            for chunk in chunks:
                written += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    keep_name(path)
    return written


def folder_beside(path: Path) -> TemporaryFolder:
    """Make a temporary folder in which the file ``path`` is made. Raises OSError."""
    try:
        return TemporaryFolder(path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # not the temporary folder's name


def keep_name(path: Path) -> None:
    """Write a file's new name to the disk, so that it survives a power failure as its content does. Raises OSError."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def check_beside(path: Path) -> None:
    """Check that no remains of another database lie beside a new one. Raises RequestError if they do.

    SQLite would write them into the new one (https://www.sqlite.org/howtocorrupt.html, 1.4)."""
    for suffix in ("-wal", "-journal"):
        if size_beside(path, suffix):
            raise RequestError(
                f"Beside {path.name} lies {path.name}{suffix}, which belongs to a database of that name and may "
                "hold its newest rows. Choose another name."
            )


def make_private(path: Path) -> None:
    """Create an empty file that only its owner can read, if ``path`` does not exist.

    For databases of this program: SQLite gives the files beside it the same permissions. The file is created
    under another name, because this process may already have it open under its own. Raises OSError."""
    if path.exists():
        return
    with TemporaryFolder(path.parent) as folder, suppress(FileExistsError):
        give_name(new_private(folder / path.name), path)


def give_name(made: Path, path: Path) -> None:
    """Rename a finished file to a name that is free. Raises FileExistsError, OSError; ``made`` is removed then."""
    try:
        os.link(made, path)  # unlike a rename, this replaces nothing
    except FileExistsError:
        raise
    except OSError:  # the file system has no links
        if path.exists():
            raise FileExistsError(path) from None
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
    keep_name(path)
