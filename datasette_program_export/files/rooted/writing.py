"""Writes files below a folder: all of them or none, each whole, none over another, none through a link."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from typing import Literal

from .reading import Folder
from .walking import WRITE, NotReadError, Parts, Place, Why, entered, looked_at, opened, refused

State = Literal["new", "equal", "different"]
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def state_of(folder: str, parts: Parts, size: int, sha256: str) -> State | Why:
    """Return what a file of this content is to what lies below the folder under its name; or why that cannot be read.

    A folder on the way that is not there is made later, so the file is ``new``."""
    found = Folder(folder).size(parts)
    if found == "missing":
        return "new" if _can_be_made(folder, parts) else "special"
    if found != size:
        return "different" if isinstance(found, int) else found
    hashed = hashlib.sha256()
    read = Folder(folder).read(parts, hashed.update, size)
    if not isinstance(read, int):
        return read
    return "equal" if hashed.hexdigest() == sha256 else "different"


class NewFiles:
    """New files below folders. They wait under names of their own until ``publish``; ``discard`` removes them again."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Parts, str]] = []
        self._named: list[tuple[str, Parts]] = []
        self._made: list[tuple[str, Parts]] = []

    def add(self, folder: str, parts: Parts, chunks: Iterable[bytes]) -> None:
        """Write a file under a name of its own, in the folder that it goes into. Raises OSError, NotReadError."""
        name = f".program-export-{secrets.token_hex(8)}.part"
        made: list[Parts] = []
        try:
            with entered(folder, parts[:-1], made) as place, os.fdopen(opened(place, name, WRITE), "wb") as file:
                self._waiting.append((folder, parts, name))
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        finally:
            self._made += [(folder, one) for one in made]

    def drop(self, folder: str, parts: Parts) -> None:
        """Remove one file that waits. Raises OSError, NotReadError."""
        for one in [w for w in self._waiting if w[:2] == (folder, parts)]:
            with entered(folder, parts[:-1]) as place:
                _unlink(place, one[2])
            self._waiting.remove(one)

    def publish(self) -> None:
        """Give all files their names, none of which may be taken. Raises FileExistsError, OSError, NotReadError."""
        for folder, parts, name in self._waiting:
            with entered(folder, parts[:-1]) as place:
                _named(place, name, parts[-1])
                self._named.append((folder, parts))
        self._waiting.clear()

    def keep(self) -> None:
        """Leave the files where they are; folders that were made and stayed empty go."""
        self._named.clear()
        self.discard()

    def discard(self) -> None:
        """Remove what was written and not kept, also folders that were made for it and are empty."""
        for folder, parts in [*((f, (*p[:-1], name)) for f, p, name in self._waiting), *self._named]:
            with suppress(OSError, NotReadError), entered(folder, parts[:-1]) as place:
                _unlink(place, parts[-1])
        for folder, parts in reversed(self._made):
            with suppress(OSError, NotReadError), entered(folder, parts[:-1]) as place:
                os.rmdir(parts[-1], dir_fd=place) if isinstance(place, int) else (place / parts[-1]).rmdir()
        self._waiting, self._named, self._made = [], [], []


def _named(place: Place, waiting: str, name: str) -> None:
    try:
        if isinstance(place, int):
            os.link(waiting, name, src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
        else:
            os.link(place / waiting, place / name)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        try:
            looked_at(place, name)
        except NotReadError as no:
            if no.why != "missing":
                raise
        else:
            raise FileExistsError(errno.EEXIST, "is there already", name) from None
        if isinstance(place, int):
            os.rename(waiting, name, src_dir_fd=place, dst_dir_fd=place)
        else:
            (place / waiting).rename(place / name)
        return
    _unlink(place, waiting)


def _unlink(place: Place, name: str) -> None:
    os.unlink(name, dir_fd=place) if isinstance(place, int) else (place / name).unlink()


def _can_be_made(folder: str, parts: Parts) -> bool:
    """Return whether the first thing that is missing on the way is a folder, or the file itself."""
    for depth in range(len(parts)):
        try:
            with entered(folder, parts[:depth]) as place:
                looked_at(place, parts[depth])
        except NotReadError as no:
            return no.why == "missing" and _is_folder(folder, parts[:depth])
        except OSError as error:
            raise refused(error) from None
    return True


def _is_folder(folder: str, parts: Parts) -> bool:
    try:
        with entered(folder, parts):
            return True
    except NotReadError:
        return False
