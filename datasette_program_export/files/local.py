"""Provides a stream as a file on disk, for formats that can only be read from disk, such as SQLite."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import SpoolFullError
from .input_file import database_path
from .reading_limits import Limits
from .temporary.folder import TemporaryFolder
from .temporary.room import check_free, room_in

_PIECE = 1 << 20
_SQLITE = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#the_database_header
_HEADER = 100


@contextmanager
def local(file: IO[bytes], limits: Limits) -> Iterator[Path]:
    """Yield the path of the file or database behind a stream, or of a private temporary copy of its content.

    Raises SpoolFullError if the copy is larger than ``limits.disk`` or there is no room."""
    if (database := database_path(file)) is not None:
        yield database
        return
    if isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO) and isinstance(file.name, str):
        yield Path(file.name)
        return
    with room_in():
        folder = TemporaryFolder(limits.folder)
    with folder:
        path = folder.path / "file"
        with path.open("wb", buffering=0) as copy:
            while piece := file.read(_PIECE):
                if copy.tell() == 0:
                    _check_announced(piece, limits)
                _check_size(copy.tell() + len(piece), limits)
                with room_in():
                    copy.write(piece)
        yield path


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.disk:
        raise SpoolFullError(
            f"The file unpacks to more than {limits.disk / 1e6:,g} MB (spool_disk_mb), which it may "
            "fill here. Check it at the command line."
        )


def _check_announced(start: bytes, limits: Limits) -> None:
    """Check that a database fits that says in its first bytes how large it is. Raises SpoolFullError if it does not."""
    if not start.startswith(_SQLITE) or len(start) < _HEADER:
        return
    page = int.from_bytes(start[16:18], "big")
    size = int.from_bytes(start[28:32], "big") * (65536 if page == 1 else page)
    _check_size(size, limits)
    check_free(limits.folder, size, "The temporary folder is too full: the unpacked file")
