"""After an import every search and spatial index of the target is right, or named as out of date, with consent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import ImportReport, RefusedError, Request, export, load
from datasette_program_export.cli.main import program_export
from tests.support.databases.house import made, rows

DOCS = "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT, body TEXT)"
OLD = "INSERT INTO docs VALUES (1, 'alpha', 'old')"
NEW = [{"id": 1, "title": "omega", "body": "new"}, {"id": 2, "title": "beta gamma", "body": None}]


def filled_by(index: str, columns: str, values: str, delete: str = "") -> list[str]:
    """The usual triggers of a search index on docs."""
    old, new = values.replace("$", "old."), values.replace("$", "new.")
    gone = delete.replace("$", "old.") or f"DELETE FROM {index} WHERE rowid = old.id"
    put = f"INSERT INTO {index} ({columns}) VALUES ({new})"
    return [
        f"CREATE TRIGGER {index}_i AFTER INSERT ON docs BEGIN {put}; END",
        f"CREATE TRIGGER {index}_u AFTER UPDATE ON docs BEGIN {gone.replace('%', old)}; {put}; END",
        f"CREATE TRIGGER {index}_d AFTER DELETE ON docs BEGIN {gone.replace('%', old)}; END",
    ]


SHOWN = "INSERT INTO f (f, rowid, title) VALUES ('delete', %)"  # of FTS5
KEPT = {
    "FTS5 that shows a table": [
        "CREATE VIRTUAL TABLE f USING fts5(title, content='docs', content_rowid='id')",
        *filled_by("f", "rowid, title", "$id, $title", SHOWN),
    ],
    "FTS5 that shows a table, without triggers": [
        "CREATE VIRTUAL TABLE f USING FTS5(title, content=[docs], content_rowid=id, tokenize='porter')",
    ],
    "FTS5 that shows a view": [
        "CREATE VIEW v AS SELECT id, title FROM docs WHERE title <> ''",
        "CREATE VIRTUAL TABLE f USING fts5(title, content='v', content_rowid='id')",
    ],
    "FTS4 that shows a table": ['CREATE VIRTUAL TABLE f USING fts4(title, content="docs")'],
    "FTS5 that keeps its texts": [
        "CREATE VIRTUAL TABLE f USING fts5(title)",
        *filled_by("f", "rowid, title", "$id, $title"),
    ],
    "FTS3 that keeps its texts": [
        "CREATE VIRTUAL TABLE f USING fts3(title)",
        *filled_by("f", "rowid, title", "$id, $title"),
    ],
    "FTS5 that keeps no texts": [
        "CREATE VIRTUAL TABLE f USING fts5(title, content='')",
        *filled_by("f", "rowid, title", "$id, $title", SHOWN),
    ],
}


def imported(target: Path, found: dict[str, Any] | None = None, **choices: Any) -> ImportReport:
    file = target.with_suffix(".json")
    file.write_text(json.dumps(found or {"docs": NEW}))
    return load(target, file, on_conflict="update", backup=False, **choices)


@pytest.mark.parametrize("index", KEPT.values(), ids=list(KEPT))
def test_a_search_index_is_right_afterwards(index: list[str], tmp_path: Path) -> None:
    full = (
        ["INSERT INTO f(f) VALUES ('rebuild')"] if "content=" in index[-1] + index[0] and "''" not in index[0] else []
    )
    target = made(tmp_path / "t.db", DOCS, *index, OLD, *full)
    before = rows(target, "SELECT * FROM sqlite_master")
    report = imported(target)
    assert [f.kind for f in report.notes] == []
    for word, found in (("omega", [(1,)]), ("beta", [(2,)]), ("alpha", [])):
        assert rows(target, f"SELECT rowid FROM f WHERE f MATCH '{word}'") == found
    assert rows(target, "SELECT * FROM sqlite_master") == before
    made(target, "INSERT INTO f(f) VALUES ('integrity-check')")
    if len(index) > 2:  # with triggers: the application's own deletion works, as it does not on a stale index
        made(target, "DELETE FROM docs WHERE id = 2", "INSERT INTO f(f) VALUES ('integrity-check')")
    assert rows(target, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("module", ["rtree", "rtree_i32"])
def test_a_spatial_index_is_filled_by_its_triggers(module: str, tmp_path: Path) -> None:
    index = [
        f"CREATE VIRTUAL TABLE f USING {module}(id, low, high)",
        *filled_by("f", "id, low, high", "$id, $id, $id + 5"),
    ]
    target = made(tmp_path / "t.db", DOCS, *[sql.replace("rowid =", "id =") for sql in index], OLD)
    assert imported(target).notes == []
    assert rows(target, "SELECT id FROM f WHERE high > 6") == [(2,)]
    assert rows(target, "SELECT rtreecheck('f')") == [("ok",)]


LOG = "CREATE TABLE log (word)"
STALE = {
    "triggers that need an application's function": (
        [
            "CREATE VIRTUAL TABLE f USING rtree(id, low, high)",
            "CREATE TRIGGER g AFTER INSERT ON docs WHEN NOT ST_IsEmpty(new.body) BEGIN "
            "INSERT OR REPLACE INTO f VALUES (new.id, ST_MinX(new.body), ST_MaxX(new.body)); END",
        ],
        "no such function: ST_IsEmpty",
    ),
    "a trigger with other work": (
        [
            LOG,
            "CREATE VIRTUAL TABLE f USING fts5(title)",
            "CREATE TRIGGER g AFTER INSERT ON docs BEGIN INSERT INTO f VALUES (new.title); "
            "INSERT INTO log VALUES ('f'); END",
        ],
        "its trigger g writes to other tables, too",
    ),
    "no texts and no triggers": (
        ["CREATE VIRTUAL TABLE f USING fts5(title, content='')"],
        "it keeps no texts, and only its application can fill it",
    ),
    "a table that is gone": (
        [
            "CREATE TABLE gone (title)",
            "CREATE VIEW v AS SELECT docs.id, docs.title, gone.title AS other FROM docs, gone",
            "CREATE VIRTUAL TABLE f USING fts5(other, content='v', content_rowid='id')",
            "DROP TABLE gone",
        ],
        "",  # each version of SQLite has other words for it
    ),
}


@pytest.mark.parametrize(("index", "why"), STALE.values(), ids=list(STALE))
def test_an_index_that_cannot_be_brought_up_to_date_needs_consent(index: list[str], why: str, tmp_path: Path) -> None:
    target = made(tmp_path / "t.db", DOCS, OLD, *index)
    before = rows(target, "SELECT * FROM docs")
    told = f"The index f of docs cannot be brought up to date here: {why}"
    preview = imported(target, preview=True)
    asked = ". It would be out of date: the argument allow_stale_indexes lets it be."
    assert preview.findings[0].message.startswith(told) and preview.findings[0].message.endswith(asked)
    with pytest.raises(RefusedError, match="allow_stale_indexes"):
        imported(target)
    assert rows(target, "SELECT * FROM docs") == before
    report = imported(target, allow_stale_indexes=True)
    done = "It is out of date now; its application must fill it again."
    assert [n.kind for n in report.notes if n.message.startswith(told) and n.message.endswith(done)] == ["index"]
    assert rows(target, "SELECT count(*) FROM docs") == [(2,)]


def test_a_tokenizer_of_the_application_is_named(tmp_path: Path) -> None:
    changed = "UPDATE sqlite_master SET sql = replace(sql, 'porter', 'ab_cf') WHERE name = 'f'"
    index = "CREATE VIRTUAL TABLE f USING fts5(title, content='docs', content_rowid='id', tokenize='porter')"
    target = made(tmp_path / "t.db", DOCS, OLD, index, "PRAGMA writable_schema = 1", changed)
    with pytest.raises(RefusedError, match="The index f of docs .* here: no such tokenizer: ab_cf"):
        imported(target)
    assert imported(target, allow_stale_indexes=True).ok


def test_an_index_of_another_table_is_no_concern(tmp_path: Path) -> None:
    target = made(
        tmp_path / "t.db", DOCS, "CREATE TABLE t (id INTEGER PRIMARY KEY)", *STALE["no texts and no triggers"][0]
    )
    assert imported(target, {"t": [{"id": 1}]}).notes == []
    assert imported(target, {"docs": [{"id": 1, "title": "omega"}]}, preview=True).status == "refused"


def test_triggers_that_did_not_fire_are_named(tmp_path: Path) -> None:
    triggers = [
        "CREATE TRIGGER one AFTER INSERT ON docs BEGIN INSERT INTO log VALUES (new.title); END",
        'CREATE TRIGGER "delete" AFTER UPDATE OF title ON docs BEGIN DELETE FROM log; END',
        "CREATE TRIGGER three AFTER DELETE ON docs BEGIN INSERT INTO log VALUES (old.title); END",
    ]
    target = made(tmp_path / "t.db", DOCS, LOG, *triggers, *KEPT["FTS5 that shows a table"], OLD, "DELETE FROM log")
    for preview in (True, False):
        notes = [n.message for n in imported(target, preview=preview).notes]
        assert notes == ["The triggers one, delete of docs did not fire for these rows, without the argument triggers."]
    assert rows(target, "SELECT * FROM log") == []


def test_the_command_names_its_options(tmp_path: Path) -> None:
    target = made(tmp_path / "t.db", DOCS, OLD, *STALE["a trigger with other work"][0])
    (tmp_path / "f.json").write_text(json.dumps({"docs": NEW[1:]}))
    words = ["import", str(tmp_path / "f.json"), str(target), "--no-backup"]
    done = CliRunner().invoke(program_export, words)
    assert done.exit_code == 1 and "out of date: --allow-stale-indexes lets it be" in done.output
    done = CliRunner().invoke(program_export, [*words, "--allow-stale-indexes"])
    assert done.exit_code == 0 and "The trigger g of docs did not fire" in done.output
    assert "without --triggers" in done.output


def test_a_trigger_that_replaces_in_an_index_keeps_its_own_clause(tmp_path: Path) -> None:
    """An import's OR ABORT would overrule the OR REPLACE in the trigger, as GeoPackage has it."""
    fill = "BEGIN INSERT OR REPLACE INTO ix VALUES (new.id, new.x, new.x); END"
    statements = [
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL, u TEXT UNIQUE ON CONFLICT IGNORE)",
        "CREATE VIRTUAL TABLE ix USING rtree (id, low, high)",
        f"CREATE TRIGGER a AFTER INSERT ON p {fill}",
        f"CREATE TRIGGER b AFTER UPDATE ON p {fill}",
        "INSERT INTO p VALUES (1, 1.0, 'a'), (2, 2.0, 'b')",
    ]
    there = made(tmp_path / "there.db", *statements)
    other = made(tmp_path / "other.db", *statements, "UPDATE p SET x = 5 WHERE id = 1")
    (tmp_path / "p.json").write_bytes(b"".join(export(other, Request(table="p"))))
    load(there, tmp_path / "p.json", on_conflict="update", backup=False)
    assert rows(there, "SELECT * FROM ix ORDER BY id") == [(1, 5.0, 5.0), (2, 2.0, 2.0)]
