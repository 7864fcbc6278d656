"""The way from a folder to a file in it, one folder after the other: no link is followed, nothing leads out.

Each folder is opened from the one above it, so that nobody can put a link in its place meanwhile. Where the system
cannot open from a folder (Windows), each is looked at before it is entered.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

# Why a file that a row names is not read
Why = Literal[
    "missing", "outside", "hidden", "link", "special", "denied", "changed", "database", "large", "full", "form"
]
Parts = tuple[str, ...]
Place = int | Path  # a folder: opened, or where the system cannot open from a folder, its path

LONGEST = 1_000  # characters of a path
_PART = 255  # bytes of a name
_FROM_A_FOLDER = {os.open, os.stat, os.mkdir, os.unlink, os.link, os.rename, os.rmdir} <= os.supports_dir_fd
_CLOSED = getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_A_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _CLOSED
# without O_NONBLOCK, a pipe in place of the file would wait for a writer
READ = os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | _CLOSED
READ |= getattr(os, "O_BINARY", 0)
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _CLOSED | getattr(os, "O_BINARY", 0)
_MISSING = {errno.ENOENT, errno.ENAMETOOLONG}
_REPARSE = getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)


class NotReadError(Exception):
    """Within this package: a file is not read or written, and ``why``."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


def parts_of(value: object) -> Parts | None:
    """Return the parts of the path that a cell holds; None for what is no path, or one that leads out of a folder."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        return None
    if value.startswith("/") or "\0" in value or "\\" in value or "://" in value or (os.name == "nt" and ":" in value):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # a text that is not UTF-8
        return None
    parts = tuple(part for part in value.split("/") if part not in ("", "."))
    if not parts or ".." in parts or value.endswith("/") or any(len(part.encode()) > _PART for part in parts):
        return None
    return parts


@contextmanager
def entered(root: str, folders: Sequence[str], make: list[Parts] | None = None) -> Iterator[Place]:
    """Enter the last of the ``folders`` below ``root``. With ``make``, missing ones are made, and added to it.

    Raises NotReadError."""
    place = _opened_root(root)
    try:
        for depth, name in enumerate(folders):
            if make is not None and _made(place, name):
                make.append(tuple(folders[: depth + 1]))
            inner = _inner(place, name)
            leave(place)
            place = inner
        yield place
    finally:
        leave(place)


def leave(place: Place) -> None:
    """Close a folder that was entered."""
    if isinstance(place, int):
        os.close(place)


def looked_at(place: Place, name: str) -> os.stat_result:
    """Return the facts of what has this name in a folder, a link itself. Raises NotReadError."""
    try:
        if isinstance(place, int):
            return os.stat(name, dir_fd=place, follow_symlinks=False)
        return (place / name).lstat()
    except OSError as error:
        raise refused(error) from None


def opened(place: Place, name: str, flags: int, mode: int = 0o666) -> int:
    """Open a file in a folder, and return its descriptor. Raises OSError."""
    if isinstance(place, int):
        return os.open(name, flags, mode, dir_fd=place)
    return os.open(place / name, flags, mode)


def is_link(facts: os.stat_result) -> bool:
    """Return whether these are the facts of a link, or of what leads elsewhere on Windows."""
    return stat.S_ISLNK(facts.st_mode) or bool(getattr(facts, "st_file_attributes", 0) & _REPARSE)


def refused(error: OSError) -> NotReadError:
    """Return the reason in a system's error."""
    if error.errno in _MISSING or error.errno == errno.ENOTDIR:
        return NotReadError("missing")
    return NotReadError("link" if error.errno == errno.ELOOP else "denied")


def _opened_root(root: str) -> Place:
    """Open the folder that the settings name; it may be a link itself. Raises NotReadError."""
    if not _FROM_A_FOLDER:
        return Path(root).absolute()
    try:
        return os.open(root, _A_FOLDER)
    except OSError as error:
        raise refused(error) from None


def _inner(place: Place, name: str) -> Place:
    facts = looked_at(place, name)
    if is_link(facts):
        raise NotReadError("link")
    if not stat.S_ISDIR(facts.st_mode):
        raise NotReadError("missing")
    if isinstance(place, Path):
        return place / name
    try:
        return os.open(name, _A_FOLDER | _NO_LINK, dir_fd=place)
    except OSError as error:
        raise refused(error) from None


def _made(place: Place, name: str) -> bool:
    """Make a folder, and return whether it was not there."""
    try:
        os.mkdir(name, dir_fd=place) if isinstance(place, int) else (place / name).mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise refused(error) from None
    return True
