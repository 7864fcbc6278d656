"""A file of this program into a new database goes straight in, or the usual way: with the same database and report."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import RefusedError, Request, Settings, export, load
from datasette_program_export.importing import importer
from datasette_program_export.importing.progress import ImportProgress
from datasette_program_export.importing.report import ImportReport

TABLES = """
CREATE TABLE parents (id TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, twice AS (name || name));
CREATE TABLE children (id INTEGER PRIMARY KEY AUTOINCREMENT, parent TEXT REFERENCES parents (id), data BLOB, n NUMERIC);
CREATE TABLE loose (a, b REAL, c);
CREATE TABLE dense (a INT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE INDEX by_parent ON children (parent, n DESC);
CREATE VIEW both_of AS SELECT * FROM parents JOIN children ON parent = parents.id;
CREATE TRIGGER told AFTER INSERT ON parents BEGIN INSERT INTO loose VALUES (new.id, 0, 0); END;
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES)
        for i in range(300):
            connection.execute("INSERT INTO parents VALUES (?, ?)", [f"{i * 7919 % 1000:03}", f"name {i}"])
            connection.execute("INSERT INTO children (parent, data, n) VALUES (?, ?, ?)", [f"{i:03}", b"\0\xff", i / 2])
            connection.execute("INSERT INTO dense VALUES (?, ?)", [i, str(i % 7)])
        connection.execute("INSERT INTO loose VALUES (NULL, '', x''), (1, 1, '1'), (-0.0, 9e999, 1.5)")
        connection.execute("DELETE FROM children WHERE id > 290")
    return path


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which ways imports went: "straight", or "back" from there, or nothing for one that did not try."""
    taken: list[str] = []
    straight = importer.import_straight

    def noted(*given: Any) -> ImportReport | None:
        found = straight(*given)
        taken.append("back" if found is None else "straight")
        return found

    monkeypatch.setattr(importer, "import_straight", noted)
    return taken


def written(source: Path, file: Path, **asked: Any) -> Path:
    file.write_bytes(b"".join(export(source, Request(**{"format": "programjson", **asked}))))
    return file


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return list(connection.iterdump())


@pytest.mark.parametrize("form", ["programjson", "ndjson", "package", "sqlite", "sql", "xml", "yaml"])
def test_the_database_and_the_report_are_those_of_the_usual_way(
    form: str, source: Path, tmp_path: Path, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"layout": "envelope"} if form == "ndjson" else {}
    file = written(source, tmp_path / "file", format=form, **asked)
    straight = load(tmp_path / "straight.db", file)
    assert ways == ["straight"]
    monkeypatch.setattr(importer, "goes_straight", lambda *_: False)
    usual = load(tmp_path / "usual.db", file)
    assert ways == ["straight"]
    assert content(tmp_path / "straight.db") == content(tmp_path / "usual.db") == content(source)
    assert straight == usual.model_copy(update={"target": "straight.db"})


@pytest.mark.parametrize("rule", ["CHECK (value < 5)", "NOT NULL"])
def test_a_row_that_breaks_a_rule_is_told_by_the_usual_way(rule: str, tmp_path: Path, ways: list[str]) -> None:
    source = tmp_path / "source.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, value INTEGER)")
        connection.executemany("INSERT INTO numbers (value) VALUES (?)", [(i if i else None,) for i in range(300)])
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'value INTEGER', 'value INTEGER ' || ?)", [rule]
        )
    progress = ImportProgress()
    file = written(source, tmp_path / "file")
    if rule == "NOT NULL":
        with pytest.raises(RefusedError, match="Row .* of numbers"):
            load(tmp_path / "new.db", file, watch=progress)
        assert not (tmp_path / "new.db").exists()
    else:
        (note,) = load(tmp_path / "new.db", file, watch=progress).notes
        assert note.kind == "check" and note.message.startswith("100 or more rows break a rule (CHECK) of numbers")
    assert ways == ["back"]
    assert progress.rows == 300  # not twice


def test_a_file_that_was_cut_is_told_by_the_usual_way(source: Path, tmp_path: Path, ways: list[str]) -> None:
    file = written(source, tmp_path / "file")
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(RefusedError, match="cut"):
        load(tmp_path / "new.db", file)
    assert ways == ["back"] and not (tmp_path / "new.db").exists()


@pytest.mark.parametrize(
    "choices", [{"without": ["parents"]}, {"preview": True}, {"map": {"a": "b"}}, {"leave_out_bad_rows": True}]
)
def test_who_chooses_anything_goes_the_usual_way(
    choices: dict[str, Any], source: Path, tmp_path: Path, ways: list[str]
) -> None:
    file = written(source, tmp_path / "file")
    with suppress(RefusedError):
        load(tmp_path / "new.db", file, **choices)
    assert ways == []


def test_a_database_that_is_there_is_compared_with(source: Path, tmp_path: Path, ways: list[str]) -> None:
    file = written(source, tmp_path / "file")
    load(tmp_path / "new.db", file)
    sqlite3.connect(tmp_path / "empty.db").close()
    load(tmp_path / "empty.db", file)
    report = load(tmp_path / "new.db", file)
    assert ways == ["straight"] and report.total("unchanged") == report.total("insert") + report.total("unchanged")


def test_references_of_settings_are_told(source: Path, tmp_path: Path, ways: list[str]) -> None:
    settings = Settings(
        virtual_foreign_keys=[{"table": "dense", "columns": ["a"], "other_table": "children", "other_columns": ["id"]}]
    )
    file = written(source, tmp_path / "file")
    told = load(tmp_path / "new.db", file, settings=settings).notes
    assert ways == ["straight"]
    assert any("dense refer" in note.message for note in told)


def test_what_ends_the_import_leaves_nothing(source: Path, tmp_path: Path) -> None:
    class Stopping(ImportProgress):
        def cancelled(self) -> bool:
            return self.rows > 0

    file = written(source, tmp_path / "file")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Exception, match="cancelled"):
        load(tmp_path / "new.db", file, watch=Stopping())
    assert sorted(tmp_path.iterdir()) == before


def test_a_value_that_its_column_would_change_is_told(tmp_path: Path, ways: list[str]) -> None:
    """A column got its type after its rows, behind SQLite's back: there are values that it does not store so."""
    source = tmp_path / "source.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, i, r, t, day)")
        connection.execute(
            "INSERT INTO t VALUES (1, '12', 1, 5, '2026-11-30'), (2, 'a', 1.5, 'b', 'x'), (3, 1.0, 0, 0, 1)"
        )
        connection.execute("PRAGMA writable_schema = ON")
        types = "CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, day DATE)"
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 't'", [types])
    file = written(source, tmp_path / "file")
    report = load(tmp_path / "new.db", file)
    assert ways == ["back"]
    assert {note.column: note.message for note in report.notes} == {
        "i": "1 values of t.i become what its type is in the target (text or number).",
        "t": "2 values of t.t become what its type is in the target (text or number).",
    }
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'i INTEGER', 'i')")
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("UPDATE t SET i = '012' WHERE id = 1")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 't'", [types])
    with pytest.raises(RefusedError, match=r"Row 1 of t: i would be changed by the type"):
        load(tmp_path / "other.db", written(source, tmp_path / "file"))


def test_a_workbook_that_a_person_changed_is_judged_by_the_usual_way(
    source: Path, tmp_path: Path, ways: list[str]
) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    file = written(source, tmp_path / "file.xlsx", format="xlsx")
    book = openpyxl.load_workbook(file)
    book["parents"]["B2"] = "another name"
    book.save(file)
    assert load(tmp_path / "new.db", file).ok
    assert ways == ["back"]
