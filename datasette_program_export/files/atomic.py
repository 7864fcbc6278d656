"""Writes files whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..database.source import size_beside
from ..errors import RequestError


def write_whole(path: Path, chunks: Iterable[bytes]) -> int:
    """Write the chunks to ``path``, readable by its owner only; returns the number of bytes.

    They go to a temporary file beside it, which takes the name when all is on the disk; on
    any error it is removed, and what ``path`` was before stays. A link is followed; what is
    no ordinary file (a device, a pipe) is written to as it is. Raises OSError, and RequestError
    where SQLite would take what lies beside ``path`` for a part of a database of this name."""
    path = path.resolve()
    check_beside(path)
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            return sum(file.write(chunk) for chunk in chunks)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # not the temporary file's name
    part, written = Path(name), 0
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                written += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink()
        raise
    if hasattr(os, "O_DIRECTORY"):  # the new name is to survive a power cut too
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return written


def check_beside(path: Path) -> None:
    """Raise RequestError where the rest of another database lies beside a new one's place.

    SQLite would write it into the new one (https://www.sqlite.org/howtocorrupt.html, 1.4)."""
    for suffix in ("-wal", "-journal"):
        if size_beside(path, suffix):
            raise RequestError(
                f"Beside {path.name} lies {path.name}{suffix}, which belongs to a database of that name and may "
                "hold its newest rows. Choose another name."
            )


def make_private(path: Path) -> None:
    """Make an empty file that only its owner can read, where there is none.

    For a database of ours: SQLite gives the files beside it the same rights. It is made under
    another name, as somebody in this process may have it open already under its own. Raises OSError."""
    if path.exists():
        return
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    with suppress(FileExistsError):
        give_name(Path(name), path)


def give_name(made: Path, path: Path) -> None:
    """Let a finished file have its name, which nothing has yet. Raises FileExistsError, OSError; it is gone then."""
    try:
        os.link(made, path)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
