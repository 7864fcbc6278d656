"""An error of SQLite as a short reason, without SQL and without values."""

from __future__ import annotations

import re

_NO_SUCH = re.compile(r"no such (?:module|function|table|column|collation sequence): \S+")


_UNBOUND = re.compile(r"did not supply a value for binding (?:parameter )?(:?\w+)")


_KNOWN = (
    "syntax error",
    "incomplete input",
    "malformed JSON",
    "Expression tree is too large",
    "parser stack overflow",
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
    """An SQLite error as a short reason, without SQL and without values."""
    text = str(error)
    if found := _NO_SUCH.search(text):
        return found.group()
    if found := _UNBOUND.search(text):
        return f"no value was given for {found.group(1)}"
    return next((known for known in _KNOWN if known in text), "SQLite cannot run it")
