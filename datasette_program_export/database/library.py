"""Chooses the one SQLite library of this process: the one that Datasette and sqlite-utils use.

Two copies of SQLite in one process drop each other's locks on a file. So no other module of this package imports
``sqlite3``. A connection that a caller passes in keeps its own library (``library_of``).
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["keep_temporary_files_in", "library_of", "sqlite3"]


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


def library_of(connection: Any) -> ModuleType:
    """Return the SQLite module that a connection comes from; the connection's class may be a subclass."""
    names = (kind.__module__.partition(".")[0] for kind in type(connection).__mro__)
    found = (sys.modules[name] for name in names if hasattr(sys.modules.get(name), "connect"))
    return next((module for module in found if hasattr(module, "DatabaseError")), sqlite3)
