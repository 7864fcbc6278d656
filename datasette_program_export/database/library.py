"""Chooses the one SQLite library of this process: the one that Datasette and sqlite-utils use.

Two copies of SQLite in one process drop each other's locks on a file. So no other module of this package imports
``sqlite3``. A connection that a caller passes in keeps its own library (``library_of``).
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
    """Return the SQLite module that a connection comes from; the connection's class may be a subclass."""
    names = (kind.__module__.partition(".")[0] for kind in type(connection).__mro__)
    found = (sys.modules[name] for name in names if hasattr(sys.modules.get(name), "connect"))
    return next((module for module in found if hasattr(module, "DatabaseError")), sqlite3)
