"""Opens a file that a person names; it may be a database that this process has open.

POSIX drops every lock that a process holds on a file when the process closes any descriptor of it
(https://www.sqlite.org/howtocorrupt.html, 2.2). So this module never opens a database: it asks SQLite
whether the file is one, and another process reads its bytes.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from ..database.library import sqlite3
from ..errors import NotFoundError

_COPY = "import shutil, sys; shutil.copyfileobj(open(sys.argv[1], 'rb'), sys.stdout.buffer, 1 << 20)"


def is_database(path: Path) -> bool:
    """Return whether SQLite takes the file for a database; an empty file counts as one."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"  # takes no lock and reads no -wal file
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA main.schema_version").fetchone()
    except sqlite3.DatabaseError as error:
        return "not a database" not in str(error) and os.access(path, os.R_OK)
    return True


def check_is_file(path: Path) -> None:
    """Check that there is a file to read. Raises NotFoundError if there is none."""
    if path.is_dir():
        raise NotFoundError(f"{path.name or path} is a folder: name a file in it.")
    if not path.is_file():
        raise NotFoundError(f"There is no file {path.name}.")


def open_input(path: Path) -> IO[bytes]:
    """Return the bytes of a file as a stream; close it after use. A database's stream can only be read from its start.

    Raises OSError."""
    if path.stat().st_size == 0:
        return io.BytesIO()
    return open_database_bytes(path) if is_database(path) else path.open("rb")


def open_database_bytes(path: Path) -> IO[bytes]:
    """Return the bytes of a database file on disk as a stream, read by another process. Raises OSError."""
    if os.name == "nt":  # Windows locks belong to one handle, and closing another one drops none
        return path.open("rb")
    return io.BufferedReader(_Bytes(path), 1 << 20)


def database_path(file: IO[bytes]) -> Path | None:
    """Return the path of the database whose bytes this stream reads; None for any other file."""
    raw = getattr(file, "raw", None)
    return raw.path if isinstance(raw, _Bytes) else None


class _Bytes(io.RawIOBase):
    """The bytes that another process reads from a file. ``seek(0)`` starts again."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._place = 0
        self._reader: subprocess.Popen[bytes] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        if (place, whence) != (0, os.SEEK_SET):
            raise io.UnsupportedOperation("only from the start")
        self._stop()
        self._place = 0
        return 0

    def readinto(self, buffer: Any) -> int:
        if self._reader is None:
            self._reader = _reading(self.path)
        assert self._reader.stdout is not None
        count: int = self._reader.stdout.readinto(buffer)  # type: ignore[attr-defined]
        if count == 0 and self._reader.wait() != 0:
            raise OSError(f"The file {self.path.name} cannot be read.")
        self._place += count
        return count

    def close(self) -> None:
        self._stop()
        super().close()

    def _stop(self) -> None:
        if self._reader is not None:
            assert self._reader.stdout is not None
            self._reader.stdout.close()
            self._reader.kill()
            self._reader.wait()
            self._reader = None


def _reading(path: Path) -> subprocess.Popen[bytes]:
    cat = shutil.which("cat")  # starts ten times as fast as Python
    command = [cat, "--"] if cat else [sys.executable, "-I", "-S", "-c", _COPY]
    return subprocess.Popen(  # noqa: S603
        [*command, str(path)], bufsize=0, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
