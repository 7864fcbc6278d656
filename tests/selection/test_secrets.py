"""What is secret leaves in no form: not by a view, a filter, a sort order, an index or a computed column."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, Settings, plan
from datasette_program_export.demo import PASSWORD_HASH
from datasette_program_export.errors import DeniedError, ExportError, UnsupportedError
from datasette_program_export.exporting.exporter import Export
from tests.support.databases.building import database, document, exported

SECRET = "s3cret-canary"
USERS = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, password TEXT, stars AS (substr(password, 1, 3)))",
    f"INSERT INTO users VALUES (1, 'ada', '{SECRET}'), (2, 'bob', NULL)",
    "CREATE TABLE keys (api_key TEXT PRIMARY KEY, user REFERENCES users) WITHOUT ROWID",
    f"INSERT INTO keys VALUES ('{SECRET}', 1)",
)


def test_the_practices_password_is_left_out_and_named(demo_file: Path) -> None:
    text = exported(demo_file, "app_config")
    assert PASSWORD_HASH.encode() not in text
    secret = document(demo_file, "app_config")["coverage"]["secret"]
    assert secret == [{"table": "app_config", "column": "password_hash", "why": "named as secret"}]


@pytest.mark.parametrize(
    "name", ["password", "Password", "userPassword", "api_key", "OPENAI_API_KEY", "client-secret", "PasswordHash"]
)
def test_a_name_that_sounds_like_a_secret_is_one(name: str) -> None:
    connection = database(
        None, f'CREATE TABLE t (id INTEGER PRIMARY KEY, "{name}")', f"INSERT INTO t VALUES (1, '{SECRET}')"
    )
    assert SECRET.encode() not in exported(connection, "t")
    assert SECRET.encode() in exported(connection, "t", settings=Settings(not_secrets={"T": [name.lower()]}))


@pytest.mark.parametrize("name", ["secretary", "keyboard", "password_changed_at", "passworded", "tokens", "id"])
def test_a_name_that_only_resembles_one_is_none(name: str) -> None:
    connection = database(None, f"CREATE TABLE t ({name})", f"INSERT INTO t VALUES ('{SECRET}')")
    assert SECRET.encode() in exported(connection, "t")


def test_a_column_computed_from_a_secret_is_left_out_too() -> None:
    found = document(database(None, *USERS), "users")
    assert found["tables"]["users"] == [{"id": 1, "name": "ada"}, {"id": 2, "name": "bob"}]
    assert [s["column"] for s in found["coverage"]["secret"]] == ["password", "stars"]


def test_a_table_whose_key_is_a_secret_keeps_its_rows() -> None:
    """The key is needed to find the rows, but not written."""
    found = document(database(None, *USERS), "users", "1")
    assert found["tables"]["keys"] == [{"user": 1}]


VIEWS = {
    "plain": "SELECT password AS x FROM users",
    "renamed": "SELECT id, (SELECT max(password) FROM users) AS harmless FROM users",
    "filter": "SELECT id FROM users WHERE password IS NOT NULL",
    "order": "SELECT id FROM users ORDER BY password",
    "group": "SELECT count(*) AS n FROM users GROUP BY password",
    "function": "SELECT json_object('a', password) AS j FROM users",
    "cte": "WITH v AS (SELECT password AS p FROM users) SELECT p FROM v",
    "join": "SELECT users.id FROM users JOIN keys ON keys.api_key = users.password",
    "using": "SELECT * FROM (SELECT NULL AS password WHERE 0) FULL JOIN users USING (password)",
    "natural": "SELECT count(*) AS n FROM (SELECT 's3cret-canary' AS password) NATURAL JOIN users",
    "computed": "SELECT stars FROM users",
    "nested": "SELECT * FROM v_plain",
    "window": "SELECT id, first_value(password) OVER () AS w FROM users",
}


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_carries_a_secret_out(name: str) -> None:
    """Refused, rather than with NULL in its place: then rows would be missing without a word."""
    connection = database(None, *USERS, f"CREATE VIEW v_plain AS {VIEWS['plain']}")
    if name != "plain":
        connection.execute(f"CREATE VIEW v_{name} AS {VIEWS[name]}")
    with pytest.raises(DeniedError, match=r"users\.|keys\.|USING or NATURAL"):
        exported(connection, f"v_{name}")


def test_a_view_that_reads_no_secret_is_exported() -> None:
    connection = database(None, *USERS, "CREATE VIEW v AS SELECT id, name FROM users WHERE name > 'a'")
    assert len(document(connection, "v")["tables"]["v"]) == 2


CONDITIONS = [
    f"password = '{SECRET}'",
    "password LIKE 's%'",
    "id IN (SELECT user FROM keys WHERE api_key > 'a')",
    "EXISTS (SELECT 1 FROM users AS u WHERE u.password = 's')",
    "id = (SELECT count(*) FROM (SELECT 's' AS password) NATURAL JOIN users)",
    "length(stars) > 1",
    "(SELECT sql FROM sqlite_stat4) IS NULL",
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_no_condition_asks_about_a_secret(condition: str) -> None:
    with pytest.raises(ExportError) as caught:
        exported(database(None, *USERS, "ANALYZE"), "users", where=[condition])
    assert SECRET not in str(caught.value)


def test_no_order_tells_about_a_secret() -> None:
    with pytest.raises(DeniedError, match="cannot be sorted by password"):
        exported(database(None, *USERS), "users", sort=[("password", False)])


def test_no_index_table_is_a_way_round() -> None:
    connection = database(
        None,
        *USERS,
        "CREATE VIRTUAL TABLE found USING fts5(name, password, content='users', content_rowid='id')",
        "INSERT INTO found(found) VALUES ('rebuild')",
        "CREATE VIRTUAL TABLE words USING fts5vocab(found, 'row')",
        "CREATE VIRTUAL TABLE other USING fts5(body)",
    )
    for table in ("found", "found_data", "found_docsize", "words", "sqlite_stat4", "sqlite_master"):
        with pytest.raises(ExportError):
            exported(connection, table)
    with pytest.raises(DeniedError):
        exported(connection, "users", where=["id IN (SELECT rowid FROM found WHERE found MATCH 's3cret')"])
    assert document(connection, "other")["tables"]["other"] == []


def test_all_columns_secret_is_an_error_not_an_empty_row() -> None:
    with pytest.raises(UnsupportedError, match="Nothing would be left of t"):
        exported(database(None, "CREATE TABLE t (password)"), "t")


def test_secrets_by_setting() -> None:
    connection = database(None, "CREATE TABLE t (a, b)", f"INSERT INTO t VALUES ('{SECRET}', 1)")
    found = document(connection, "t", settings=Settings(secrets={"t": ["a"]}))
    assert found["tables"]["t"] == [{"b": 1}]


DANGEROUS = [
    "1; DROP TABLE t",
    "load_extension('x') IS NULL",
    "(SELECT count(*) FROM pragma_database_list) > 0",
    "id IN (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c LIMIT",
    "id IN (SELECT a FROM temp.sqlite_temp_master)",
]


@pytest.mark.parametrize("condition", DANGEROUS)
def test_a_condition_can_only_read(condition: str) -> None:
    connection = database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with pytest.raises(ValueError, match="The condition"):
        exported(connection, "t", where=[condition])
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_plan_is_as_discreet_as_the_export() -> None:
    connection = database(None, *USERS, "CREATE VIEW v AS SELECT password AS p FROM users")
    made = plan(connection, Request(table="users", records=(("1",),)))
    assert SECRET not in made.model_dump_json()
    with pytest.raises(DeniedError):
        plan(connection, Request(table="v"))


def test_search_tables_show_no_more_than_their_source() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
        connection.execute("CREATE VIRTUAL TABLE notes_fts USING fts5(body, content='notes', content_rowid='id')")
        for table in ("notes_fts", "notes_fts_data"):
            with pytest.raises(DeniedError):
                exported(connection, table, visible={"notes_fts", "notes_fts_data"})
        assert exported(connection, "notes_fts", visible={"notes_fts", "notes"})


MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


TITLED = ("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, api_key TEXT, born TEXT)",)


WORDS = {"t": {"title": ["name", "api_key"], "told_apart_by": ["born", "api_key"]}}


@pytest.mark.parametrize(
    ("without", "title", "told_apart"),
    [((), "Ada", "1815"), (("t.name",), "1", "1815"), (("t.born",), "Ada", ""), (("t.name", "t.born"), "1", "")],
)
def test_what_is_not_in_the_file_is_not_in_its_name_either(
    without: tuple[str, ...], title: str, told_apart: str
) -> None:
    connection = database(None, *TITLED, "INSERT INTO t VALUES (1, 'Ada', 'CANARY', '1815')")
    settings = Settings.model_validate({"subjects": WORDS})
    request = Request(table="t", records=(("1",),), without=without)
    made = plan(connection, request, settings=settings)
    assert (made.title, made.told_apart) == (title, told_apart)
    with Export(connection, request, settings=settings, created_at=MOMENT) as running:
        assert b"CANARY" not in b"".join(running)
        assert running.filename == f"memory_t_{title}_20260102T030405Z.json"


def test_a_warning_names_no_table_that_may_not_be_seen() -> None:
    """Neither the reference that SQLite cannot check, nor the one to a column that is not there."""
    connection = database(
        None,
        "CREATE TABLE child (id INTEGER PRIMARY KEY, a REFERENCES hidden (n), b REFERENCES hidden (nix))",
        "CREATE TABLE hidden (id INTEGER PRIMARY KEY, n)",
    )
    everything = document(connection, "child")["coverage"]["warnings"]
    assert len(everything) == 2 and all("hidden" in w for w in everything)
    for how in ({}, {"cascade": True}):
        seen = document(connection, "child", visible={"child"}, **how)["coverage"]["warnings"]
        assert not [w for w in seen if "hidden" in w or "child." in w]


WORD_LISTS = {
    "fts5vocab": "USING fts5vocab(found, row)",
    "fts5vocab, quoted": """USING fts5vocab('found', "instance")""",
    "fts4aux": "USING fts4aux(old)",
}


def word_lists(how: str, *more: str) -> Any:
    return database(
        None,
        "CREATE TABLE doc (id INTEGER PRIMARY KEY, body TEXT)",
        "CREATE VIRTUAL TABLE found USING fts5(body, content='doc', content_rowid='id')",
        "CREATE VIRTUAL TABLE old USING fts4(body, content='doc')",
        *more,
        f"CREATE VIRTUAL TABLE words {WORD_LISTS[how]}",
    )


@pytest.mark.parametrize("how", WORD_LISTS)
def test_a_list_of_words_shows_no_more_than_its_index(how: str) -> None:
    connection = word_lists(how)
    assert document(connection, "words")["tables"]["words"] == []
    assert document(connection, "words", visible={"words", "found", "old", "doc"})["tables"]["words"] == []
    for visible in ({"words"}, {"words", "found", "old"}, {"words", "doc"}):
        with pytest.raises(DeniedError, match="not see all that words is made from"):
            exported(connection, "words", visible=visible)


@pytest.mark.parametrize("how", WORD_LISTS)
@pytest.mark.parametrize("where", ["in what is indexed", "elsewhere"])
def test_a_list_of_words_is_refused_where_there_are_secrets(how: str, where: str) -> None:
    secret = "ALTER TABLE doc ADD COLUMN password" if where != "elsewhere" else "CREATE TABLE keys (id, api_key)"
    connection = word_lists(how, secret)
    with pytest.raises(DeniedError, match="words cannot be exported"):
        exported(connection, "words")
    with pytest.raises(ExportError):
        exported(connection, "doc", where=["EXISTS (SELECT term FROM words)"])
