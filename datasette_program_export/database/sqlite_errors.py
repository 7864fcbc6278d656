"""Describes and classifies errors of SQLite: a short reason without SQL and without values, and their kind.

The kind is recognised by SQLite's English messages: Python 3.10 does not expose the error codes.
"""

from __future__ import annotations

import re

_NO_FOLDER = 6410  # SQLITE_IOERR_GETTEMPPATH
_NO_SUCH = re.compile(
    r"(?:no such (?:module|function|table|column|collation sequence|tokenizer)|unknown (?:function|tokenizer)): \S+"
)


_UNBOUND = re.compile(r"did not supply a value for binding (?:parameter )?(:?\w+)")


_KNOWN = (
    "syntax error",
    "incomplete input",
    "malformed JSON",
    "Expression tree is too large",
    "parser stack overflow",
    "vtable constructor failed",
    "too many SQL variables",
    "too many terms in compound SELECT",
    "LIKE or GLOB pattern too complex",
    "integer overflow",
    "file is not a database",
    "database disk image is malformed",
    "is locked",
    "unable to open database file",
    "disk I/O error",
    "database or disk is full",
)


def explain(error: Exception) -> str:
    """Return a short reason for an SQLite error, without SQL and without values."""
    text = str(error)
    if found := _NO_SUCH.search(text):
        return found.group()
    if found := _UNBOUND.search(text):
        return f"no value was given for {found.group(1)}"
    return next((known for known in _KNOWN if known in text), "SQLite cannot run it")


def is_locked(error: Exception) -> bool:
    """Return whether another connection holds a lock, so that waiting may help."""
    return "is locked" in str(error) or "is busy" in str(error)


def is_readonly(error: Exception) -> bool:
    """Return whether the database cannot be written to."""
    return "readonly database" in str(error)


def is_full(error: Exception) -> bool:
    """Return whether the disk is full, or the database has reached its maximum number of pages."""
    return "database or disk is full" in str(error)


def is_full_elsewhere(error: Exception) -> bool:
    """Return whether a statement that only reads had no room for its temporary files, or no folder for them.

    The second is known from Python 3.11 on; before, it looks like any failure of the disk."""
    return is_full(error) or getattr(error, "sqlite_errorcode", None) == _NO_FOLDER


def is_disk_error(error: Exception) -> bool:
    """Return whether the disk cannot be written to: it is full, or it fails."""
    return is_full(error) or "disk I/O error" in str(error)


def is_not_opened(error: Exception) -> bool:
    """Return whether the file, or one that SQLite keeps beside it, cannot be opened."""
    return "unable to open" in str(error)
