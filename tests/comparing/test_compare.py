"""What a comparison finds: rows by key and by value, columns, tables, names that were changed, secrets."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, compare, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import NotFoundError, RequestError, UnreadableError
from datasette_program_export.options.settings import Settings
from tests.support.databases.building import database
from tests.support.runs.thorough import examples

VALUES = st.sampled_from([None, 0, 1, 1.0, "1", b"1", "", b"", "é", -0.0, 0.0, 2**53, float(2**53), float("inf")])
ROWS = st.lists(st.tuples(st.integers(1, 8), VALUES, VALUES), max_size=8)


def made(path: Path, *statements: str, rows: Any = (), encoding: str = "UTF-8") -> Path:
    path.unlink(missing_ok=True)
    with closing(database(path, f"PRAGMA encoding='{encoding}'", *statements, journal="delete")) as connection:
        for table, row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    return path


def exact(values: Any) -> tuple[Any, ...]:
    return tuple((type(v), repr(v)) for v in values)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(one=ROWS, other=ROWS, form=st.integers(0, 3))
def test_counts_are_those_of_python(tmp_path_factory: pytest.TempPathFactory, one: Any, other: Any, form: int) -> None:
    """Rows with a number, with another key, without a rowid, and without a key, over values of every type."""
    folder = tmp_path_factory.mktemp("random")
    key = ("INTEGER PRIMARY KEY", "BLOB PRIMARY KEY", "BLOB PRIMARY KEY", "BLOB")[form]
    table = f"CREATE TABLE t (id {key}, a BLOB, b BLOB)" + (" WITHOUT ROWID" if form == 2 else "")
    if form < 3:
        one, other = (list({row[0]: row for row in rows}.values()) for rows in (one, other))
    files = [made(folder / f"{n}.db", table, rows=[("t", row) for row in rows]) for n, rows in enumerate([one, other])]
    found = compare(*files, output=folder / "all.ndjson").tables["t"]
    if form < 3:
        mine, theirs = ({row[0]: exact(row) for row in rows} for rows in (one, other))
        both = mine.keys() & theirs.keys()
        changed = sum(mine[k] != theirs[k] for k in both)
        expected = (len(both) - changed, changed, len(mine) - len(both), len(theirs) - len(both))
    else:
        mine, theirs = (Counter(map(exact, rows)) for rows in (one, other))
        gone, new = (mine - theirs).total(), (theirs - mine).total()
        expected = (len(one) - gone, 0, gone, new)
    assert (found.unchanged, found.changed, found.gone, found.new) == expected
    told = map(json.loads, (folder / "all.ndjson").read_text().splitlines())
    assert sum(one.get("times", 1) for one in told) == sum(expected[1:])


def test_a_row_that_changed_tells_both_values(tmp_path: Path) -> None:
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB, w)"
    a = made(tmp_path / "a.db", table, rows=[("t", (n, v, 5)) for n, v in enumerate([1, 1.0, "1", b"x", None])])
    b = made(tmp_path / "b.db", table, rows=[("t", (n, v, 5)) for n, v in enumerate([1.0, 1, 1, "x", None])])
    found = compare(a, b)
    assert found.sentence == "4 rows of t changed."
    values = [(d.key, d.columns["v"].before, d.columns["v"].after) for d in found.tables["t"].differences]
    assert [repr(v) for v in values[:3]] == ["({'id': 0}, 1, 1.0)", "({'id': 1}, 1.0, 1)", "({'id': 2}, '1', 1)"]
    assert values[3][1:] == ({"$base64": True, "encoded": "eA=="}, "x")
    assert all(list(d.columns) == ["v"] for d in found.tables["t"].differences)
    assert not found.same and not found.complete


def test_large_values_are_compared_by_their_hash(tmp_path: Path) -> None:
    rows = [b"a" * 200_000, b"b" * 200_000, "b" * 200_000]
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, v)"
    files = [made(tmp_path / f"{n}.db", table, rows=[("t", (1, value))]) for n, value in enumerate(rows)]
    assert compare(files[0], files[0]).same
    assert compare(files[0], files[1]).tables["t"].changed == 1
    (one,) = compare(files[1], files[2]).tables["t"].differences
    assert "BLOB of 200,000 bytes" in one.columns["v"].before and "text of 200,000 bytes" in one.columns["v"].after


def test_a_key_finds_its_row_as_its_table_does(tmp_path: Path) -> None:
    """NOCASE, a key in another order, and keys that are no valid text; NULL keys leave rows to be told by value."""
    tables = "CREATE TABLE n (k TEXT PRIMARY KEY COLLATE NOCASE, v)", "CREATE TABLE w (x, y, PRIMARY KEY (y, x))"
    bad = "INSERT INTO n VALUES (CAST(X'ff' AS TEXT), 1)"
    a = made(tmp_path / "a.db", *tables, bad, rows=[("n", ("Anna", 1)), ("w", (1, 2)), ("w", (None, 2))])
    b = made(tmp_path / "b.db", *tables, bad, rows=[("n", ("ANNA", 1)), ("w", (1, 2)), ("w", (None, 2))])
    found = compare(a, b).tables
    assert (found["n"].changed, found["n"].unchanged, found["w"].unchanged) == (1, 1, 2)
    with closing(sqlite3.connect(a)) as connection, connection:
        connection.execute("INSERT INTO w VALUES (NULL, 2)")
    found = compare(a, b).tables
    assert (found["w"].by, found["w"].gone, found["w"].unchanged) == ("value", 1, 2)


def test_two_encodings_and_computed_columns(tmp_path: Path) -> None:
    """Neither the encoding nor what SQLite computes is a difference."""
    rows = [("t (k, v)", ("é\U0001f600", 2))]
    table = "CREATE TABLE t (k TEXT PRIMARY KEY, v, twice AS (v * {}))"
    a = made(tmp_path / "a.db", table.format(2), rows=rows)
    b = made(tmp_path / "b.db", table.format(3), rows=rows, encoding="UTF-16le")
    assert compare(a, b).same


UPGRADE = """
ALTER TABLE clients RENAME COLUMN last_name TO surname;
ALTER TABLE session_notes RENAME TO notes;
CREATE TABLE extra (id INTEGER PRIMARY KEY);
DELETE FROM transit_events WHERE rowid IN (SELECT rowid FROM transit_events LIMIT 3)
"""


def test_an_upgrade(demo: Path, tmp_path: Path) -> None:
    """Names that changed are proposed, never assumed; with them, only what is lost remains."""
    file = tmp_path / "before.programjson"
    file.write_bytes(b"".join(export(demo)))
    assert compare(file, demo).sentence == (
        "Everything is still there: 10 tables, 912 rows, all unchanged. Not compared: 1 column."
    )
    with closing(sqlite3.connect(demo)) as connection:
        connection.executescript(UPGRADE)
    found = compare(file, demo)
    assert not found.complete
    assert {p.map for p in found.proposals} == {"clients.last_name=surname", "session_notes=notes"}
    assert (found.tables["session_notes"].status, found.tables["notes"].status) == ("gone", "new")
    found = compare(file, demo, map=dict(p.map.split("=") for p in found.proposals))
    assert found.sentence == "3 rows of transit_events are gone. New: 1 table. Not compared: 1 column."
    assert found.proposals == [] and found.tables["session_notes"].now == "notes"
    assert (
        compare(demo, file, map={"notes": "session_notes", "clients.surname": "last_name"}).tables["transit_events"].new
        == 3
    )


@pytest.mark.parametrize("names", [{"nothing": "t"}, {"t": "nothing"}, {"t.a": "nothing"}, {"t.nothing": "a"}])
def test_a_name_that_is_not_there_is_an_error(tmp_path: Path, names: dict[str, str]) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (a)")
    with pytest.raises(RequestError, match="nothing"):
        compare(path, path, map=names)


def test_what_is_left_out_is_not_called_gone(tmp_path: Path) -> None:
    """Secrets that a file withholds, columns and tables that were not wanted, rows that were not asked for."""
    path = made(
        tmp_path / "a.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name, password_hash)",
        "CREATE TABLE t (a)",
        rows=[("users", (1, "a", "x")), ("users", (2, "b", "y"))],
    )
    for request in (Request(), Request(format="sqlite")):
        file = tmp_path / f"file.{request.format}"
        file.write_bytes(b"".join(export(path, request)))
        for sides in ((file, path), (path, file)):
            found = compare(*sides)
            assert found.same and "password_hash" in found.tables["users"].not_compared, found
            assert found.sentence.endswith("Not compared: 1 column.")
    file.write_bytes(b"".join(export(path, Request(table="users", records=(("1",),)))))
    found = compare(file, path)
    assert found.same and "no whole database" in found.notes[0]
    assert compare(path, file).tables["users"].gone == 1


def test_secrets_are_compared_and_never_shown(tmp_path: Path) -> None:
    table = "CREATE TABLE users (id INTEGER PRIMARY KEY, password_hash)"
    a, b = (made(tmp_path / f"{s}.db", table, rows=[("users", (1, f"hush-{s}"))]) for s in "ab")
    other = made(tmp_path / "c.db", "CREATE TABLE x (y)")
    for sides in ((a, b), (a, other), (other, a)):
        for kind in ("csv", "json", "ndjson"):
            words = ["compare", *map(str, sides), "-o", str(tmp_path / f"all.{kind}")]
            done = CliRunner().invoke(program_export, words)
            assert done.exit_code == 1
            written = (tmp_path / f"all.{kind}").read_text()
            assert "hush" not in done.output + written and "(secret)" in written
    assert compare(a, b).tables["users"].changed == 1
    named = Settings(secrets={"users": ["id"]})
    assert compare(a, b, settings=named).tables["users"].differences[0].key == {"id": "(secret)"}


def test_the_command(tmp_path: Path) -> None:
    """0 the same, 1 different, 2 not compared; the sentence comes first."""
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, v)"
    a, b = (made(tmp_path / f"{n}.db", table, rows=[("t", (i, n)) for i in range(30)]) for n in (1, 2))

    def run(*words: Any) -> Any:
        return CliRunner().invoke(program_export, ["compare", *map(str, words)])

    same = run(a, a)
    assert same.exit_code == 0 and same.output.startswith("Everything is still there: 1 table, 30 rows, all unchanged.")
    differ = run(a, b, "--details", 2)
    assert differ.exit_code == 1 and "v: 1 became 2" in differ.output and "and 28 more" in differ.output
    assert json.loads(run(a, b, "--json").output)["tables"]["t"]["changed"] == 30
    cut = tmp_path / "cut.programjson"
    cut.write_bytes(b"".join(export(a))[:-40])
    for words in ((a,), (a, tmp_path / "none.db"), (a, cut), (a, b, "--map", "t"), (a, b, "-o", tmp_path / "x.txt")):
        assert run(*words).exit_code == 2, words
    for side, error in ((tmp_path / "none.db", NotFoundError), (cut, UnreadableError)):
        with pytest.raises(error):
            compare(side, a)
