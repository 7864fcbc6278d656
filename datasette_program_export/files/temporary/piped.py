"""Keeps what comes through a pipe in a private temporary file, for readers that need a file."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .folder import TemporaryFolder
from .room import room_in

STANDARD = "-"
_INPUTS = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}
_OUTPUTS = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
_NAME = "standard input"


@contextmanager
def as_file(path: Path, folder: str | None = None) -> Iterator[Path]:
    """Yield ``path`` itself, or a private copy of all that comes out of it: a pipe, or ``-``, the standard input.

    ``folder`` holds the copy, by default the system's temporary folder. Raises SpoolFullError, OSError."""
    standard = str(path) == STANDARD
    if not standard and not _is_pipe(path):
        yield path
        return
    with room_in():
        place = TemporaryFolder(folder)
    with place:
        kept = place.path / (_NAME if standard or str(path) in _INPUTS else path.name)
        with kept.open("xb") as copy:
            if standard:
                shutil.copyfileobj(sys.stdin.buffer, copy)
            else:
                with path.open("rb") as pipe:
                    shutil.copyfileobj(pipe, copy)
        yield kept


def is_name(path: Path) -> bool:
    """Return whether the name of a path says what is in it, as that of ``-`` or of a pipe by number does not."""
    return str(path) != STANDARD and path.parts[:2] not in (("/", "dev"), ("/", "proc"))


def is_standard_output(path: str) -> bool:
    """Return whether a file name means the standard output, whatever that leads to."""
    return path == STANDARD or path in _OUTPUTS


def _is_pipe(path: Path) -> bool:
    """Return whether something is there that can be read just once: a pipe, a socket, a terminal."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or stat.S_ISCHR(kind)
