"""Reads a file below a folder whole, and only if it stays as it is meanwhile: an ordinary file, no database."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from ..temporary.room import room_in
from .walking import READ, NotReadError, Parts, Place, Why, entered, is_link, looked_at, opened, refused

_PIECE = 1 << 18
_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database
_DATABASE = b"SQLite format 3\0"
_SHARED = ((3007000).to_bytes(4, "little"), (3007000).to_bytes(4, "big"))  # how a -shm file begins
_PAGE = 32768  # bytes of which a -shm file has a multiple
# databases that this process uses, by device and inode: to close them would drop SQLite's locks
_kept_open: dict[tuple[int, int], int] = {}


def _nothing() -> None:
    """Go on."""


class FileStore(Protocol):
    """Where the files of a column lie: a folder, or what a door to this program knows. ``path`` tells places apart."""

    @property
    def path(self) -> str: ...

    def size(self, parts: Parts) -> int | Why:
        """Return a file's size in bytes without reading it, or why it cannot be read."""
        ...

    def name(self, parts: Parts) -> str:
        """Return the name that a file has for people."""
        ...

    def read(
        self, parts: Parts, write: Callable[[bytes], object], most: int, go_on: Callable[[], None] = _nothing
    ) -> int | Why:
        """Read a file, as ``Folder.read`` does."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder, ``path``, below which files are read; ``database`` is the one whose rows name them."""

    path: str
    database: Path | None = None

    def size(self, parts: Parts) -> int | Why:
        """Return a file's size in bytes without opening it, or why it cannot be read."""
        try:
            with entered(self.path, parts[:-1]) as place:
                return self._facts(place, parts[-1]).st_size
        except NotReadError as no:
            return no.why

    def name(self, parts: Parts) -> str:
        """Return the last part of a path."""
        return parts[-1]

    def read(
        self, parts: Parts, write: Callable[[bytes], object], most: int, go_on: Callable[[], None] = _nothing
    ) -> int | Why:
        """Give all bytes of a file to ``write``, and return how many; or why it was not read, perhaps after some.

        ``most`` is the largest file in bytes; ``go_on`` is called between its pieces, and may raise. A file that
        changes while it is read is ``changed``. Raises what ``write`` raises."""
        try:
            with entered(self.path, parts[:-1]) as place:
                facts = self._facts(place, parts[-1])
                if facts.st_size > most:
                    return "large"
                if facts.st_size == 0:  # perhaps a database of this process that has no page yet
                    return 0
                return self._whole(place, parts[-1], facts, write, go_on)
        except NotReadError as no:
            return no.why

    def _facts(self, place: Place, name: str) -> os.stat_result:
        facts = looked_at(place, name)
        if is_link(facts):
            raise NotReadError("link")
        if not stat.S_ISREG(facts.st_mode):
            raise NotReadError("special")
        known = (facts.st_dev, facts.st_ino) in _kept_open
        if known or _is_beside(place, name) or (self.database is not None and _is(facts, self.database)):
            raise NotReadError("database")
        return facts

    def _whole(
        self,
        place: Place,
        name: str,
        facts: os.stat_result,
        write: Callable[[bytes], object],
        go_on: Callable[[], None],
    ) -> int:
        try:
            file = opened(place, name, READ)
        except OSError as error:
            raise refused(error) from None
        keep = False
        try:
            if _signs(os.fstat(file)) != _signs(facts):
                raise NotReadError("changed")
            left = facts.st_size
            while piece := _piece(file):
                if left == facts.st_size and _is_database(piece, facts):
                    keep = _is_open_elsewhere(file)
                    raise NotReadError("database")
                left -= len(piece)
                if left < 0:
                    break
                write(piece)
                go_on()
            if left or _signs(os.fstat(file)) != _signs(facts):
                raise NotReadError("changed")
        finally:
            if keep:
                _kept_open[facts.st_dev, facts.st_ino] = file
            else:
                os.close(file)
        return facts.st_size


def into(folder: FileStore, parts: Parts, file: IO[bytes], most: int, go_on: Callable[[], None]) -> int | Why:
    """Read a file below a folder into an empty temporary one, once more if it changed meanwhile; see ``read``.

    Raises SpoolFullError where there is no room for it."""

    def write(piece: bytes) -> None:
        with room_in():
            file.write(piece)

    found = folder.read(parts, write, most, go_on)
    if found == "changed":
        file.seek(0)
        file.truncate()
        found = folder.read(parts, write, most, go_on)
    file.seek(0)
    return found


def _is_beside(place: Place, name: str) -> bool:
    """Return whether SQLite keeps a file beside a database: that is there too."""
    for suffix in _BESIDE:
        if name.endswith(suffix) and name != suffix:
            with suppress(NotReadError):
                looked_at(place, name.removesuffix(suffix))
                return True
    return False


def _is(facts: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(facts, path.stat())
    except OSError:
        return False


def _piece(file: int) -> bytes:
    try:
        return os.read(file, _PIECE)
    except OSError as error:
        raise refused(error) from None


def _signs(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_dev, facts.st_ino, stat.S_IFMT(facts.st_mode), facts.st_size, facts.st_mtime_ns


def _is_database(piece: bytes, facts: os.stat_result) -> bool:
    """Return whether a file begins as a database does, or as what SQLite locks beside one."""
    return piece.startswith(_DATABASE) or (piece.startswith(_SHARED) and facts.st_size % _PAGE == 0)


def _is_open_elsewhere(file: int) -> bool:
    """Return whether this process has a file open under another descriptor too; True where nothing tells."""
    facts = os.fstat(file)
    try:
        others = [int(entry.name) for entry in Path("/dev/fd").iterdir()]
    except OSError:
        return os.name != "nt"  # there, locks belong to one handle
    for other in others:
        with suppress(OSError):
            if other != file and os.path.samestat(os.fstat(other), facts):
                return True
    return False
