"""What left comes back, as the preview says: which rows are the same, which win, what stays as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import ImportReport, RefusedError, load
from tests.support.databases.house import exported, made, rows
from tests.support.files.changing import state


def test_a_new_database_is_the_old_one(house: Path, tmp_path: Path) -> None:
    """Tables, rows, indexes, views, triggers, generated columns, sequences, the database's own numbers."""
    report = load(tmp_path / "new.db", exported(house, secrets="include"))
    assert report.status == "imported" and report.new_database
    assert state(tmp_path / "new.db") == state(house)
    with closing(sqlite3.connect(tmp_path / "new.db")) as new:
        assert new.execute("INSERT INTO a (k) VALUES ('next') RETURNING id").fetchone() == (3,)  # 2 was given before
        assert new.execute("SELECT typeof(y), hex(z) FROM w ORDER BY x, y").fetchall()[1:] == [
            ("text", ""),
            ("real", ""),
        ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["house.db", "house.json", "new.db"]


def test_an_empty_database_gets_the_tables_too(house: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    load(tmp_path / "empty.db", exported(house, secrets="include"))
    assert state(tmp_path / "empty.db") == state(house)


def test_a_preview_makes_no_file(house: Path, tmp_path: Path) -> None:
    report = load(tmp_path / "new.db", exported(house), preview=True)
    assert report.status == "preview" and report.tables["w"].insert == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["house.db", "house.json"]


def test_the_same_file_twice_changes_nothing(house: Path) -> None:
    """Also where the rows' keys are equal by collation, where rows have no key, and for -0.0."""
    before = state(house)
    report = load(house, exported(house))
    assert report.total("unchanged") == report.total("rows") == 5
    assert state(house) == before
    assert report.safety_copy is None and not list(house.parent.rglob("*before-import*"))


def test_rows_without_a_key_are_counted(tmp_path: Path) -> None:
    source = made(
        tmp_path / "s.db", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1), (1), (1.0), ('1'), (NULL), (NULL)"
    )
    target = made(tmp_path / "t.db", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1), (NULL), (x'31'), (0.0)")
    report = load(target, exported(source))
    assert (report.tables["t"].unchanged, report.tables["t"].insert) == (2, 4)
    found = rows(target, "SELECT typeof(x), count(*) FROM t GROUP BY 1 ORDER BY 1")
    assert found == [("blob", 1), ("integer", 2), ("null", 2), ("real", 2), ("text", 1)]


def test_a_value_of_another_storage_class_is_another_value(tmp_path: Path) -> None:
    made_so = "CREATE TABLE t (id INTEGER PRIMARY KEY, x)"
    source = made(tmp_path / "s.db", made_so, "INSERT INTO t VALUES (1, 1), (2, 'a'), (3, NULL)")
    target = made(tmp_path / "t.db", made_so, "INSERT INTO t VALUES (1, 1.0), (2, x'61'), (3, NULL)")
    report = load(target, exported(source), on_conflict="update")
    assert (report.tables["t"].update, report.tables["t"].unchanged) == (2, 1)
    assert rows(target, "SELECT typeof(x) FROM t") == [("integer",), ("text",), ("null",)]


def test_rows_are_told_apart_as_the_key_collates_not_its_column(tmp_path: Path) -> None:
    made_so = "CREATE TABLE t (id TEXT, x, PRIMARY KEY (id COLLATE NOCASE))"
    source = made(tmp_path / "s.db", made_so, "INSERT INTO t VALUES ('a', 1), ('b', 2)")
    target = made(tmp_path / "t.db", made_so, "INSERT INTO t VALUES ('A', 1)")
    report = load(target, exported(source), on_conflict="update")
    assert (report.tables["t"].update, report.tables["t"].insert) == (1, 1)
    assert rows(target, "SELECT * FROM t") == [("a", 1), ("b", 2)]


def test_minus_zero_is_another_value(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, -0.0)")
    target = made(tmp_path / "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, 0.0)")
    report = load(target, exported(source), on_conflict="update")
    assert report.tables["t"].update == 1
    assert str(rows(target, "SELECT x FROM t")) == "[(-0.0,)]"


def test_what_is_there_otherwise_stops_the_import_and_is_shown_side_by_side(house: Path) -> None:
    file = exported(house)
    with closing(sqlite3.connect(house)) as target:
        target.execute("DROP TRIGGER stamp")
        target.execute("UPDATE a SET size = 9, password = 'hidden'")
        target.commit()
    before = state(house)
    with pytest.raises(RefusedError, match="there already, with other values") as refused:
        load(house, file)
    report: ImportReport = refused.value.report
    assert state(house) == before and report.tables["a"].conflict == 1
    (one,) = report.tables["a"].samples
    assert one.key == {"id": 1}
    assert [(d.column, d.target, d.file) for d in one.differences] == [("size", 9, 2)]
    assert report.findings[0].table == "a" and report.findings[0].row == 1


def test_a_secret_that_was_left_out_stays_as_it_is(house: Path) -> None:
    file = exported(house)
    for policy in ("update", "replace"):
        with closing(sqlite3.connect(house)) as target:
            target.execute("UPDATE a SET password = 'hidden', size = 9")
            target.commit()
        assert load(house, file, on_conflict=policy).tables["a"].update == 1
        assert rows(house, "SELECT password, size FROM a") == [("hidden", 2)]


def test_a_secret_is_shown_in_no_sample(house: Path) -> None:
    file = exported(house, secrets="include")
    with closing(sqlite3.connect(house)) as target:
        target.execute("UPDATE a SET password = 'hidden'")
        target.commit()
    report = load(house, file, preview=True)
    assert report.tables["a"].conflict == 1 and "hidden" not in report.model_dump_json()


def test_policies_differ_by_table(house: Path) -> None:
    file = exported(house)
    with closing(sqlite3.connect(house)) as target:
        target.execute("UPDATE a SET size = 9")
        target.execute("UPDATE b SET a = NULL")
        target.commit()
    report = load(house, file, on_conflict="skip", on_conflict_for={"B": "update"})
    assert (report.tables["a"].skip, report.tables["b"].update) == (1, 1)
    assert rows(house, "SELECT size FROM a") == [(9,)] and rows(house, "SELECT a FROM b") == [("z",)]


def test_triggers_are_off_unless_asked_and_there_afterwards(house: Path) -> None:
    file = exported(house)
    with closing(sqlite3.connect(house)) as target:
        target.execute("DELETE FROM a")
        target.commit()
    before = rows(house, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 2")
    load(house, file, on_conflict="update")
    assert rows(house, "SELECT * FROM log") == [] and rows(house, "SELECT stamp FROM a") == [("s",)]
    with closing(sqlite3.connect(house)) as target:
        target.execute("DELETE FROM a")
        target.commit()
    load(house, file, on_conflict="update", triggers=True)
    assert rows(house, "SELECT * FROM log") == [("Z",)]
    after = rows(house, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 2")
    assert after == before


def test_rows_that_a_trigger_keeps_out_are_told(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    keeper = "CREATE TRIGGER k BEFORE INSERT ON t WHEN new.id = 2 BEGIN SELECT RAISE(IGNORE); END"
    target = made(tmp_path / "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)", keeper)
    with pytest.raises(RefusedError, match="keeps rows out"):
        load(target, exported(source), triggers=True)
    assert rows(target, "SELECT * FROM t") == []


CYCLE = (
    "CREATE TABLE x (id INTEGER PRIMARY KEY, y NOT NULL REFERENCES y)",
    "CREATE TABLE y (id INTEGER PRIMARY KEY, x NOT NULL REFERENCES x)",
    "INSERT INTO x VALUES (1, 1)",
    "INSERT INTO y VALUES (1, 1)",
)


def test_tables_may_refer_to_each_other(tmp_path: Path) -> None:
    load(tmp_path / "new.db", exported(made(tmp_path / "s.db", *CYCLE)))
    assert rows(tmp_path / "new.db", "SELECT * FROM x, y") == [(1, 1, 1, 1)]


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_databases_of_another_encoding(house: Path, tmp_path: Path, encoding: str) -> None:
    source = made(
        tmp_path / "s.db", f"PRAGMA encoding='{encoding}'", "CREATE TABLE t (id INTEGER PRIMARY KEY, x)",
        "INSERT INTO t VALUES (1, 'ä𝄞'), (2, 'Ø'), (3, '')", journal="delete",
    )  # fmt: skip
    file = exported(source)
    load(tmp_path / "new.db", file)
    assert rows(tmp_path / "new.db", "SELECT hex(CAST(x AS BLOB)) FROM t") == rows(
        source, "SELECT hex(CAST(x AS BLOB)) FROM t"
    )
    assert rows(tmp_path / "new.db", "PRAGMA encoding") == [(encoding,)]
    target = made(tmp_path / "utf8.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
    load(target, file)
    assert load(source, exported(target), preview=True).total("unchanged") == 3


def test_texts_that_are_not_utf8_come_back_byte_for_byte(tmp_path: Path) -> None:
    source = made(
        tmp_path / "s.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)",
        "INSERT INTO t VALUES (1, CAST(x'41ff00' AS TEXT)), (2, 'a' || char(0) || 'b')",
    )
    load(tmp_path / "new.db", exported(source))
    query = "SELECT typeof(x), hex(CAST(x AS BLOB)) FROM t"
    assert rows(tmp_path / "new.db", query) == rows(source, query) == [("text", "41FF00"), ("text", "610062")]


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_texts_that_sqlite_would_change_come_back_in_a_database_of_utf16(tmp_path: Path, encoding: str) -> None:
    """Half of a surrogate pair, and the two characters that SQLite replaces when it makes UTF-16 of UTF-8."""
    texts = ("ab\ud800", "a\ufffeb", "a\uffffb", "b")
    as_hex = [text.encode(encoding, "surrogatepass").hex().upper() for text in texts]
    source = made(
        tmp_path / "s.db",
        f"PRAGMA encoding='{encoding}'",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)",
        *(f"INSERT INTO t (x) VALUES (CAST(x'{text}' AS TEXT))" for text in as_hex),
        journal="delete",
    )
    file = exported(source)
    load(tmp_path / "new.db", file)
    assert rows(tmp_path / "new.db", "SELECT hex(CAST(x AS BLOB)) FROM t") == [(text,) for text in as_hex]
    assert load(source, file, preview=True).total("unchanged") == 4
