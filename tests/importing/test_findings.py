"""What stops an import is found, all of it, and told with its place: references, values, keys, statements."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasette_program_export import RefusedError, Request, export, load
from tests.support.databases.house import CHILD, HOUSE, PARENT, exported, made, rows
from tests.support.files.changing import resealed, state


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
