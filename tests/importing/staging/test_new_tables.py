"""What SQLite itself computes comes back; what this SQLite does not know is set aside and named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export import RefusedError, load, prove, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.importing.staging.new_tables import NewTables
from tests.support.databases.house import exported, made, rows
from tests.support.files.changing import described_anew

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, d"
KEPT = {
    "a Django JSONField": [f'{TABLE} TEXT CHECK ((JSON_VALID("d") OR "d" IS NULL)))'],
    "a column out of JSON": [f"{TABLE} TEXT, a AS (d ->> '$.a') STORED)"],
    "an index on JSON": [f"{TABLE})", "CREATE INDEX i ON t (JSON_EXTRACT([d], '$.a'))"],
    "a partial index": [f"{TABLE})", "CREATE INDEX i ON t (id) WHERE json_type(d) = 'object'"],
    "a view": [f"{TABLE})", "CREATE VIEW v AS SELECT json_group_array(d), max(json(d)) FROM t"],
    "a trigger": [
        f"{TABLE})",
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET d = json_set(d, '$.b', 1) WHERE id = new.id; END",
    ],
    "no JSON, but functions": [
        f"{TABLE} TEXT CHECK (length(d) > 1 AND instr(d, 'a')), at DEFAULT (strftime('%s')))",
        "CREATE INDEX i ON t (printf('%s', d), lower(hex(d)))",
    ],
}


@pytest.mark.parametrize("statements", KEPT.values(), ids=list(KEPT))
def test_what_sqlite_s_own_functions_compute_comes_back(statements: list[str], tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", *statements, """INSERT INTO t (id, d) VALUES (1, '{"a":1}')""")
    file = exported(source)
    proof = prove(file)
    assert proof.proven, proof.problems
    assert "set_aside" not in {note.kind for note in load(tmp_path / "new.db", file).notes}
    everything = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    assert rows(tmp_path / "new.db", everything) == rows(source, everything)
    assert rows(tmp_path / "new.db", "SELECT * FROM t") == rows(source, "SELECT * FROM t")


@pytest.mark.parametrize(
    ("kind", "sql", "why"),
    [
        ("index", "CREATE INDEX o ON t (newest(x))", "no such function: newest"),
        ("index", "CREATE INDEX o ON t (x COLLATE unicase)", "no such collation sequence: unicase"),
        ("index", "CREATE UNIQUE INDEX o ON t (x)", "UNIQUE constraint failed: t.x"),
        ("view", "CREATE VIEW o AS SELECT FROM t", 'near "FROM": syntax error'),
        ("trigger", "CREATE TRIGGER o AFTER INSERT ON t BEGIN SELECT 1 FROM; END", 'near ";": syntax error'),
    ],
)
def test_an_object_that_cannot_be_made_is_set_aside(kind: str, sql: str, why: str, tmp_path: Path) -> None:
    source = made(
        tmp_path / "s.db", "CREATE TABLE t (x)", "CREATE INDEX good ON t (x)", "INSERT INTO t VALUES (1), (1)"
    )
    file = described_anew(
        source, lambda s: s["objects"].insert(0, {"type": kind, "name": "o", "table": "t", "sql": sql})
    )
    told = f"The {kind} o of the file cannot be made here, so it is set aside: {why}."
    report = load(tmp_path / "new.db", file)
    assert [n.message for n in report.notes] == [told] and report.total("insert") == 2
    assert rows(tmp_path / "new.db", "SELECT name FROM sqlite_master WHERE type <> 'table'") == [("good",)]
    proof = prove(file)
    assert proof.complete and not proof.proven and proof.problems == [told]
    assert proof.tables["t"].same


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x CHECK (newest(x)))", "no such function: newest"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x COLLATE unicase)", "no such collation sequence: unicase"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x, y AS (newest(x)))", "no such function: newest"),
    ],
)
def test_a_table_that_cannot_be_made_so_is_made_plain(sql: str, why: str, tmp_path: Path) -> None:
    plain = ["CREATE TABLE p (id TEXT PRIMARY KEY)", "CREATE TABLE t (id INTEGER PRIMARY KEY, x REFERENCES p)"]
    source = made(tmp_path / "s.db", *plain, "INSERT INTO p VALUES ('a')", "INSERT INTO t VALUES (7, 'a')")
    file = described_anew(source, lambda s: s["tables"]["t"].update(sql=sql))
    report = load(tmp_path / "new.db", file)
    assert why in report.notes[0].message and "without its checks" in report.notes[0].message
    assert rows(tmp_path / "new.db", "SELECT * FROM t") == [(7, "a")]
    assert rows(tmp_path / "new.db", "PRAGMA foreign_key_list(t)")[0][2:4] == ("p", "x")
    assert not prove(file).proven and prove(file).tables["t"].same


def test_what_is_refused_is_told_in_the_words_of_sqlite(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (x)")
    file = described_anew(source, lambda s: s["tables"]["t"].update(sql="CREATE TABLE t (x CHECK (load_extension(x)))"))
    with pytest.raises(RefusedError, match="not authorized to use function: load_extension"):
        load(tmp_path / "new.db", file)
    assert not (tmp_path / "new.db").exists()


def test_a_connection_that_is_handed_in_keeps_its_trust(tmp_path: Path) -> None:
    file = exported(made(tmp_path / "s.db", *KEPT["a Django JSONField"], "INSERT INTO t (d) VALUES ('[1]')"))
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.create_function("json_invented", 1, lambda x: x)
    load(connection, file)
    assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
    connection.close()


def test_a_file_that_is_complete_is_kept_although_not_all_of_it_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (x)", "CREATE INDEX i ON t (x)", "INSERT INTO t VALUES (1)")
    monkeypatch.setattr(NewTables, "make_objects", lambda *_: None)
    words = ["database", str(source), "--prove", "-o", str(tmp_path / "e.json")]
    done = CliRunner().invoke(program_export, words)
    assert done.exit_code == 1 and "complete and kept, but NOT PROVEN" in done.stderr
    assert "The index i is only in the file." in done.stderr
    assert verify(tmp_path / "e.json").status == "complete"
    assert verify(tmp_path / "e.json").export.get("proven") is None
