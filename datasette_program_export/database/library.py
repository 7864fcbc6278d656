"""Chooses the one SQLite library of this process: the one that Datasette and sqlite-utils use.

Two copies of SQLite in one process drop each other's locks on a file. So no other module of this package imports
``sqlite3``. A connection that a caller passes in keeps its own library (``library_of``).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import RequestError, UnsupportedError

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["Prepare", "keep_temporary_files_in", "library_of", "loading", "sqlite3"]
Prepare = Callable[[Any], None]  # called with each new connection


def keep_temporary_files_in(folder: str) -> bool:
    """Have SQLite write its own temporary files in a folder, in this whole process; return whether it will.

    Call it at the start of a program: SQLite forbids the change while another thread has such files. It reads the
    variable SQLITE_TMPDIR when it is loaded, so setting that is too late here. What a person set in it stays, as does
    an earlier folder. SQLite deletes these files while they are open, so that nothing is left of a killed process."""
    if os.environ.get("SQLITE_TMPDIR"):
        return False
    with closing(sqlite3.connect(":memory:")) as connection:
        told = "PRAGMA temp_store_directory"  # deprecated, and there is no other way; it may be compiled out
        if connection.execute(told).fetchone() is None:
            place = str(Path(folder).absolute()).replace("'", "''")
            connection.execute(f"{told}='{place}'").fetchall()
        return bool(connection.execute(told).fetchone() == (str(Path(folder).absolute()),))


def loading(extensions: Sequence[str]) -> Prepare | None:
    """Return a function that loads these SQLite extensions into a connection; None if there are none.

    Each is a path, or ``path:entrypoint``, as sqlite-utils and Datasette take it. Raises UnsupportedError if this
    Python's SQLite cannot load any. The function raises RequestError for one that cannot be loaded."""
    if not extensions:
        return None
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        raise UnsupportedError(
            "This Python cannot load SQLite extensions: its sqlite3 was built without them. Take another Python, or "
            "install pysqlite3-binary for this one."
        )

    def load(connection: Any) -> None:
        connection.enable_load_extension(True)
        try:
            for said in extensions:
                path, sign, entry = said.rpartition(":")
                named = bool(sign) and len(path) > 1 and re.fullmatch(r"\w+", entry) is not None  # C:\x is a path
                try:
                    connection.execute(
                        "SELECT load_extension(?, ?)" if named else "SELECT load_extension(?)",
                        (path, entry) if named else (said,),
                    ).fetchone()
                except sqlite3.Error as error:
                    raise RequestError(f"The extension {said} cannot be loaded: {error}.") from None
        finally:
            connection.enable_load_extension(False)

    return load


def library_of(connection: Any) -> ModuleType:
    """Return the SQLite module that a connection comes from; the connection's class may be a subclass."""
    names = (kind.__module__.partition(".")[0] for kind in type(connection).__mro__)
    found = (sys.modules[name] for name in names if hasattr(sys.modules.get(name), "connect"))
    return next((module for module in found if hasattr(module, "DatabaseError")), sqlite3)
