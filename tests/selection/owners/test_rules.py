"""Owner rules of plugins: they only withhold, at every scope; past them nothing reads; a bad one stops everything."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import OwnerRule, Request, Source, export, plan
from datasette_program_export.errors import DeniedError, PluginError
from datasette_program_export.options.hooks.specs import hookimpl
from datasette_program_export.options.settings import Settings
from datasette_program_export.planning.row_picker import pick
from tests.support.databases.building import database
from tests.support.plugins.registered import plugged

WHY = "consent was withdrawn"
ROWS = (
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, password TEXT)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, client_id REFERENCES clients, body TEXT, ok INTEGER)",
    "CREATE TABLE tags (note_id REFERENCES notes, tag TEXT, PRIMARY KEY (note_id, tag)) WITHOUT ROWID",
    "CREATE TABLE loose (id REFERENCES notes, x)",
    "CREATE VIEW seen AS SELECT body FROM notes",
    "CREATE VIRTUAL TABLE notes_fts USING fts5(body, content='notes', content_rowid='id')",
    "INSERT INTO clients VALUES (1, 'Anna', 'pw-canary'), (2, 'Bob', 'pw-canary')",
    "INSERT INTO notes VALUES (1, 1, 'first', 1), (2, 1, 'canary', 0), (3, 2, 'canary', NULL), (4, 2, 'fourth', 1)",
    "INSERT INTO tags VALUES (1, 'a'), (2, 'canary'), (3, 'c'), (4, 'd')",
    "INSERT INTO notes_fts(notes_fts) VALUES ('rebuild')",
)
RULE = OwnerRule("notes", "ok", WHY)


class Ruling:
    """A plugin with these rules."""

    def __init__(self, *rules: Any) -> None:
        self.rules = rules
        self.asked: list[Any] = []

    @hookimpl
    def export_owner_rules(self, schema: Any, database: str) -> Any:
        self.asked.append((sorted(schema), database))
        return list(self.rules)


@pytest.fixture
def source() -> Iterator[sqlite3.Connection]:
    connection = database(None, *ROWS)
    yield connection
    connection.close()


def document(source: Any, settings: Settings | None = None, **asked: Any) -> Any:
    raw = b"".join(export(source, Request(**asked), settings=settings))
    assert b"canary" not in raw
    return json.loads(raw)


def withheld(found: Any) -> list[tuple[str, int]]:
    told = found["coverage"].get("by_rules", [])
    assert {(t["plugin"], t["why"]) for t in told} <= {("strict", WHY), ("other", WHY)}
    return [(t["table"], t["rows"]) for t in told]


SCOPES = {
    "a record and what hangs on it": ({"table": "clients", "records": [("1",)]}, [1], [("notes", 1)]),
    "others included": ({"table": "clients", "records": [("1",)], "others": "include"}, [1], [("notes", 1)]),
    "from a child up": ({"table": "tags", "records": [("2", "b")], "parents": "needed"}, [], [("notes", 1)]),
    "a table": ({"table": "notes"}, [1, 4], [("notes", 2)]),
    "a table, filtered": ({"table": "notes", "where": ("id > 1",)}, [4], [("notes", 2)]),
    "a table, cut": ({"table": "notes", "limit": 1, "offset": 1}, [4], [("notes", 2)]),
    "a table and what hangs on it": ({"table": "clients", "cascade": True}, [1, 4], [("notes", 2)]),
    "the whole database": ({}, [1, 4], [("notes", 2)]),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_rows_are_withheld_and_told_at_every_scope(source: Any, scope: str) -> None:
    asked, notes, told = SCOPES[scope]
    source.execute("INSERT INTO tags VALUES (2, 'b')")
    with plugged(Ruling(RULE), "strict"):
        if asked.get("table") == "tags":
            assert withheld(found := document(source, **asked)) == told
            assert "notes" not in found["tables"] or found["tables"]["notes"] == []
            return
        source.execute("DELETE FROM tags WHERE note_id IN (2, 3)")
        found = document(source, **asked)
        assert [row["id"] for row in found["tables"]["notes"]] == notes
        assert withheld(found) == told
        planned = plan(source, Request(**asked))
        assert sum(t.rows for t in planned.tables if t.table == "notes") == len(notes)
        assert [(r.table, r.rows, r.plugin) for r in planned.coverage.by_rules] == [(t, n, "strict") for t, n in told]


def test_children_of_withheld_rows_are_not_reached(source: Any) -> None:
    with plugged(Ruling(RULE), "strict"):
        found = document(source, table="clients", records=[("1",)])
    assert [row["note_id"] for row in found["tables"]["tags"]] == [1]


def test_what_refers_to_withheld_rows_is_told_as_dangling(source: Any) -> None:
    source.execute("UPDATE tags SET tag = 'b' WHERE note_id = 2")
    with plugged(Ruling(RULE), "strict"):
        found = document(source)
        assert [(d["table"], d["rows"], d["missing_in_source"]) for d in found["coverage"]["dangling"]] == [
            ("tags", 2, 0)
        ]
        found = document(source, table="tags", where=("tag > ''",))
        assert [(d["table"], d["rows"]) for d in found["coverage"]["dangling"]] == [("tags", 4)]


def test_rules_of_several_plugins_are_joined_by_and(source: Any) -> None:
    with plugged(Ruling(RULE), "strict"), plugged(Ruling(OwnerRule("NOTES", "id < 4", WHY)), "other"):
        found = document(source, table="notes")
    assert [row["id"] for row in found["tables"]["notes"]] == [1]
    assert withheld(found) == [("notes", 2), ("notes", 1)]


def test_a_compound_key_and_a_rule_that_reads_another_table(source: Any) -> None:
    rule = OwnerRule("tags", "note_id IN (SELECT id FROM notes WHERE ok = 1)", WHY)
    with plugged(Ruling(rule, RULE), "strict"):
        assert [row["note_id"] for row in document(source)["tables"]["tags"]] == [1, 4]


def test_a_record_that_is_withheld_is_refused_with_the_reason(source: Any) -> None:
    with plugged(Ruling(RULE), "strict"):
        said = "What was asked for is not exported: the plugin strict withholds rows of notes (consent was withdrawn)."
        for work in (lambda r: b"".join(export(source, r)), lambda r: plan(source, r)):
            with pytest.raises(DeniedError) as found:
                work(Request(table="notes", records=[("1",), ("2",)]))
            assert str(found.value) == said
        assert document(source, table="notes", records=[("1",)])["integrity"]["rows"] > 0


PAST = {
    "a query": {"sql": "SELECT body FROM notes"},
    "a query that only counts": {"sql": "SELECT count(*) FROM notes"},
    "a view": {"table": "seen"},
    "a query of a view": {"sql": "SELECT * FROM seen"},
    "a search index": {"sql": "SELECT body FROM notes_fts"},
    "a search index by name": {"tables": ("notes_fts",)},
    "its shadow": {"table": "notes_fts_data"},
    "a condition with a subquery": {"table": "notes", "where": ("EXISTS (SELECT 1 FROM notes WHERE ok = 0)",)},
    "a condition with IN and a table": {"table": "notes", "where": ("body IN seen",)},
    "a condition of another table": {"table": "clients", "where": ("id IN (SELECT client_id FROM notes)",)},
    "a search": {"table": "notes", "where": ("id IN (SELECT rowid FROM notes_fts WHERE notes_fts MATCH 'canary')",)},
    "the pages of the file": {"sql": "SELECT data FROM sqlite_dbpage"},
    "an unseen join": {"sql": "SELECT 1 FROM clients NATURAL JOIN notes"},
}


@pytest.mark.parametrize("way", PAST)
def test_nothing_reads_past_a_rule(source: Any, way: str) -> None:
    with plugged(Ruling(RULE), "strict"), pytest.raises((DeniedError, ValueError)) as found:
        document(source, **PAST[way])
    if way not in ("an unseen join", "the pages of the file"):
        assert "the plugin strict withholds rows " in str(found.value)


@pytest.mark.parametrize("asked", [{"table": "seen"}, {"table": "clients", "where": ("id IN seen",)}, {}])
@pytest.mark.parametrize("condition", ["ok", "nix", "client_id IN (SELECT id FROM clients WHERE password > '')"])
def test_a_table_that_one_may_not_see_is_never_named(source: Any, asked: dict, condition: str) -> None:
    visible = frozenset({"clients", "seen", "tags"})
    with plugged(Ruling(OwnerRule("notes", condition, WHY)), "strict"):
        try:
            told = b"".join(export(source, Request(**asked), visible=visible)).decode()
        except (DeniedError, PluginError) as error:
            told = str(error)
            assert "plugin strict" in told
    without_references = told.replace("tags.note_id", "").replace('"other_table":"notes"', "")
    assert "rows of notes" not in without_references and "for notes" not in without_references
    assert "by_rules" not in told


def test_the_picker_of_rows_does_not_show_them(source: Any) -> None:
    source.execute("UPDATE clients SET name = 'canary' WHERE id = 2")
    with plugged(Ruling(OwnerRule("clients", "id = 1", WHY)), "strict"):
        found = pick(Source.of(source), Request(table="clients"), None, "", 1, settings=Settings(), visible=None)
    assert "canary" not in repr(found) and "Anna" in repr(found)


def test_the_plugin_is_told_of_the_schema_and_the_databases_name(tmp_path: Path) -> None:
    path = tmp_path / "practice.db"
    database(path, "CREATE TABLE a (x)").close()
    with plugged(Ruling()) as plugin:
        document(path)
    assert plugin.asked == [(["a"], "practice")]


class Raising:
    @hookimpl
    def export_owner_rules(self) -> None:
        raise RuntimeError("canary")


class NoList:
    @hookimpl
    def export_owner_rules(self) -> Any:
        return RULE


BAD = {
    "The plugin odd failed in export_owner_rules (RuntimeError).": Raising(),
    "The plugin odd returned a OwnerRule from export_owner_rules, not a list of rules.": NoList(),
    "The plugin odd gave a tuple as an OwnerRule.": Ruling(("notes", "ok", WHY)),
    "The plugin odd gave an OwnerRule without table, condition or reason.": Ruling(OwnerRule("notes", "ok", "")),
    "has no table of this name whose rows can be told apart by a key": Ruling(OwnerRule("note", "ok", WHY)),
    "has a rule about seen": Ruling(OwnerRule("seen", "1", WHY)),
    "The owner rule of the plugin odd for notes cannot be run": Ruling(OwnerRule("notes", "nix = 1", WHY)),
    "is not one expression": Ruling(OwnerRule("notes", "1) OR (1", WHY)),
    "is not allowed: it reads clients.password": Ruling(
        OwnerRule("notes", "client_id IN (SELECT id FROM clients WHERE password > '')", WHY)
    ),
    "plugin odd for notes": Ruling(OwnerRule("notes", "1; DELETE FROM notes", WHY)),
    "The owner rule of the plugin odd for tags": Ruling(OwnerRule("tags", "load_extension('x')", WHY)),
}


@pytest.mark.parametrize("said", BAD)
@pytest.mark.parametrize("asked", [{"table": "clients", "records": [("1",)]}, {"secrets": "include"}])
def test_a_rule_that_cannot_be_applied_stops_every_export(source: Any, said: str, asked: dict) -> None:
    with plugged(BAD[said], "odd"):
        for work in (lambda r: next(iter(export(source, r))), lambda r: plan(source, r)):
            with pytest.raises(PluginError) as found:
                work(Request(**asked))
            assert said in str(found.value) and "canary" not in str(found.value) and "odd" in str(found.value)
    assert source.execute("SELECT count(*) FROM notes").fetchone() == (4,)
