"""A whole export goes back where it came from, into an empty database of its schema, and into a new file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export import RefusedError, Request, export, load, prove, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import RequestError, SourceError
from tests.support.databases.house import CHILD, PARENT, exported, made, rows

SCHEMA = [
    "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)",
    "CREATE TABLE none (x)",
    "CREATE VIRTUAL TABLE box USING rtree(id, low, high)",
    "CREATE VIRTUAL TABLE whole USING rtree_i32(id, low, high, +more)",
    "CREATE VIRTUAL TABLE words USING fts5(t, u)",
    "CREATE VIRTUAL TABLE old USING fts4(t)",
    "CREATE VIRTUAL TABLE found USING fts5(v, content='a', content_rowid='id')",
    "CREATE VIEW seen AS SELECT v FROM a",
]
ROWS = [
    "INSERT INTO a VALUES (1, 'one'), (9, 'gone')",
    "DELETE FROM a WHERE id = 9",
    "INSERT INTO box VALUES (5, 0.1, 1.7), (2, -3, 1e30)",
    "INSERT INTO whole VALUES (7, 1, 2, x'00ff')",
    "INSERT INTO words VALUES ('hello', NULL), ('hello', 'world')",
    "INSERT INTO old VALUES ('hello')",
    "INSERT INTO found (found) VALUES ('rebuild')",
    "ANALYZE",
]
HELD = [
    "SELECT * FROM a",
    "SELECT * FROM box ORDER BY id",
    "SELECT * FROM whole",
    "SELECT * FROM words",
    "SELECT * FROM old",
]
HELD.append("SELECT * FROM sqlite_sequence")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return made(tmp_path / "s.db", *SCHEMA, *ROWS)


def whole(source: Path, form: str) -> Path:
    layout = {"ndjson": "envelope"}.get(form, "rows")
    file = source.with_name(f"file.{form}")
    file.write_bytes(b"".join(export(source, Request(format=form, layout=layout))))
    return file


@pytest.mark.parametrize("form", ["programjson", "ndjson", "package", "sqlite"])
def test_every_row_is_unchanged_where_it_came_from_and_comes_into_its_schema(
    source: Path, tmp_path: Path, form: str
) -> None:
    file = whole(source, form)
    report = load(source, file)
    assert set(report.tables) == {"a", "none", "box", "whole", "words", "old"}
    assert all(table.unchanged == table.rows for table in report.tables.values())
    target = made(tmp_path / "t.db", *SCHEMA)
    assert load(target, file).total("insert") == 7
    for sql in HELD:
        assert rows(target, sql) == rows(source, sql)
    for index in ("found MATCH 'one'", "words MATCH 'hello'", "old MATCH 'hello'"):
        table = index.partition(" ")[0]
        assert rows(target, f"SELECT rowid FROM {table} WHERE {index}") == rows(
            source, f"SELECT rowid FROM {table} WHERE {index}"
        )
    assert rows(target, "SELECT rtreecheck('box'), rtreecheck('whole')") == [("ok", "ok")]
    assert load(target, file).total("unchanged") == 7


def test_rows_of_an_r_tree_are_told_apart_by_their_id(source: Path) -> None:
    file = exported(source)
    made(source, "UPDATE box SET low = -1 WHERE id = 5", "DELETE FROM box WHERE id = 2")
    with pytest.raises(RefusedError, match="Row 2 of box is there already, with other values"):
        load(source, file)
    report = load(source, file, on_conflict="update").tables["box"]
    assert (report.insert, report.update) == (1, 1)
    assert rows(source, "SELECT id, low < 0.11 AND low > 0.09 FROM box ORDER BY id") == [(2, 0), (5, 1)]


def test_a_counter_is_raised_and_never_lowered(source: Path, tmp_path: Path) -> None:
    file = exported(source)
    target = made(tmp_path / "t.db", *SCHEMA)
    assert load(target, file, preview=True).tables["a"].counter == 9
    report = load(target, file)
    assert "New rows of a are counted on from 9." in [note.message for note in report.notes]
    made(target, "INSERT INTO a (v) VALUES ('ten')", "DELETE FROM a WHERE id = 10")
    assert load(target, file).tables["a"].counter is None
    assert rows(target, "SELECT seq FROM sqlite_sequence") == [(10,)]


def test_statistics_are_made_again_in_a_new_file(source: Path, tmp_path: Path) -> None:
    made(source, "CREATE INDEX i ON a (v)", "ANALYZE")
    load(tmp_path / "new.db", exported(source))
    told = "SELECT * FROM sqlite_stat1 WHERE tbl = 'a'"
    assert rows(tmp_path / "new.db", told) == rows(source, told) != []


def test_tables_of_the_file_are_left_out_on_request(source: Path, tmp_path: Path) -> None:
    made(source, PARENT, CHILD, "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES ('x', 1)", "CREATE INDEX ci ON c (p)")
    file = exported(source)
    report = load(tmp_path / "new.db", file, without=["BOX", "c"])
    assert "box of the file is left out, as was asked for." in [note.message for note in report.notes]
    kept = {name for (name,) in rows(tmp_path / "new.db", "SELECT name FROM sqlite_master")}
    assert "p" in kept and not kept & {"box", "c", "ci"}
    with pytest.raises(RequestError, match="There is no table nix in the file, to be left out"):
        load(tmp_path / "other.db", file, without=["nix"])
    orphans = load(tmp_path / "orphans.db", file, without=["p"])
    assert [(d.table, d.other_table, d.rows) for d in orphans.dangling] == [("c", "p", 1)]
    target = made(tmp_path / "t.db", *[sql for sql in SCHEMA if "box" not in sql], PARENT, CHILD)
    words = ["import", str(file), str(target), "--no-backup"]
    assert "The table box is not in the target" in CliRunner().invoke(program_export, words).output
    done = CliRunner().invoke(program_export, [*words, "--without", "box"])
    assert done.exit_code == 0, done.output


def test_rows_of_another_program_s_file_are_left_out_too(tmp_path: Path) -> None:
    target = made(tmp_path / "t.db", "CREATE TABLE t (x)")
    (tmp_path / "f.json").write_text(json.dumps({"t": [{"x": 1}], "unknown": [{"y": 1}]}))
    assert load(target, tmp_path / "f.json", without=["unknown"]).total("insert") == 1


def test_a_new_file_takes_references_that_the_export_says_lead_nowhere(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", PARENT, CHILD, "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES ('a', 1)")
    file = exported(source, table="c")
    assert [(d.other_table, d.rows) for d in load(tmp_path / "new.db", file).dangling] == [("p", 1)]
    with pytest.raises(RefusedError, match="allow_dangling"):
        load(made(tmp_path / "t.db", PARENT, CHILD), file)


@pytest.mark.parametrize(
    "statement", ["PRAGMA user_version = 7", "CREATE TABLE t (x)", "CREATE VIEW v AS SELECT 1 AS x"]
)
@pytest.mark.parametrize("form", ["programjson", "ndjson", "package", "sqlite", "sql", "csv", "tsv"])
def test_what_is_empty_is_a_good_file_in_every_format(statement: str, form: str, tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", statement, journal="delete")
    file = whole(source, form)
    if form in ("csv", "tsv") and "TABLE" in statement:
        assert file.read_bytes() == b"x\r\n" or file.read_bytes() == b"x\n"
        return
    assert verify(file).status == "complete" and verify(file).rows == 0
    assert prove(file).proven
    load(tmp_path / "new.db", file)
    told = ["SELECT type, name, sql FROM sqlite_master", "PRAGMA user_version"]
    assert [rows(tmp_path / "new.db", sql) for sql in told] == [rows(source, sql) for sql in told]


def test_an_empty_table_as_lines_goes_into_its_table(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (x)")
    (tmp_path / "t.ndjson").write_bytes(b"".join(export(source, Request(table="t", format="ndjson"))))
    report = load(source, tmp_path / "t.ndjson", table="t")
    assert report.tables["t"].rows == 0 and report.layout == "lines of rows, of which there are none"
    with pytest.raises(RefusedError, match="The file is empty"):
        load(source, tmp_path / "t.ndjson")


def test_a_database_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)", journal="delete")
    content = bytearray(source.read_bytes())
    content[4096:4100] = b"\xff\xff\xff\xff"
    source.write_bytes(content)
    with pytest.raises(SourceError, match="nothing in s that can be exported. t: .* malformed"):
        b"".join(export(source, Request()))
