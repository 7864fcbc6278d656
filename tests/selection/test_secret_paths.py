"""A secret inside a JSON column is named by its path: it is left out in every form, and all else stays."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_program_export import Request, Settings, export, load, prove, verify
from datasette_program_export.errors import ExportError, SettingsError
from datasette_program_export.selection.secret_paths import NotJSONError, without
from tests.support.databases.building import database, document, exported

CANARY = "s3cret-canary"
PASSWORD = ("password",)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"a": 1, "password": 2, "b": 3}', '{"a": 1, "b": 3}'),
        ('{"password": 2, "b" : 1.10}', '{"b" : 1.10}'),
        (' { "password" : {"x": [1, "}"]} } ', " {} "),
        ('{"password": 1, "b": 2, "password": 3}', '{"b": 2}'),
        ('{"a": 1, "password": 1, "password": 2, "b": 1e400, "password": 3}', '{"a": 1, "b": 1e400}'),
        (r'{"pass\u0077ord": 1, "b": "\u00e9"}', r'{"b": "\u00e9"}'),
        ('[{"password": 1}, [{"password": 2, "b": 3}], "password", 4]', '[{}, [{"b": 3}], "password", 4]'),
        ('{"Password": 1, "b": {"password": 3}}', '{"Password": 1, "b": {"password": 3}}'),
        ("null", "null"),
        ('"password"', '"password"'),
        ("12345678901234567890123", "12345678901234567890123"),
        ("{}", "{}"),
    ],
)  # fmt: skip
def test_the_value_and_its_key_go_and_all_else_stays(text: str, left: str) -> None:
    assert without(text, [PASSWORD]) == left


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        ([("users", "*", "key")], '{"users": [{"id": 1}, {"id": 2}], "logins": {"a": {"key": "c"}}, "list": [1, [2]]}'),
        ([("users", "key")], '{"users": [{"id": 1}, {"id": 2}], "logins": {"a": {"key": "c"}}, "list": [1, [2]]}'),
        ([("logins", "*", "key"), ("list", "*")],
         '{"users": [{"id": 1, "key": "a"}, {"key": "b", "id": 2}], "logins": {"a": {}}, "list": []}'),
        ([("users",), ("logins",)], '{"list": [1, [2]]}'),
        ([("*",)], "{}"),
        ([("users", "id", "key"), ("nothing",)], None),
    ],
)  # fmt: skip
def test_paths_go_through_objects_and_lists(paths: list[tuple[str, ...]], left: str | None) -> None:
    text = '{"users": [{"id": 1, "key": "a"}, {"key": "b", "id": 2}], "logins": {"a": {"key": "c"}}, "list": [1, [2]]}'
    assert without(text, paths) == (text if left is None else left)


def test_a_text_that_holds_json_itself_goes_where_a_path_leads_into_it() -> None:
    text = json.dumps({"login": json.dumps({"password": CANARY}), "note": "{plain"})
    assert without(text, [("login", "password")]) == '{"note": "{plain"}'
    with pytest.raises(NotJSONError):
        without(json.dumps(text), [PASSWORD])


@pytest.mark.parametrize(
    "text",
    ["{password: 1}", "{'password': 1}", '{"password": 1,}', "[1,]", "[1 2]", '{"a" 1}', '{"a": 1', "[", "]", "{]",
     '{"a": NaN}', "01", "+1", ".5", "0x1", '{"a": 1} {"b": 2}', "// x\n1", '"\t"', r'"\x41"', '{1: 2}', "truex", " ",
     '{,"password": 1}', '{"a": 1,,"b": 2}', "[,]", '{"a"}', ":", "plain", '\ufeff{"password": 1}'],
)  # fmt: skip
def test_what_is_no_json_is_not_guessed_at(text: str) -> None:
    with pytest.raises(NotJSONError):
        without(text, [PASSWORD])


def test_any_depth_is_read() -> None:
    deep = "[" * 100_000 + '{"password": 1}' + "]" * 100_000
    assert without(deep, [PASSWORD]) == deep.replace('"password": 1', "")


def cut(value: Any, element: bool = False) -> Any:
    if isinstance(value, dict):  # in a list, `*` may be the element itself
        return {key: cut_in(part) for key, part in value.items() if key != "p" and not (element and key == "q")}
    return [cut(part, True) for part in value] if isinstance(value, list) else value


def cut_in(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: part for key, part in value.items() if key != "q"}
    return [cut_in(part) for part in value] if isinstance(value, list) else value


KEYS = st.sampled_from(["p", "q", "a", "é", '"', "\\"])
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["x", "p", "a{b", "}\u2028", 1.5])
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=4) | st.dictionaries(KEYS, t, max_size=4), max_leaves=12)


@given(tree=TREES, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_it_does_what_a_plain_walk_over_the_read_json_does(tree: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=ascii_only)
    assert json.loads(without(text, [("p",), ("*", "q")])) == cut(tree)
    assert without(text, [("no", "where")]) == text


# In an export

LOGIN = json.dumps({"name": "ada", "login": {"password": CANARY, "n": 1}})
TWICE = json.dumps({"login": {"password": CANARY, "passWord": CANARY}}).replace("passWord", r"pass\u0077ord")
SCHEMA = (
    f"CREATE TABLE users (id INTEGER PRIMARY KEY, data TEXT NOT NULL DEFAULT '{LOGIN}' CHECK (data <> '{CANARY}'), "
    "note TEXT COLLATE NOCASE)",
    f"CREATE INDEX by_password ON users (id) WHERE data = '{CANARY}'",
    "CREATE VIEW passwords AS SELECT json_extract(data, '$.login.password') AS p FROM users",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, user REFERENCES users)",
    f"INSERT INTO users VALUES (1, '{LOGIN}', 'x')",
    f"INSERT INTO users VALUES (2, '{{login: {{password: \"{CANARY}\"}}}}', 'json5')",
    f"INSERT INTO users VALUES (3, CAST('{LOGIN}' AS BLOB), 'blob')",
    f"INSERT INTO users VALUES (4, '{TWICE}', NULL)",
    "INSERT INTO users VALUES (5, '', 'empty'), (6, 7, 'number')",
    "INSERT INTO visits VALUES (1, 1)",
)  # fmt: skip
SETTINGS = Settings(secrets={"users": ["data.login.password"]}, json_columns={"users": ["data"]})
EXPECTED = [
    (1, '{"name": "ada", "login": {"n": 1}}'), (2, "null"), (3, "null"), (4, '{"login": {}}'), (5, ""), (6, "7"),
]  # fmt: skip


def opened(*more: str) -> sqlite3.Connection:
    return database(None, *SCHEMA, *more)


def everything(connection: sqlite3.Connection, settings: Settings = SETTINGS, **asked: Any) -> bytes:
    with export(connection, Request(**asked), settings=settings) as made:
        return b"".join(made)


@pytest.mark.parametrize("form", ["programjson", "ndjson", "csv", "tsv", "package", "sqlite", "sql"])
def test_it_is_in_no_format_and_what_comes_back_is_the_rest(tmp_path: Path, form: str) -> None:
    made = everything(opened(), table="users", format=form, cascade=False)
    assert CANARY.encode() not in made and b"canary" not in made
    file = tmp_path / "made"
    file.write_bytes(made)
    if form in ("programjson", "package", "sqlite"):
        assert verify(file).status == "complete"
        assert prove(file).proven
        load(tmp_path / "new.db", file)
        rows = sqlite3.connect(tmp_path / "new.db").execute("SELECT id, data FROM users").fetchall()
        assert rows == EXPECTED


def test_the_file_tells_the_path_and_how_many_values_were_withheld() -> None:
    coverage = document(opened(), "users", settings=SETTINGS)["coverage"]
    assert coverage["secret"] == [{"table": "users", "column": "data.login.password", "why": "named as secret"}]
    (told,) = [w for w in coverage["warnings"] if "could not be read as JSON" in w]
    assert told.startswith("users.data: 2 values could not be read as JSON")


def test_whoever_may_have_secrets_gets_the_whole_text() -> None:
    assert LOGIN.encode() in everything(opened(), table="users", format="csv", secrets="include").replace(b'""', b'"')


@pytest.mark.parametrize(
    "asked",
    [
        {"table": "users", "where": ("data LIKE '%s3cret%'",)},
        {"table": "users", "where": ("json_extract(data, '$.name') = 'ada'",)},
        {"table": "users", "sort": (("data", False),)},
        {"sql": "SELECT data FROM users"},
        {"sql": "SELECT count(*) FROM users WHERE data -> '$.login.password' = 'x'"},
        {"sql": "SELECT value FROM users, json_each(users.data)"},
        {"sql": "SELECT * FROM passwords"},
        {"table": "passwords"},
    ],
    ids=str,
)
def test_no_sql_from_outside_reads_the_column(asked: dict) -> None:
    with pytest.raises(ExportError) as raised:
        everything(opened(), **asked)
    assert "s3cret" not in str(raised.value) or "where" in asked


def test_a_filter_on_other_columns_leaves_the_whole_column_out_and_says_so() -> None:
    with export(opened(), Request(table="users", where=("id = 1",), cascade=False), settings=SETTINGS) as made:
        found = json.loads(b"".join(made))
    assert found["tables"]["users"] == [{"id": 1, "note": "x"}]
    secret = [{"table": "users", "column": "data", "why": "a part of it is named as secret"}]
    assert found["coverage"]["secret"] == secret


def test_what_is_computed_from_it_and_what_indexes_it_is_secret_too() -> None:
    connection = opened(
        "CREATE TABLE g (id INTEGER PRIMARY KEY, data TEXT, p AS (json_extract(data, '$.password')))",
        f'INSERT INTO g (data) VALUES (\'{{"password": "{CANARY}"}}\')',
        "CREATE VIRTUAL TABLE words USING fts5(data, content='g', content_rowid='id')",
        "INSERT INTO words(words) VALUES ('rebuild')",
    )
    settings = Settings(secrets={"g": ["data.password"]})
    found = document(connection, "g", settings=settings)
    assert found["tables"]["g"] == [{"id": 1, "data": "{}"}]
    with pytest.raises(ExportError):
        exported(connection, "words", settings=settings)


def test_a_column_named_with_dots_goes_before_a_path_and_a_whole_column_before_its_parts() -> None:
    connection = database(
        None, 'CREATE TABLE t (id INTEGER PRIMARY KEY, "a.b", a)', """INSERT INTO t VALUES (1, 2, '{"b": 3}')"""
    )
    settings = Settings(secrets={"t": ["a.b"]})
    assert document(connection, "t", settings=settings)["tables"]["t"] == [{"id": 1, "a": '{"b": 3}'}]
    settings = Settings(secrets={"t": ["a.c", "a"]})
    assert document(connection, "t", settings=settings)["tables"]["t"] == [{"id": 1, "a.b": 2}]


@pytest.mark.parametrize("name", ["nothing.password", "data.", "data..password"])
def test_a_path_in_no_column_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(SettingsError):
        document(opened(), "users", settings=Settings(secrets={"users": [name]}))


def test_an_import_tells_that_a_changed_row_loses_it(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(everything(opened(), table="users", cascade=False))
    opened().backup(target := sqlite3.connect(tmp_path / "a.db"))
    target.close()
    report = load(tmp_path / "a.db", tmp_path / "a.json", on_conflict="update", preview=True)
    (note,) = [n.message for n in report.notes if n.kind == "secret"]
    assert note.startswith("users.data comes without data.login.password")
