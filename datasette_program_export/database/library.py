"""Chooses the one SQLite library of this process: the one that Datasette and sqlite-utils use.

Two copies of SQLite in one process drop each other's locks on a file. So nothing else of this package
imports one; where somebody hands in a connection, its own library is asked (``library_of``).
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["library_of", "sqlite3"]


def library_of(connection: Any) -> ModuleType:
    """The SQLite module behind a connection, which may be of a class of somebody's own."""
    names = (kind.__module__.partition(".")[0] for kind in type(connection).__mro__)
    found = (sys.modules[name] for name in names if hasattr(sys.modules.get(name), "connect"))
    return next((module for module in found if hasattr(module, "DatabaseError")), sqlite3)
