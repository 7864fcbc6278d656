"""What a virtual table shows of other tables: search indexes, and lists of their words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .schema import Table

OF_INDEXES = ("fts3tokenize", "fts4aux", "fts5vocab", "dbstat")  # these show only what other tables hold
# quoted strings and names are passed over; a comma, or the last parenthesis, ends an argument
_ARGUMENT = re.compile(r"""\s*((?:'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[^,'"`\[])*)(,|\)\s*$|$)""")


def indexed_by(table: Table) -> list[str]:
    """The names of the tables whose content a full-text table, or a list of its words, shows.

    From its arguments: ``content=…`` (https://www.sqlite.org/fts5.html 4.4), the table of an
    fts5vocab or fts4aux."""
    arguments = [found.strip() for found in _arguments(table.sql or "")]
    if table.module in ("fts5vocab", "fts4aux"):
        named = [_unquoted(a) for a in arguments]
        return named[-2:-1] if table.module == "fts5vocab" else named[-1:]
    found = []
    for argument in arguments if table.kind == "virtual" else []:
        key, equals, value = argument.partition("=")
        if equals and key.strip().lower() == "content" and _unquoted(value.strip()):
            found.append(_unquoted(value.strip()))
    return found


def _arguments(sql: str) -> Iterator[str]:
    """What stands between the parentheses of CREATE VIRTUAL TABLE, split at its commas."""
    using = re.search(r"\busing\s+[^\s(]+\s*\(", sql, re.IGNORECASE)
    at = using.end() if using else len(sql)
    while at < len(sql) and (found := _ARGUMENT.match(sql, at)):
        yield found.group(1)
        if found.end() == at or found.group(2) != ",":
            return
        at = found.end()


def _unquoted(name: str) -> str:
    if len(name) > 1 and (name[0], name[-1]) in (("'", "'"), ('"', '"'), ("`", "`"), ("[", "]")):
        return name[1:-1] if name[0] == "[" else name[1:-1].replace(name[0] * 2, name[0])
    return name
