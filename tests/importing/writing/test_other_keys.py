"""Rows matched by a unique column, and fresh keys: two databases whose numbers collide become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import RefusedError, Request, export, load
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import RequestError
from datasette_program_export.options.settings import Settings, parse_settings
from tests.support.databases.house import exported, made, rows

SCHEMA = (
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, chief INT REFERENCES clients)",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, client INT REFERENCES clients, day TEXT)",
    "CREATE TABLE tags (visit INT REFERENCES visits, word TEXT, PRIMARY KEY (visit, word)) WITHOUT ROWID",
)
HERE = (
    *SCHEMA,
    "INSERT INTO clients VALUES (1, 'ann', NULL), (2, 'bob', 1)",
    "INSERT INTO visits VALUES (1, 1, 'mon'), (9, 2, 'tue')",
    "DELETE FROM visits WHERE id = 9",
    "INSERT INTO tags VALUES (1, 'new')",
)
THERE = (
    *SCHEMA,
    "INSERT INTO clients VALUES (1, 'cid', 2), (2, 'ann', 1), (5, NULL, 5)",
    "INSERT INTO visits VALUES (1, 1, 'wed'), (2, 2, 'thu'), (3, NULL, 'fri')",
    "INSERT INTO tags VALUES (1, 'x'), (2, 'x'), (2, 'y')",
)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return made(tmp_path / "here.db", *HERE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return exported(made(tmp_path / "there.db", *THERE))


def test_fresh_keys_go_along_every_reference(tmp_path: Path) -> None:
    """To itself, in a circle, in a compound key; numbers that were given before are not given again."""
    here = made(tmp_path / "here.db", *(sql.replace(" UNIQUE", "") for sql in HERE))
    there = made(tmp_path / "there.db", *(sql.replace(" UNIQUE", "") for sql in THERE))
    report = load(here, exported(there), keys="new", backup=False)
    assert rows(here, "SELECT * FROM clients WHERE id > 2") == [(3, "cid", 4), (4, "ann", 3), (5, None, 5)]
    assert rows(here, "SELECT * FROM visits WHERE id > 1") == [(10, 3, "wed"), (11, 4, "thu"), (12, None, "fri")]
    assert rows(here, "SELECT * FROM tags") == [(1, "new"), (10, "x"), (11, "x"), (11, "y")]
    found = {name: [(k.file, k.target, k.rows) for k in table.keys] for name, table in report.tables.items()}
    assert found["clients"] == [(1, 3, 2)]  # 5 stayed 5
    assert found["visits"] == [(1, 10, 3)]
    assert found["tags"] == [([1, "x"], [10, "x"], 1), ([2, "x"], [11, "x"], 1), ([2, "y"], [11, "y"], 1)]


def test_rows_are_matched_by_a_unique_column(here: Path, file: Path) -> None:
    """Ann is number 1 here and number 2 in the file: she keeps hers, and what refers to her follows."""
    asked: dict[str, Any] = {"match": ["clients.mail"], "keys": "new", "on_conflict": "skip", "backup": False}
    foretold = load(here, file, preview=True, **asked)
    report = load(here, file, expect=foretold.foreseen, **asked)
    assert (report.tables["clients"].insert, report.tables["clients"].skip) == (2, 1)
    assert rows(here, "SELECT * FROM clients ORDER BY id") == [
        (1, "ann", None),
        (2, "bob", 1),
        (3, "cid", 1),
        (4, None, 4),
    ]
    assert rows(here, "SELECT id, client FROM visits") == [(1, 1), (10, 3), (11, 1), (12, None)]


def test_a_matched_row_is_updated_and_keeps_its_key(here: Path, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("mail,chief\nbob,\ndan,1\n", "utf-8")
    report = load(here, tmp_path / "c.csv", table="clients", match=["clients.mail"], on_conflict="update", backup=False)
    assert (report.tables["clients"].update, report.tables["clients"].insert) == (1, 1)
    assert rows(here, "SELECT * FROM clients") == [(1, "ann", None), (2, "bob", None), (3, "dan", 1)]


def test_a_key_that_another_row_has_is_refused_without_fresh_keys(here: Path, file: Path) -> None:
    with pytest.raises(RefusedError, match="Row 1 of clients: id must be unique"):
        load(here, file, match=["clients.mail"], on_conflict="skip")


def test_a_match_compares_as_the_index_does_and_takes_several_columns(tmp_path: Path) -> None:
    table = "CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT COLLATE NOCASE, b INT, v, UNIQUE (a, b))"
    child = "CREATE TABLE c (id INTEGER PRIMARY KEY, t TEXT REFERENCES t)"
    here = made(tmp_path / "here.db", table, child, "INSERT INTO t VALUES ('k1', 'X', 1, 'old')")
    there = made(tmp_path / "there.db", table, child, "INSERT INTO t VALUES ('k9', 'x', 1, 'new'), ('k1', 'x', 2, 'z')")
    made(there, "INSERT INTO c VALUES (1, 'k9')")
    with pytest.raises(RefusedError, match="Row 2 of t: id must be unique"):
        load(here, exported(there), match=["t.a,b"], on_conflict="update")
    made(there, "UPDATE t SET id = 'k2' WHERE b = 2")
    report = load(here, exported(there), match=["t.a,b"], on_conflict="update", backup=False)
    assert rows(here, "SELECT * FROM t ORDER BY id") == [("k1", "x", 1, "new"), ("k2", "x", 2, "z")]
    assert rows(here, "SELECT * FROM c") == [(1, "k1")]
    assert [(k.file, k.target) for k in report.tables["t"].keys] == [("k9", "k1")]


def test_references_that_only_settings_declare_follow_too(tmp_path: Path) -> None:
    tables = (
        "CREATE TABLE a (id INTEGER PRIMARY KEY)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY)",
        "CREATE TABLE n (id INTEGER PRIMARY KEY, kind TEXT, of INT)",
        "INSERT INTO a VALUES (1)",
        "INSERT INTO b VALUES (1), (2)",
        "INSERT INTO n VALUES (1, 'a', 1), (2, 'b', 1), (3, 'other', 1)",
    )
    here, there = made(tmp_path / "here.db", *tables), made(tmp_path / "there.db", *tables)
    keys = [
        {"table": "n", "columns": ["of"], "other_table": kind, "other_columns": ["id"], "where": {"kind": kind}}
        for kind in "ab"
    ]
    settings: Settings = parse_settings({"virtual_foreign_keys": keys})
    load(here, exported(there), keys="new", settings=settings, backup=False)
    assert rows(here, "SELECT * FROM n WHERE id > 3") == [(4, "a", 2), (5, "b", 3), (6, "other", 1)]


def test_references_out_of_the_file_and_keys_that_stay_are_told(here: Path, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("id,client,day\n1,2,sat\n", "utf-8")
    report = load(here, tmp_path / "v.csv", table="visits", keys="new", backup=False)
    assert rows(here, "SELECT * FROM visits WHERE id > 1") == [(10, 2, "sat")]
    assert [n.message for n in report.notes] == [
        "1 row of visits refers by client to rows that are not in the file: it means the target's rows of these keys."
    ]
    words = made(tmp_path / "w.db", "CREATE TABLE w (k TEXT PRIMARY KEY)", "INSERT INTO w VALUES ('a')")
    report = load(words, exported(words), keys="new", backup=False)
    assert [n.message for n in report.notes] == ["The rows of w keep their keys: these are no numbers."]
    assert report.tables["w"].unchanged == 1


@pytest.mark.parametrize(
    "match, message",
    [
        ("clients.name", "no column clients.name in the target"),
        ("nowhere.id", "no column nowhere.id"),
        ("clients", "it is table.column"),
        ("clients.chief", "clients.chief is not unique"),
    ],
)
def test_a_match_names_a_unique_column(here: Path, file: Path, match: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        load(here, file, match=[match])
    with pytest.raises(RequestError, match="matched by one thing alone"):
        load(here, file, match=["clients.mail", "clients.id"])


def test_a_table_without_a_primary_key_is_matched_too(tmp_path: Path) -> None:
    here = made(tmp_path / "here.db", "CREATE TABLE t (a TEXT UNIQUE, b)", "INSERT INTO t VALUES ('x', 'old')")
    there = made(tmp_path / "there.db", "CREATE TABLE t (a TEXT UNIQUE, b)", "INSERT INTO t VALUES ('x', 'new')")
    made(there, "INSERT INTO t VALUES (NULL, 'z'), ('y', 'z')")
    asked: dict[str, Any] = {"match": ["t.a"], "keys": "new", "on_conflict": "update", "backup": False}
    assert load(here, exported(there), **asked).tables["t"].update == 1
    assert rows(here, "SELECT * FROM t") == [("x", "new"), (None, "z"), ("y", "z")]
    assert load(here, exported(there), **asked).tables["t"].unchanged == 3


def test_a_wide_table_gets_new_keys(tmp_path: Path) -> None:
    columns = ", ".join(f"c{i} INT" for i in range(1500))
    table = f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns}, up INT REFERENCES t, mail TEXT UNIQUE)"
    here = made(tmp_path / "here.db", table, "INSERT INTO t (id, mail, c7) VALUES (1, 'a', 0)")
    there = made(tmp_path / "there.db", table, "INSERT INTO t (id, mail, up, c7) VALUES (1, 'b', 2, 5), (2, 'a', 1, 6)")
    load(here, exported(there), keys="new", match=["t.mail"], on_conflict="update", backup=False)
    assert rows(here, "SELECT id, mail, up, c7 FROM t") == [(1, "a", 2, 6), (2, "b", 1, 5)]


def test_a_value_twice_in_the_file_cannot_be_matched(here: Path, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("mail,chief\ndan,\ndan,1\n", "utf-8")
    with pytest.raises(RefusedError, match="Line 3 of clients: mail is the same as in line 2"):
        load(here, tmp_path / "c.csv", table="clients", match=["clients.mail"])


def test_the_command_tells_the_new_keys(here: Path, file: Path) -> None:
    made(here, "DELETE FROM clients WHERE mail = 'ann'", "DELETE FROM visits")
    words = ["import", str(file), str(here), "--no-backup"]
    same = [
        CliRunner().invoke(program_export, [*words, *how, "--preview"]).output
        for how in (["--keys", "new"], ["--renumber"])
    ]
    assert same[0] == same[1]
    found = CliRunner().invoke(program_export, [*words, "--renumber"])
    assert found.exit_code == 0, found.output
    assert "new keys: 1 to 2 became 3 to 4" in found.output


def test_what_cannot_go_along_with_new_keys_is_refused(tmp_path: Path) -> None:
    """An R-Tree's rows would be another place's; a reference that only the file knows would name another row."""
    table = "CREATE TABLE place (id INTEGER PRIMARY KEY, name)"
    schema = (table, "CREATE VIRTUAL TABLE geo USING rtree(id, x0, x1)")
    boxed, target = (
        made(
            tmp_path / file, *schema, f"INSERT INTO place VALUES (1, '{city}')", f"INSERT INTO geo VALUES (1, {x}, {x})"
        )
        for file, city, x in (("g1.db", "Rome", 1), ("g2.db", "Paris", 5))
    )
    with pytest.raises(RefusedError, match="rows of geo, a virtual table, cannot get new keys"):
        load(target, exported(boxed), keys="new", on_conflict="update")
    load(target, exported(boxed), keys="new", without=["geo"])
    assert rows(target, "SELECT * FROM place") == [(1, "Paris"), (2, "Rome")]
    tables = ["CREATE TABLE c (id INTEGER PRIMARY KEY, n)", "CREATE TABLE o (id INTEGER PRIMARY KEY, c INTEGER)"]
    reference = {"table": "o", "columns": ["c"], "other_table": "c", "other_columns": ["id"]}
    virtual = parse_settings({"virtual_foreign_keys": [reference]})
    known = made(tmp_path / "k.db", *tables, "INSERT INTO c VALUES (1, 'Anna')", "INSERT INTO o VALUES (1, 1)")
    (tmp_path / "k.json").write_bytes(b"".join(export(known, Request(), settings=virtual)))
    other = made(tmp_path / "k2.db", *tables, "INSERT INTO c VALUES (1, 'X')")
    with pytest.raises(RefusedError, match="In the file o.c refers to c, here it does not"):
        load(other, tmp_path / "k.json", keys="new")
    load(other, tmp_path / "k.json", keys="new", settings=virtual)
    assert rows(other, "SELECT c.n FROM o JOIN c ON o.c = c.id") == [("Anna",)]


def test_renumber_and_kept_keys_contradict_each_other(here: Path, file: Path) -> None:
    found = CliRunner().invoke(program_export, ["import", str(file), str(here), "--renumber", "--keys", "kept"])
    assert found.exit_code == 2 and "contradict" in found.output


def test_a_reference_that_only_the_file_knows_may_be_to_keys_that_stay(tmp_path: Path) -> None:
    """With new keys, rows whose keys are no numbers keep them, so that such a reference stays right."""
    tables = ["CREATE TABLE c (id TEXT PRIMARY KEY, n)", "CREATE TABLE o (id INTEGER PRIMARY KEY, c TEXT)"]
    reference = {"table": "o", "columns": ["c"], "other_table": "c", "other_columns": ["id"]}
    known = made(tmp_path / "k.db", *tables, "INSERT INTO c VALUES ('a', 'Anna')", "INSERT INTO o VALUES (1, 'a')")
    virtual = parse_settings({"virtual_foreign_keys": [reference]})
    (tmp_path / "k.json").write_bytes(b"".join(export(known, Request(), settings=virtual)))
    other = made(tmp_path / "k2.db", *tables, "INSERT INTO o VALUES (1, NULL)")
    load(other, tmp_path / "k.json", keys="new")
    assert rows(other, "SELECT o.id, c.n FROM o JOIN c ON o.c = c.id") == [(2, "Anna")]
    with pytest.raises(RefusedError, match="In the file o.c refers to c, here it does not"):
        matched = made(tmp_path / "k3.db", tables[0].replace("n)", "n UNIQUE)"), tables[1])
        load(matched, tmp_path / "k.json", keys="new", match=["c.n"])
