"""Provides a stream as a file on disk, for formats that can only be read from disk, such as SQLite."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import SpoolFullError
from .input_file import database_path
from .reading_limits import Limits
from .room import room_in

_PIECE = 1 << 20


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
    handle, name = tempfile.mkstemp(prefix="program-export-", dir=limits.folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as copy:
            while piece := file.read(_PIECE):
                if copy.tell() + len(piece) > limits.disk:
                    raise SpoolFullError(
                        f"The file unpacks to more than {limits.disk / 1e6:,g} MB (spool_disk_mb), which it may "
                        "fill here. Check it at the command line."
                    )
                with room_in():
                    copy.write(piece)
        yield path
    finally:
        path.unlink(missing_ok=True)
