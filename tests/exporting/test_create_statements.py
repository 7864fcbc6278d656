"""The statements in a document make its tables anew, with what hangs on them and works."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from datasette_program_export import Request, Settings, export
from tests.support.databases.building import database
from tests.support.databases.strategies import Built, databases
from tests.support.files.sqlite_files import HOUSE


def schema_of(*statements: str, how: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    with closing(database(None, *statements)) as connection:
        made = json.loads(b"".join(export(connection, Request(**request), **(how or {}))))
    return made["schema"]


def rebuilt(schema: dict[str, Any]) -> Any:
    """A database made by the statements of a document alone."""
    statements = [table["sql"] for table in schema["tables"].values()]
    return database(None, *statements, *(o["sql"] for o in schema["objects"]))


def test_a_document_makes_its_tables_anew_with_all_that_works() -> None:
    schema = schema_of(*HOUSE)
    with closing(rebuilt(schema)) as new:
        kinds = dict(new.execute("SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
        new.execute("INSERT INTO names VALUES ('X', 1)")  # by the trigger on the view, and then the one on the table
        assert new.execute("SELECT word FROM log").fetchall() == [("X",)]
        assert new.execute("SELECT size FROM a").fetchall() == [(2,)]
        with pytest.raises(Exception, match="CHECK"):
            new.execute("INSERT INTO a (k) VALUES ('')")
    assert [n for n, kind in kinds.items() if kind == "table"] == ["log", "a", "b"]
    assert {n for n, kind in kinds.items() if kind != "table"} == {"b_a", "names", "to_b", "to_log", "into_names"}


def test_what_cannot_be_made_is_named_with_the_reason() -> None:
    told = {o["name"]: o["why"] for o in schema_of(*HOUSE, without=("log",))["not_carried"]}
    assert told == {
        "a_password": "no such column: password",
        "passwords": "no such column: password",
        "of_passwords": "no such column: password",
        "to_log": "no such table: main.log",
    }


def test_a_column_left_out_is_not_in_the_statement() -> None:
    schema = schema_of(*HOUSE)
    assert "password" not in schema["tables"]["a"]["sql"]
    assert "CHECK" in schema["tables"]["a"]["sql"]


def test_a_table_is_made_from_its_facts_where_its_own_statement_needs_a_column_left_out() -> None:
    whole = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'q', b, c INT, CHECK (b > 0), UNIQUE (a, b))"
    )
    schema = schema_of(whole, without=("t.b",))
    assert [o["table"] for o in schema["not_carried"]] == ["t"]
    with closing(rebuilt(schema)) as new:
        new.execute("INSERT INTO t (c) VALUES ('5')")
        assert new.execute("SELECT id, a, typeof(c) FROM t").fetchall() == [(1, "q", "integer")]


def test_the_database_s_own_numbers_are_told_of_a_whole_database_only() -> None:
    facts = schema_of(*HOUSE)["database"]
    assert facts == {"encoding": "UTF-8", "user_version": 7, "sequences": {"a": 2}}
    assert schema_of(*HOUSE, table="a")["database"] == {"encoding": "UTF-8"}


def test_views_and_queries_are_made_without_types_that_could_change_values() -> None:
    schema = schema_of("CREATE TABLE t (a TEXT)", "CREATE VIEW v AS SELECT a FROM t UNION ALL SELECT 1", table="v")
    assert schema["tables"]["v"]["sql"] == 'CREATE TABLE "v" ("a")'
    assert schema_of("CREATE TABLE t (a TEXT)", sql="select a as x from t")["tables"]["query"]["sql"].endswith('("x")')


def test_triggers_that_could_name_a_hidden_table_are_left_out_with_a_word() -> None:
    schema = schema_of(*HOUSE, how={"visible": {"a", "b", "names", "passwords", "of_passwords"}})
    assert not [o for o in schema["objects"] if o["type"] == "trigger"]
    assert {"type": "triggers", "table": "a", "why": "they may name tables that you may not see"} in schema[
        "not_carried"
    ]
    assert "log" not in json.dumps(schema)


def test_views_tell_nothing_of_hidden_tables() -> None:
    made = ("CREATE TABLE a (x)", "CREATE TABLE secretive (x)", "CREATE VIEW v AS SELECT x FROM secretive")
    schema = schema_of(*made, how={"visible": {"a", "v"}})
    assert "secretive" not in json.dumps(schema)
    assert schema["not_carried"] == [{"type": "view", "name": "v", "table": "v", "why": "it needs what is not here"}]


@given(built=databases(with_persons=False))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_database_s_tables_can_be_made_anew(built: Built) -> None:
    with closing(built.open()) as connection:
        schema = json.loads(b"".join(export(connection, Request(), settings=Settings())))["schema"]
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
        with closing(rebuilt(schema)) as new:
            assert new.execute(query).fetchall() == connection.execute(query).fetchall()
    assert schema["not_carried"] == []
