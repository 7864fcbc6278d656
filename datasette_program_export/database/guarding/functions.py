"""The functions that a schema from outside may call: SQLite's own ones that only compute.

SQLite's switch for this, ``trusted_schema``, refuses JSON functions before version 3.41, where they are not marked
as innocuous (https://www.sqlite.org/pragma.html#pragma_function_list, https://www.sqlite.org/releaselog/3_41_0.html).
"""

from __future__ import annotations

from contextlib import closing
from functools import cache
from types import ModuleType

from ..library import sqlite3
from ..schema import fold

# flags of sqlite3_create_function (https://www.sqlite.org/c3ref/c_deterministic.html)
_DETERMINISTIC, _DIRECT_ONLY, _INNOCUOUS = 0x800, 0x80000, 0x200000
_OF_SEARCH = {"bm25", "highlight", "matchinfo", "offsets", "snippet"}  # they read the index that they are given
_NEVER = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}


@cache
def harmless_functions(library: ModuleType = sqlite3) -> frozenset[str]:
    """Return the folded names of the functions of a new connection that have no side effects."""
    with closing(library.connect(":memory:")) as connection:
        listed = connection.execute("PRAGMA function_list").fetchall()  # name, builtin, type, enc, narg, flags
    pure = {
        fold(name)
        for name, builtin, _, _, _, flags in listed
        if builtin and flags & (_DETERMINISTIC | _INNOCUOUS) and not flags & _DIRECT_ONLY
    }
    return frozenset((pure | _OF_SEARCH) - _NEVER)
