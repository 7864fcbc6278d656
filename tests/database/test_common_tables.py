"""A common table (WITH) reads no hidden table: SQLite names it to the guard just as it names a view."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Any

import pytest

from datasette_program_export.database.guarding.authorizer import ForeignSqlGuard
from datasette_program_export.database.guarding.sql_tokens import SQLTextError, names, names_defined, tokens
from datasette_program_export.database.guarding.view_names import view_names
from datasette_program_export.database.library import sqlite3
from datasette_program_export.database.reflection import reflect
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.source import Source
from datasette_program_export.errors import RequestError
from tests.support.databases.building import database

# o is open, h is hidden, so are the views v_shut and inner: v_open, v_deep and those that end in _with may be seen
SCHEMA = (
    "CREATE TABLE o (id INTEGER PRIMARY KEY, x TEXT)",
    "CREATE TABLE h (x TEXT, y TEXT)",
    "CREATE VIEW v_open AS SELECT x FROM h",
    "CREATE VIEW v_shut AS SELECT x FROM h",
    "CREATE VIEW inner_view AS SELECT x FROM h",
    "CREATE VIEW v_deep AS SELECT x FROM inner_view",
    "CREATE VIEW v_count AS SELECT count(*) AS n FROM h",
    "CREATE VIEW v_with AS WITH own AS (SELECT x FROM h) SELECT x FROM own",
    "CREATE VIEW v_loop_with AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r, h LIMIT 2) "
    "SELECT n AS x FROM r",
    "CREATE VIEW v_named_with AS WITH v_shut AS (SELECT x FROM h) SELECT x FROM v_shut",
    "INSERT INTO o VALUES (1, 'open')",
    "INSERT INTO h VALUES ('canary', 'canary')",
)
HIDDEN = frozenset({"h", "v_shut", "inner_view"})


def inner_names(sql: str) -> set[tuple[str | None, str, str | None]]:
    """What SQLite tells an authorizer of reading: the table, the column, and what it is read in."""
    told = set()

    def authorizer(action: int, table: str, column: str, _: str | None, inner: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            told.add((table, column, inner))
        return sqlite3.SQLITE_OK

    with closing(database(None, *SCHEMA)) as connection:
        connection.set_authorizer(authorizer)
        connection.execute(sql)
    return told


# Whoever sees one of these fail has an SQLite that tells otherwise: then the guard must be looked at anew.
TOLD: dict[str, set[tuple[str | None, str, str | None]]] = {
    "SELECT x FROM h": {("h", "x", None)},
    "SELECT x FROM v_open": {("h", "x", "v_open"), ("v_open", "x", None)},
    "SELECT x FROM V_Open AS other": {("h", "x", "V_Open"), ("v_open", "x", None)},
    "SELECT x FROM main.v_open": {("h", "x", "v_open"), ("v_open", "x", None)},
    "SELECT x FROM v_deep": {("h", "x", "inner_view"), ("inner_view", "x", "v_deep"), ("v_deep", "x", None)},
    "SELECT n FROM v_count": {("v_count", "n", None), ("h", "", "v_count")},
    "SELECT 1 FROM v_open": {("h", "x", "v_open"), ("h", "", None)},  # no word of the view itself
    "SELECT x FROM v_with": {("h", "x", "own"), ("v_with", "x", None)},
    "SELECT x FROM v_loop_with": {("v_loop_with", "x", None), ("h", "", "r")},
    "SELECT x FROM v_named_with": {("h", "x", "v_shut"), ("v_named_with", "x", None)},
    "WITH a AS (SELECT x FROM h) SELECT x FROM a": {("h", "x", "a")},
    "WITH a AS (SELECT x FROM h) SELECT x FROM a AS v_open": {("h", "x", "a")},
    "WITH a AS (SELECT 1 FROM h) SELECT * FROM a": {("h", "", None)},
    "WITH a AS (SELECT count(*) FROM h) SELECT * FROM a": {("h", "", "a")},
    "WITH v_open AS (SELECT x FROM h) SELECT x FROM v_open": {("h", "x", "v_open")},
    "WITH a AS (SELECT x FROM v_open) SELECT x FROM a": {("h", "x", "v_open"), ("v_open", "x", "a")},
    "WITH a AS (SELECT x FROM h), b AS (SELECT x FROM a) SELECT x FROM b": {("h", "x", "a")},
    "WITH a AS (SELECT x FROM h WHERE x IN (SELECT y FROM h)) SELECT x FROM a": {("h", "x", "a"), ("h", "y", "a")},
    "WITH h AS (SELECT 1 AS x) SELECT x FROM v_open": {("h", "x", "v_open"), ("v_open", "x", None)},
    "SELECT x FROM (SELECT x FROM h) AS v_open": {("h", "x", None)},
    "SELECT v_open.x FROM h AS v_open": {("h", "x", None)},
    "SELECT x FROM (SELECT x FROM (SELECT x FROM h) AS v_open) AS v_open": {("h", "x", None)},
    "SELECT v_open.y FROM (h) AS v_open": {("h", "y", None)},
    "SELECT v_open.y FROM (h JOIN o ON o.x = h.x) AS v_open": {("h", "x", None), ("h", "y", None), ("o", "x", None)},
}


@pytest.mark.parametrize("sql", TOLD)
def test_what_sqlite_says_of_where_a_table_is_read(sql: str) -> None:
    told = inner_names(sql)
    if sql.endswith("AS v_open") and "JOIN" in sql:  # which columns it looks at is its own affair
        told &= TOLD[sql]
    assert told == TOLD[sql]


def guard(text: str) -> ForeignSqlGuard:
    with closing(database(None, *SCHEMA)) as connection:
        schema = reflect(connection)
    return ForeignSqlGuard("The query", hidden_tables=HIDDEN, views=view_names(schema, HIDDEN), text=text)


def rows(sql: str) -> list[tuple[Any, ...]]:
    with closing(Snapshot(Source.of(database(None, *SCHEMA)))) as snapshot:
        return snapshot.execute(sql, (), guard(sql)).fetchall()


REFUSED = [
    "with a as (select x from h) select x from a",
    "with a as (select * from h) select * from a",
    "with a as (select 1 from h) select * from a",
    "with a as (select count(*) from h) select * from a",
    "with a(p, q) as (select x, y from h) select p from a",
    "with a as materialized (select x from h) select x from a",
    "with a as not materialized (select x from h) select x from a",
    "WITH A AS/**/NOT--\nMATERIALIZED(SELECT x FROM h) SELECT x FROM a",
    "with recursive a(n) as (select x from h union all select n from a) select n from a limit 1",
    "with recursive a(n) as (select 1 union all select n + 1 from a, h limit 2) select n from a",
    "with a as (select 1), b as (select x from h) select x from b",
    "with a as (select x from h), b as (select x from a) select x from b",
    "with a as (with b as (select x from h) select x from b) select x from a",
    "select * from (with a as (select x from h) select x from a)",
    "select id from o where exists (with a as (select x from h) select 1 from a)",
    "select id from o where x in (with a as (select x from h) select x from a)",
    "with a as (select value from json_each((select json_array(x) from h))) select value from a",
    "with a as (select x from v_shut) select x from a",
    "with a as (select 1 from v_shut) select * from a",
    "with a as (select x from inner_view) select x from a",
    "with a as (select sql from sqlite_master) select sql from a",
    "with a as (select sql from sqlite_schema) select sql from a",
    "with a as (select name from sqlite_temp_master) select name from a",
    "with a as (select name from dbstat) select name from a",
    "with a as (select * from sqlite_dbpage) select * from a",
    "with a as (select name from pragma_table_info('h')) select name from a",
    # named like a view that may be seen, or like what such a view names itself
    "with v_open as (select x from h) select x from v_open",
    "with v_open as (select count(*) from h) select * from v_open",
    'with "V_OPEN" as (select x from h) select x from v_open',
    "with [v_open](x) as (select x from h) select x from v_open",
    "with `v_open` as (select x from h) select x from v_open",
    "with 'v_open' as (select x from h) select x from v_open",
    "with v_open/* */(x)--\n as (select x from h) select x from v_open",
    "with own as (select x from h) select x from own",
    "with r(n) as (select x from h) select n from r",
    "with v_shut as (select x from h) select x from v_shut",
    "with inner_view as (select x from h) select x from inner_view",
    "with v_deep as (select x from h) select x from v_deep",
    "with v_open as (select x from h) select x from main.v_open, v_open as other",
    "select * from (with v_open as (select x from h) select x from v_open)",
    "with a as (select 1), v_open as (select x from h) select x from v_open",
    "with main as (select x from h) select x from main",
    # no common table, and no view either
    "select x from h",
    "select x from (select x from h) as v_open",
    "select v_open.x from h as v_open",
    "select v_open.y from (h) as v_open",
    "select v_open.y from (h join o on 1) as v_open",
    "select v_open.y from o right join (h left join o as p on 1) as v_open on 1",
    "select x from v_shut",
    "select 1 from v_shut",
    "select count(*) from v_shut",
    "select 1 from [v_shut]",
    "select 1 from 'v_shut'",
    "select 1 from v_open, h",
    "select 1 from v_open where exists (select 1 from h)",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_hidden_tables_are_read_in_nothing_that_the_text_named(sql: str) -> None:
    with pytest.raises(RequestError, match="it is not SQL, or it names what does not exist"):
        rows(sql)


ALLOWED = {
    "select x from v_open": "canary",
    "select x from V_OPEN": "canary",
    "select x from main.v_open as o": "canary",
    "select x from v_deep": "canary",
    "select n from v_count": 1,
    "select x from v_with": "canary",
    "select x from v_loop_with where x = 1": 1,
    "select x from v_named_with": "canary",
    "with a as (select x from v_open) select x from a": "canary",
    "with a as (select x from v_with) select x from a": "canary",
    "with recursive a(n) as (select 1 union all select n + 1 from a limit 1) select x from a, v_open": "canary",
    "with v_open as (select x from o) select x from v_open": "open",
    "with v_shut as (select x from o) select x from v_shut": "open",
    "with inner_view as (select x from o) select x from inner_view": "open",
    "with h as (select x from o) select x from h": "open",
    "with h as (select 'mine' as x) select x from v_open": "canary",  # a view reads what its own words mean
    "select id, 'with v_open as (select x from h)' from o": 1,
    "select sum(id) over w from o window w as (order by id)": 1,
}


@pytest.mark.parametrize("sql", ALLOWED)
def test_views_that_may_be_seen_read_on(sql: str) -> None:
    assert rows(sql)[0][0] == ALLOWED[sql]


def test_whether_a_name_is_that_of_a_hidden_view_cannot_be_tried() -> None:
    """Not even of one within a view that may be seen: beside common tables, such a view is not read at all."""
    for name in ("inner_view", "nothing_at_all"):
        with pytest.raises(RequestError, match="what you may not see"):
            rows(f"with {name} as (select 1) select x from v_deep, {name}")


def test_the_guard_trusts_no_name_that_it_does_not_know() -> None:
    asked = (sqlite3.SQLITE_READ, "h", "x", "main")
    for inner in (None, "a", "o", "h", "v_shut", "inner_view", "", "main"):
        assert guard("with a as (select 1) select 1")(*asked, inner) == sqlite3.SQLITE_DENY
    for inner in ("v_open", "V_OPEN", "own"):
        assert guard("with a as (select 1) select 1")(*asked, inner) == sqlite3.SQLITE_OK
        assert ForeignSqlGuard("The query", hidden_tables=HIDDEN)(*asked, inner) == sqlite3.SQLITE_DENY
    assert guard("select '")(*asked, "v_open") == sqlite3.SQLITE_DENY  # nobody knows what it names


@pytest.mark.parametrize(
    ("sql", "defined"),
    [
        ("with a as (select 1) select 1", {"a"}),
        ("WITH A AS MATERIALIZED(select 1), [B c](x, y) as not materialized (select 2) select 1", {"a", "b c"}),
        ("with \"a\"\"b\" as (select 1), 'it''s' as (select 1), `a``b` as (select 1) select 1", {'a"b', "it's", "a`b"}),
        ("with Ä as (select 1) select 1", {"Ä"}),  # SQLite changes the case of ASCII letters only
        ("with a -- as (\n (x /* ) as ( */) /**/ as -- \n (select 1) select 1", {"a"}),
        ("with a\ufeffas\v(select 1) select 1", set()),
        ("with a \ufeffas\v(select 1) select 1", {"a"}),
        ("select '' as x, ' as (' as \"as\", [ as (] from (select 1) as y", set()),
        ("select cast(x as text), f(x) as g, (1) as h from t", set()),
        ("select x'00''ab' as y, 1as, :as, $a::as, ?1 as z", set()),
    ],
)
def test_what_a_text_names_itself(sql: str, defined: set[str]) -> None:
    assert names_defined(sql) == defined


UNREADABLE = ["'", '"', "`", "[", "/*", "/*/", "'''", '"""', "$x(')", ":a::b(')", "@x(1)", "#a('", "\0", "\\", ":", "{"]


@pytest.mark.parametrize("sql", UNREADABLE)
def test_what_sqlite_might_read_otherwise_is_not_guessed_at(sql: str) -> None:
    with pytest.raises(SQLTextError):
        names_defined(sql)
    with pytest.raises(RequestError, match="The query is not one expression"):
        guard("").check_condition(sql)


def test_no_condition_is_smuggled_in_beside_a_parameter_with_a_quote() -> None:
    """``$x(')`` is one parameter for SQLite: the quote in it opens nothing."""
    for sql in ("1=$x(') or (1=1) -- '", "1=:x(') or 1) union select (1, '"):
        with pytest.raises(RequestError, match="is not one expression"):
            guard("").check_condition(sql)


@pytest.mark.parametrize(
    "part", ["[", "'", '"', "`", "/* ", "(", "-", "--", "$a(", ")(", "a as (", "* /", "''\"", "x\n"]
)
def test_a_text_is_looked_at_once(part: str) -> None:
    """However long, and whether or not it ends: the tokens are pieces of it, one after another."""
    for many in (10, 1_000, 10_000):
        sql = part * many + "'''"
        met: list[str] = []
        with suppress(SQLTextError):
            for token in tokens(sql):
                met.append(token.text)
        assert "".join(sql.split()).startswith("".join("".join(met).split()))
        if part in ("[", "/* ", "$a("):
            assert not met  # at the first that has no end it is over


def test_a_name_is_met_however_it_is_written() -> None:
    assert names("select \"H\", [h], `h`, 'h', h -- g\n/* f */") == {"select", "h"}
