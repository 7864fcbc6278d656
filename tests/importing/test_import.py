"""What left comes back: all or nothing, as the preview says, and nothing else is changed."""

from __future__ import annotations

import inspect
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import ImportReport, RefusedError, Request, export, load, prove
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import BusyError, NotFoundError, RequestError, SourceError
from datasette_program_export.importing.staging.new_tables import NewTables
from tests.support.databases.building import database
from tests.support.files.changing import digests, resealed, state
from tests.support.sites.server import make_datasette

HOUSE = (
    "CREATE TABLE log (word)",
    """CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, k TEXT COLLATE NOCASE UNIQUE CHECK (k <> ''),
       password TEXT, size INT DEFAULT (1 + 1), stamp TEXT)""",
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a (k) ON DELETE CASCADE, twice AS (id * 2))",
    "CREATE TABLE w (x TEXT COLLATE NOCASE, y ANY, z BLOB, PRIMARY KEY (x, y)) STRICT, WITHOUT ROWID",
    "CREATE INDEX b_a ON b (a COLLATE NOCASE) WHERE a IS NOT NULL",
    "CREATE VIEW names AS SELECT a.k, b.id FROM a JOIN b ON b.a = a.k",
    "INSERT INTO a (k, stamp) VALUES ('Z', 's'), ('gone', 's')",
    "DELETE FROM a WHERE k = 'gone'",
    "INSERT INTO b VALUES (1, 'z')",
    "INSERT INTO w VALUES ('p', 1, x'00ff'), ('P', '1', NULL), ('q', -0.0, x'')",
    "CREATE TRIGGER stamp AFTER UPDATE ON a BEGIN UPDATE a SET stamp = 'now' WHERE id = new.id; END",
    "CREATE TRIGGER to_log AFTER INSERT ON a BEGIN INSERT INTO log VALUES (new.k); END",
    "CREATE TRIGGER into_names INSTEAD OF INSERT ON names BEGIN INSERT INTO a (k) VALUES (new.k); END",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = -3",
)


def made(path: Path, *statements: str, journal: str = "wal") -> Path:
    database(path, *statements, journal=journal).close()
    return path


def exported(source: Path, **how: Any) -> Path:
    file = source.with_suffix(".json")
    file.write_bytes(b"".join(export(source, Request(**how))))
    return file


def rows(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return made(tmp_path / "house.db", *HOUSE)


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


PARENT = "CREATE TABLE p (id INTEGER PRIMARY KEY)"
CHILD = "CREATE TABLE c (id TEXT PRIMARY KEY, p REFERENCES p) WITHOUT ROWID"


def test_a_reference_may_lead_to_the_file_or_the_target(tmp_path: Path) -> None:
    insert = ("INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES ('a', 1), ('b', 2)")
    source = made(tmp_path / "s.db", PARENT, CHILD, *insert)
    target = made(tmp_path / "t.db", PARENT, CHILD, "INSERT INTO p VALUES (1)")
    children = exported(source, table="c")
    with pytest.raises(RefusedError, match="Row 2 of c: p refers to a row of p") as refused:
        load(target, children)
    (finding,) = refused.value.report.findings
    assert (finding.kind, finding.table, finding.column, finding.row) == ("reference", "c", "p", 2)
    assert rows(target, "SELECT * FROM c") == []
    report = load(target, children, allow_dangling=True)
    assert [(d.table, d.columns, d.other_table, d.rows) for d in report.dangling] == [("c", ["p"], "p", 1)]


def test_only_what_the_file_announced_may_dangle(tmp_path: Path) -> None:
    """A file whose parent is in it announces nothing, so it cannot be let in where the parent is refused."""
    target = made(tmp_path / "t.db", PARENT, CHILD)
    (tmp_path / "f.json").write_text(json.dumps({"c": [{"id": "a", "p": 7}]}))
    with pytest.raises(RefusedError, match="neither in the file nor in the target"):
        load(target, tmp_path / "f.json", allow_dangling=True)


def test_what_dangled_before_is_no_reason_to_refuse(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", PARENT, CHILD, "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES ('a', 1)")
    target = made(tmp_path / "t.db", PARENT, CHILD, "INSERT INTO c VALUES ('old', 9)")
    load(target, exported(source))
    assert rows(target, "SELECT id FROM c ORDER BY 1") == [("a",), ("old",)]


def test_an_update_that_orphans_a_child_of_the_target_is_refused(tmp_path: Path) -> None:
    """No cascade repairs it, and none deletes: foreign keys are judged at the end, as a whole."""
    both = (
        "CREATE TABLE p (id INTEGER PRIMARY KEY, k UNIQUE)",
        "CREATE TABLE c (p REFERENCES p (k) ON UPDATE CASCADE)",
    )
    source = made(tmp_path / "s.db", *both, "INSERT INTO p VALUES (1, 'new')")
    target = made(tmp_path / "t.db", *both, "INSERT INTO p VALUES (1, 'old')", "INSERT INTO c VALUES ('old')")
    before = state(target)
    with pytest.raises(RefusedError, match="A row of c that is there already"):
        load(target, exported(source, table="p"), on_conflict="update")
    assert state(target) == before


CYCLE = (
    "CREATE TABLE x (id INTEGER PRIMARY KEY, y NOT NULL REFERENCES y)",
    "CREATE TABLE y (id INTEGER PRIMARY KEY, x NOT NULL REFERENCES x)",
    "INSERT INTO x VALUES (1, 1)",
    "INSERT INTO y VALUES (1, 1)",
)


def test_tables_may_refer_to_each_other(tmp_path: Path) -> None:
    load(tmp_path / "new.db", exported(made(tmp_path / "s.db", *CYCLE)))
    assert rows(tmp_path / "new.db", "SELECT * FROM x, y") == [(1, 1, 1, 1)]


@pytest.mark.parametrize(
    ("table", "row", "kind", "words"),
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x NOT NULL)", {"id": 5}, "not_null", "Row 1 of t: x needs a value."),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x CHECK (x > 0))", {"x": -1}, "check", "Row 1 of t breaks a rule"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x UNIQUE)", {"id": 2, "x": "old"}, "unique", "Row 1 of t: x must be"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x INT) STRICT", {"x": "no"}, "type", "Row 1 of t: x is no number"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB) STRICT", {"x": "no"}, "type", "Row 1 of t: x is of a type"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x)", {"id": "no"}, "type", "Row 1 of t: id is no number"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL)", {"x": 2**53 + 1}, "type", "Row 1 of t: x would be changed"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x INT)", {"x": "007"}, "type", "Row 1 of t: x would be changed"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x)", {"x": 2**63}, "value", "x holds a value that SQLite cannot"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, x)", {"x": 1}, "key", "Row 1 of t: id is missing"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, x)", {"id": None}, "key", "Row 1 of t: id is empty"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, x JSON)", {"x": "{"}, "json", "Row 1 of t: x is not valid JSON"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY)", {"x": 1}, "column", "t has no column x in the target"),
        ("CREATE VIEW t AS SELECT 1 AS x", {"x": 1}, "table", "The table t is a view"),
        ("CREATE TABLE u (x)", {"x": 1}, "table", "The table t is not in the target"),
    ],
)
def test_a_finding_says_where_and_why(table: str, row: dict, kind: str, words: str, tmp_path: Path) -> None:
    target = made(tmp_path / "t.db", table)
    if kind == "unique":
        made(target, "INSERT INTO t VALUES (1, 'old')")
    (tmp_path / "f.json").write_text(json.dumps({"t": [row]}))
    before = state(target)
    report = load(target, tmp_path / "f.json", preview=True)
    assert report.status == "refused"
    assert report.findings[0].kind == kind and words in report.findings[0].message
    assert report.findings[0].table == "t"
    with pytest.raises(RefusedError) as refused:
        load(target, tmp_path / "f.json")
    assert refused.value.report.findings == report.findings
    assert state(target) == before and not list(tmp_path.rglob("*before-import*"))


def test_every_bad_row_is_found_not_only_the_first(tmp_path: Path) -> None:
    target = made(tmp_path / "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x UNIQUE, y NOT NULL)")
    found = [{"id": n, "x": n % 50, "y": None if n % 10 == 0 else 1} for n in range(1, 101)]
    (tmp_path / "f.json").write_text(json.dumps({"t": found}))
    report = load(target, tmp_path / "f.json", preview=True)
    assert report.bad_rows == 55  # 10 without y; of the others, 45 whose x is that of an earlier row
    assert {f.row for f in report.findings if f.kind == "not_null"} == set(range(10, 101, 10))
    assert [f.message for f in report.findings][-1] == "25 more of this kind."


def test_a_key_twice_in_the_file_is_told_with_both_rows(tmp_path: Path) -> None:
    target = made(tmp_path / "t.db", "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY)")
    (tmp_path / "f.json").write_text(json.dumps({"t": [{"id": "a"}, {"id": "b"}, {"id": "A"}]}))
    with pytest.raises(RefusedError, match="Row 3 of t: id is the same as in row 1 of the file"):
        load(target, tmp_path / "f.json")


def test_a_value_that_a_column_would_change_without_loss_is_told_as_a_note(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, 5)")
    target = made(tmp_path / "t.db", "CREATE TABLE t (id VARCHAR PRIMARY KEY, x REAL)")
    report = load(target, exported(source))
    assert rows(target, "SELECT typeof(id), typeof(x) FROM t") == [("text", "real")]
    assert [n.message for n in report.notes] == [
        "1 values of t.id become what its type is in the target (text or number)."
    ]


HARM = [
    ("sql", "CREATE TABLE t (id); DROP TABLE t", "does more"),
    ("sql", "ATTACH 'x.db' AS x", "does more"),
    ("sql", "PRAGMA user_version = 1", "does more"),
    ("sql", "CREATE TABLE t AS SELECT 1 AS id", "does more"),
    ("sql", "CREATE TABLE other (id)", "does more"),
    ("sql", "CREATE TEMP TABLE t (id)", "does more"),
    ("sql", "CREATE VIEW t AS SELECT 1 AS id", "does more"),
    ("sql", "CREATE VIRTUAL TABLE t USING fts5(id)", "does more"),
    ("sql", "CREATE TABLE t (id, x AS (load_extension('x')))", "does more"),
    ("sql", "INSERT INTO t VALUES (1)", "no such table"),
    ("trigger", "CREATE TRIGGER o AFTER INSERT ON t BEGIN SELECT load_extension('x'); END", "more than read"),
    ("trigger", "CREATE TRIGGER o AFTER INSERT ON t BEGIN DELETE FROM sqlite_master; END", "more than read"),
    ("trigger", "CREATE TRIGGER p AFTER INSERT ON t BEGIN SELECT 1; END", "does more"),
    ("view", "CREATE VIEW o AS SELECT load_extension('x') FROM t", "more than read"),
    ("index", "CREATE INDEX o ON t (fts3_tokenizer(id))", "does more"),
    ("index", "DROP TABLE t", "does more"),
    ("table", "CREATE TABLE o (x)", "not as this program writes it"),
]


@pytest.mark.parametrize(("place", "sql", "words"), HARM, ids=[h[1][:50] for h in HARM])
def test_statements_of_a_file_can_do_no_harm(place: str, sql: str, words: str, tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", "CREATE TABLE t (id)", "INSERT INTO t VALUES (1)")
    file = tmp_path / "f.json"
    document = export(source, Request())
    with document:
        text = b"".join(document).decode()
    schema = json.loads(text)["schema"]
    evil = json.loads(text)["schema"]
    if place == "sql":
        evil["tables"]["t"]["sql"] = sql
    else:
        evil["objects"] = [{"type": place, "name": "o", "table": "t", "sql": sql}]
    compact = {"separators": (",", ":"), "ensure_ascii": False}
    assert json.dumps(schema, **compact) in text
    text = text.replace(json.dumps(schema, **compact), json.dumps(evil, **compact))
    file.write_text(resealed(text))
    with pytest.raises(RefusedError, match=words) as refused:
        load(tmp_path / "new.db", file)
    assert "DROP" not in str(refused.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.json", "s.db"]


def test_views_and_triggers_of_a_file_are_made_only_in_a_new_database(house: Path, tmp_path: Path) -> None:
    target = made(tmp_path / "t.db", *(s for s in HOUSE if s.startswith("CREATE TABLE")))
    report = load(target, exported(house))
    assert report.total("insert") == 5 and not report.new_database
    assert rows(target, "SELECT count(*) FROM sqlite_master WHERE type IN ('view', 'trigger')") == [(0,)]


def test_a_connection_can_be_handed_in_and_gets_back_as_it_was(house: Path, tmp_path: Path) -> None:
    """As a server's write connection: its settings, its row factory, its own functions."""
    file = exported(house)
    with closing(sqlite3.connect(made(tmp_path / "t.db", *HOUSE[:5]))) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA recursive_triggers=ON")
        before = (connection.row_factory, connection.text_factory)
        report = load(connection, file, backup=False)
        assert report.ok and not connection.in_transaction
        assert (connection.row_factory, connection.text_factory) == before
        pragmas = ("foreign_keys", "recursive_triggers", "trusted_schema", "automatic_index")
        assert [connection.execute(f"PRAGMA {p}").fetchone()[0] for p in pragmas] == [1, 1, 1, 1]
        assert [tuple(row)[1] for row in connection.execute("PRAGMA database_list")] == ["main", "temp"]
        assert connection.execute("SELECT count(*) FROM temp.sqlite_master").fetchone()[0] == 0
        assert tuple(connection.execute("SELECT count(*) FROM w").fetchone()) == (3,)
        connection.execute("BEGIN")
        with pytest.raises(SourceError, match="inside a transaction"):
            load(connection, file)


def test_a_database_in_memory(house: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        load(connection, exported(house))
        assert connection.execute("SELECT count(*) FROM w").fetchone() == (3,)
        connection.execute("DELETE FROM w")
        connection.commit()
        assert load(connection, exported(house)).tables["w"].insert == 3


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


@pytest.mark.parametrize(("rule", "policy"), [("", "fail"), ("", "update"), ("UNIQUE", "fail")])
def test_a_disk_that_is_full_is_told_as_the_reason(tmp_path: Path, rule: str, policy: str) -> None:
    """At some statements SQLite rolls back all of the transaction then, savepoints and all."""
    many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000) INSERT INTO t SELECT n, "
    tables = f"CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT {rule})"
    file = exported(made(tmp_path / "s.db", tables, f"{many} hex(n) || 'a long text, so that it fills pages' FROM c"))
    target = made(tmp_path / "t.db", tables, *([f"{many} 'old ' || n FROM c"] if policy == "update" else []))
    with closing(sqlite3.connect(target)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        before = connection.execute("SELECT * FROM t").fetchall()
        connection.execute(f"PRAGMA max_page_count={pages + 3}")
        with pytest.raises(SourceError, match="cannot take the import: database or disk is full"):
            load(connection, file, on_conflict=policy, backup=False)
        assert connection.execute("SELECT * FROM t").fetchall() == before
        assert not connection.in_transaction


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_failing_import_and_a_preview_leave_every_byte(house: Path, tmp_path: Path, journal: str) -> None:
    """The file is the same, byte by byte; so is the -wal of a database that somebody has open."""
    target = made(tmp_path / "t.db", *HOUSE, journal=journal)
    file = exported(house)
    with closing(sqlite3.connect(target)) as other:
        other.execute("UPDATE a SET size = 9")
        other.commit()
        before = digests(target)
        assert load(target, file, preview=True).status == "refused"
        with pytest.raises(RefusedError):
            load(target, file)
        load(target, file, on_conflict="update", preview=True)
        assert digests(target) == before
    assert not list(tmp_path.rglob("*before-import*"))


def test_a_database_that_is_being_written_to_is_waited_for_then_refused(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasette_program_export.importing.target._WAIT", 0.05)
    file = exported(house)
    with closing(sqlite3.connect(house, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="locked"):
            load(house, file)


def test_the_safety_copy_brings_everything_back_also_what_is_still_in_the_wal(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    with closing(sqlite3.connect(house)) as other:  # keeps the -wal from being moved into the file
        other.execute("UPDATE a SET size = 9")
        other.commit()
        before = state(house)
        report = load(house, file, on_conflict="update")
        assert report.safety_copy and state(house) != before
        assert state(Path(report.safety_copy)) == before
        assert Path(report.safety_copy).stat().st_mode & 0o777 == 0o600
        assert report.restore == f"datasette program-export restore {report.safety_copy} {house}"
        done = CliRunner().invoke(program_export, report.restore.split()[2:])
        assert done.exit_code == 0, done.output
        assert other.execute("SELECT size FROM a").fetchall() == [(9,)]
    assert state(house) == before and rows(house, "PRAGMA journal_mode") == [("wal",)]


def test_a_safety_copy_replaces_nothing_and_can_be_left_out(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    (tmp_path / "kept.db").write_text("mine")
    with pytest.raises(RequestError, match="replaces nothing"):
        load(house, file, backup=tmp_path / "kept.db")
    with closing(sqlite3.connect(house)) as target:
        target.execute("DELETE FROM w")
        target.commit()
    assert load(house, file, backup=False).safety_copy is None
    with closing(sqlite3.connect(house)) as target:
        target.execute("DELETE FROM w")
        target.commit()
    assert load(house, file, backup=tmp_path / "copy.db").safety_copy == str(tmp_path / "copy.db")
    assert rows(tmp_path / "copy.db", "SELECT count(*) FROM w") == [(0,)]


def test_wrong_questions_are_wrong_usage(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    for how, words in (
        ({"on_conflict": "merge"}, "on_conflict"),
        ({"on_conflict_for": {"nix": "skip"}}, "There is no table nix"),
        ({"colour": "red"}, "colour"),
    ):
        with pytest.raises(RequestError, match=words):
            load(house, file, **how)
    with pytest.raises(NotFoundError):
        load(house, tmp_path / "nix.json")
    with pytest.raises(NotFoundError):
        load(tmp_path / "nix" / "new.db", file)
    (tmp_path / "text.db").write_text("no database, but a text that is long enough to be looked at " * 9)
    with pytest.raises(SourceError, match="not a database"):
        load(tmp_path / "text.db", file)


def cli(*words: Any) -> Any:
    return CliRunner().invoke(program_export, ["import", *map(str, words)])


def test_the_command_says_what_it_did(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    done = cli(file, tmp_path / "new.db", "--preview")
    assert done.exit_code == 0 and "nothing was changed" in done.output and "3 insert" in done.output
    assert cli(file, tmp_path / "new.db").exit_code == 0
    assert "3 unchanged" in cli(file, tmp_path / "new.db").output
    with closing(sqlite3.connect(house)) as target:
        target.execute("UPDATE a SET size = 9")
        target.commit()
    done = cli(file, house, "--preview")
    assert done.exit_code == 1 and "size: here 9, in the file 2" in done.output
    done = cli(file, house, "--on-conflict-for", "a=update", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["tables"]["a"]["update"] == 1
    assert cli(file, house, "--on-conflict-for", "update").exit_code == 2
    assert cli(file, house, "--backup", "x", "--no-backup").exit_code == 2
    assert cli(tmp_path / "nix", house).exit_code == 2


def test_importing_does_not_need_the_package_for_other_json(house: Path) -> None:
    file = exported(house)
    (house.parent / "f.json").write_text('{"a": []}')
    code = (
        "import sys; sys.modules['ijson'] = None\n"
        "from datasette_program_export import load\n"
        f"print(load({str(house)!r}, {str(file)!r}).status)\n"
        f"print(load({str(house)!r}, {str(house.parent / 'f.json')!r}, preview=True).findings[0].message)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "imported", done.stderr
    assert "pip install datasette-program-export[import]" in done.stdout


def test_a_file_proves_itself_by_being_imported(house: Path, tmp_path: Path) -> None:
    proof = prove(exported(house))
    assert proof.proven and proof.bytes > 0 and proof.problems == []
    assert all(table.same for table in proof.tables.values()) and len(proof.tables) == 4
    done = CliRunner().invoke(program_export, ["prove", str(exported(house))])
    assert done.exit_code == 0 and "proven" in done.output and "It cost" in done.output


@pytest.mark.parametrize(
    "how",
    [
        {"format": "programjson", "layout": "pretty"},
        {"format": "programjson", "compress": "zstd"},
        {"format": "ndjson", "layout": "envelope", "compress": "gzip"},
        {"format": "package"},
        {"format": "package", "members": "tsv"},
        {"format": "package", "members": "ndjson"},
    ],
    ids=str,
)
def test_the_demo_is_proven_in_every_form(how: dict, demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"".join(export(demo_file, Request(**how))))
    proof = prove(tmp_path / "file")
    assert proof.proven, proof.problems
    assert sum(table.rows for table in proof.tables.values()) == 912


def test_what_was_made_for_a_spreadsheet_is_neither_imported_nor_proven(demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"".join(export(demo_file, Request(format="package", dialect="spreadsheet"))))
    with pytest.raises(RefusedError, match="made for a spreadsheet"):
        load(tmp_path / "new.db", tmp_path / "file")
    assert not prove(tmp_path / "file").proven


def test_a_new_database_that_was_made_otherwise_is_not_proven(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof looks at the database, not at what the import says of itself."""
    file = exported(house)
    made_so = NewTables.make_objects

    def badly(self: NewTables, connection: sqlite3.Connection, findings: Any) -> None:
        made_so(self, connection, findings)
        connection.execute("UPDATE w SET z = x'01' WHERE x = 'q'")
        connection.execute("DROP INDEX b_a")

    monkeypatch.setattr(NewTables, "make_objects", badly)
    assert prove(file).problems == [
        "w: the database does not hold just the rows of the file.",
        "The index b_a is only in the file.",
    ]


def test_a_proof_counts_what_the_file_says_leads_nowhere(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", PARENT, CHILD, "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES ('a', 1)")
    proof = prove(exported(source, table="c"))
    assert proof.proven and proof.dangling == 1


def test_a_file_that_lies_is_not_proven(house: Path) -> None:
    file = exported(house)
    file.write_bytes(file.read_bytes().replace(b'"Z"', b'"Y"'))
    done = CliRunner().invoke(program_export, ["prove", str(file), "--json"])
    assert done.exit_code == 1 and json.loads(done.stdout)["proven"] is False


@pytest.mark.parametrize("name", ["chinook.db", "northwind_small.db"])
def test_real_databases_come_back(name: str, real_data: Path, tmp_path: Path) -> None:
    file = tmp_path / "whole.json"
    file.write_bytes(b"".join(export(real_data / name, Request())))
    proof = prove(file)
    assert proof.proven, proof.problems
    load(tmp_path / "new.db", file, allow_dangling=True)
    again = tmp_path / "again.json"
    again.write_bytes(b"".join(export(tmp_path / "new.db", Request())))
    one, other = (json.loads(f.read_bytes())["integrity"]["tables"] for f in (file, again))
    assert one == other


async def test_datasette_s_write_connection_can_be_handed_in(house: Path, tmp_path: Path) -> None:
    """Its other readers go on reading, and see all of it or nothing. An import makes its own transaction."""
    target = made(tmp_path / "t.db", *(s for s in HOUSE if not s.startswith("INSERT")))
    file = exported(house)
    datasette = make_datasette(target)
    db = datasette.get_database("t")
    before = (await db.execute("SELECT count(*) FROM w")).single_value()
    own = {"transaction": False} if "transaction" in inspect.signature(db.execute_write_fn).parameters else {}
    report = await db.execute_write_fn(lambda connection: load(connection, file), **own)
    assert report.ok and report.safety_copy is not None
    assert (before, (await db.execute("SELECT count(*) FROM w")).single_value()) == (0, 3)
    foretold = await db.execute_write_fn(lambda connection: load(connection, file, preview=True), **own)
    assert foretold.total("unchanged") == 5
    await db.execute_write("INSERT INTO log VALUES ('after')")  # the connection is as usable as before
    assert state(Path(report.safety_copy)) != state(target)
