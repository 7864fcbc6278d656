"""Which tables a virtual table shows the content of: search indexes and their vocabularies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .schema import Table

OF_INDEXES = ("fts3tokenize", "fts4aux", "fts5vocab", "dbstat")  # these show only what other tables hold

_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]"""
_COMMENT = re.compile(rf"({_QUOTED})|--[^\n]*|/\*.*?(?:\*/|$)", re.DOTALL)
_USING = re.compile(rf"(?:{_QUOTED}|[^'\"`\[])*?\busing\s+({_QUOTED}|[^\s(]+)\s*(\(|$)", re.IGNORECASE)
# quoted strings and names are passed over; a comma, or the last parenthesis, ends an argument
_ARGUMENT = re.compile(rf"\s*((?:{_QUOTED}|[^,'\"`\[])*?)\s*(,|\)\s*$|$)")


def module_of(sql: str | None) -> str | None:
    """The module of a CREATE VIRTUAL TABLE, in lower case."""
    found = _USING.match(_without_comments(sql or ""))
    return unquoted(found.group(1)).lower() if found else None


def indexed_by(table: Table) -> list[str]:
    """The names of the tables whose content a full-text table, or a list of its words, shows.

    From its arguments: ``content=…`` (https://www.sqlite.org/fts5.html 4.4; FTS5 takes any
    beginning of an option's name for it), the table of an fts5vocab or fts4aux. A statement
    that cannot be understood shows everything: ``?``, which no table is called here."""
    if table.kind != "virtual":
        return []
    if table.module is None:
        return ["?"]
    arguments = list(_arguments(_without_comments(table.sql or "")))
    if table.module in ("fts5vocab", "fts4aux"):
        named = [unquoted(a) for a in arguments]
        return (named[-2:-1] if table.module == "fts5vocab" else named[-1:]) or ["?"]
    found = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        key = unquoted(key.strip()).lower()
        if equals and key and "content".startswith(key) and unquoted(value.strip()):
            found.append(unquoted(value.strip()))
    return found


def contentless(table: Table) -> bool:
    """Whether a full-text table keeps no texts: ``content=''``."""
    parts = [a.partition("=") for a in _arguments(_without_comments(table.sql or ""))]
    keys = [(unquoted(k.strip()).lower(), v.strip()) for k, e, v in parts if e]
    return any(key and "content".startswith(key) and not unquoted(value) for key, value in keys)


def unquoted(name: str) -> str:
    """A name or string without its quotes, of any of SQLite's kinds."""
    if len(name) > 1 and (name[0], name[-1]) in (("'", "'"), ('"', '"'), ("`", "`"), ("[", "]")):
        return name[1:-1] if name[0] == "[" else name[1:-1].replace(name[0] * 2, name[0])
    return name


def _without_comments(sql: str) -> str:
    return _COMMENT.sub(lambda found: found.group(1) or " ", sql)


def _arguments(sql: str) -> Iterator[str]:
    """What stands between the parentheses of CREATE VIRTUAL TABLE, split at its commas."""
    using = _USING.match(sql)
    at = using.end() if using and using.group(2) else len(sql)
    while at < len(sql) and (found := _ARGUMENT.match(sql, at)):
        yield found.group(1)
        if found.end() == at or found.group(2) != ",":
            return
        at = found.end()
