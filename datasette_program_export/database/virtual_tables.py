"""Finds the tables whose content a virtual table shows: search indexes and their vocabularies."""

from __future__ import annotations

from collections.abc import Iterator

from .guarding.sql_tokens import SQLTextError, Token, tokens
from .schema import Column, Table, quote

TAKING_ROWS = ("fts3", "fts4", "fts5", "rtree", "rtree_i32")  # SQLite's own modules that keep rows of their own
ROW_NUMBER = "rowid"
OF_INDEXES = ("fts3tokenize", "fts4aux", "fts5vocab", "dbstat")  # these show only what other tables hold


def module_of(sql: str | None) -> str | None:
    """Return the module of a CREATE VIRTUAL TABLE statement, in lower case; None if it cannot be parsed."""
    parts = _from_module(sql or "")
    return parts[0].name if parts else None


def indexed_by(table: Table) -> list[str]:
    """Return the names of the tables whose content a full-text table, or a list of its words, shows.

    They are read from its arguments: ``content=…`` (https://www.sqlite.org/fts5.html 4.4; FTS5 accepts any prefix
    of an option's name), or the table of an fts5vocab or fts4aux. For a statement that cannot be parsed the result
    is ``?``, which matches no table: the content may be anything."""
    if table.kind != "virtual":
        return []
    if table.module is None:
        return ["?"]
    arguments = list(_arguments(table.sql or ""))
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
    """Return whether a full-text table stores no text: ``content=''``."""
    parts = [a.partition("=") for a in _arguments(table.sql or "")]
    keys = [(unquoted(k.strip()).lower(), v.strip()) for k, e, v in parts if e]
    return any(key and "content".startswith(key) and not unquoted(value) for key, value in keys)


def keeps_rows(table: Table) -> bool:
    """Return whether a table is an R-Tree or a full-text table of SQLite's that keeps rows of its own."""
    known = table.kind == "virtual" and table.module in TAKING_ROWS
    return known and not indexed_by(table) and not contentless(table)


def row_number(table: Table) -> Column | None:
    """Return the number of a row as a column, where a full-text table keeps rows: by it other tables refer to them."""
    if not keeps_rows(table) or (table.module or "").startswith("rtree") or table.rowid != ROW_NUMBER:
        return None
    return Column(ROW_NUMBER, "INTEGER", "INTEGER", pk=1)


def coordinates(table: Table) -> list[str]:
    """Return the columns in which an R-Tree keeps numbers of 32 bits, a minimum and a maximum in turn; else nothing."""
    if not keeps_rows(table) or not (table.module or "").startswith("rtree"):
        return []
    return [c.name for c in table.columns[1:] if c.affinity in ("REAL", "INTEGER")]  # others are auxiliary


def rebuilding(index: str) -> str:
    """Return the statement that fills a full-text table again from the table that it shows."""
    return f"INSERT INTO main.{quote(index)} ({quote(index)}) VALUES ('rebuild')"


def unquoted(name: str) -> str:
    """Return a name or string without its quotes, of any kind that SQLite accepts."""
    if len(name) > 1 and (name[0], name[-1]) in (("'", "'"), ('"', '"'), ("`", "`"), ("[", "]")):
        return name[1:-1] if name[0] == "[" else name[1:-1].replace(name[0] * 2, name[0])
    return name


def _from_module(sql: str) -> list[Token]:
    """Return the tokens from the module's name on; none if the statement cannot be parsed."""
    try:
        parts = [token for token in tokens(sql) if token.kind != "comment"]
    except SQLTextError:
        return []
    using = next((i for i, t in enumerate(parts) if t.kind == "word" and t.name == "using"), len(parts))
    return parts[using + 1 :]


def _arguments(sql: str) -> Iterator[str]:
    """Yield the arguments of a CREATE VIRTUAL TABLE statement, without comments."""
    depth, argument, end = 0, "", 0
    for token in _from_module(sql)[1:]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if (token.text == "," and depth == 1) or depth == 0:
            yield argument.strip()
            argument = ""
            if depth == 0:
                return
        elif token.text != "(" or depth > 1:
            argument += (" " if token.at > end else "") + token.text
        end = token.at + len(token.text)
