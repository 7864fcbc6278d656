"""Any database that left comes back: into a new file, and into one that has some of it, under each policy."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import ImportReport, RefusedError, Request, export, load, verify
from datasette_program_export.database.reflection import reflect
from tests.support.databases.building import quoted, violations
from tests.support.databases.house import made
from tests.support.databases.strategies import Built, databases
from tests.support.runs.thorough import examples

RANDOM = settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
FORMATS = {"programjson": "rows", "ndjson": "envelope", "package": "rows"}
COUNTS = ("insert", "update", "unchanged", "skip", "conflict")
Rows = dict[str, list[tuple[Any, ...]]]


def file_of(built: Built, folder: Path, form: str = "programjson") -> Path:
    with closing(built.open()) as connection:
        made = b"".join(export(connection, Request(format=form, layout=FORMATS[form])))
    path = folder / f"file.{form}"
    path.write_bytes(made)
    return path


def contents(connection: sqlite3.Connection) -> Rows:
    """Every row of every table, each value with its storage class, without regard to order."""
    found = {}
    for name, table in reflect(connection).items():
        columns = ", ".join(f"{quoted(c.name)}, typeof({quoted(c.name)})" for c in table.columns)
        rows = connection.execute(f"SELECT {columns} FROM {quoted(name)}").fetchall()
        found[name] = sorted(rows, key=repr)
    return found


def counts(report: ImportReport) -> dict[str, tuple[int, ...]]:
    return {name: tuple(getattr(table, c) for c in COUNTS) for name, table in report.tables.items()}


@pytest.mark.parametrize("form", FORMATS)
@given(built=databases(with_persons=False))
@RANDOM
def test_a_new_file_is_what_left(tmp_path_factory: pytest.TempPathFactory, form: str, built: Built) -> None:
    folder = tmp_path_factory.mktemp("new")
    file = file_of(built, folder, form)
    before = load(folder / "new.db", file, preview=True, allow_dangling=True)
    assert not (folder / "new.db").exists()
    report = load(folder / "new.db", file, allow_dangling=True)
    assert counts(report) == counts(before)
    again = b"".join(export(folder / "new.db", Request(format=form, layout=FORMATS[form])))
    (folder / "again").write_bytes(again)
    one, other = verify(file), verify(folder / "again")
    assert {n: t.sha256 for n, t in one.tables.items()} == {n: t.sha256 for n, t in other.tables.items()}
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    with closing(built.open()) as source, closing(sqlite3.connect(folder / "new.db")) as new:
        assert contents(new) == contents(source)
        assert violations(new) == violations(source)
        assert new.execute(query).fetchall() == source.execute(query).fetchall()


def naive(target: sqlite3.Connection, source: sqlite3.Connection, policy: str) -> dict[str, list[int]] | None:
    """The same, plainly: row by row, without constraints while it goes on. None where the end breaks one.

    ``target`` is a copy whose tables have no constraints but the collations and types of the columns."""
    found = {}
    for name, table in reflect(source).items():
        counted = found.setdefault(name, [0, 0, 0, 0, 0])
        names = [c.name for c in table.columns]
        columns = ", ".join(map(quoted, names))
        used: list[int] = []
        for row in source.execute(f"SELECT {columns} FROM {quoted(name)}").fetchall():
            key = [(c, row[names.index(c)]) for c in table.pk]
            if any(value is None for _, value in key):
                there = same_rows(target, name, names, row)
                there = [r for r in there if r not in used]
                counted[2 if there else 0] += 1
                used += there[:1]
                if not there:
                    used.append(insert(target, name, columns, row))
                continue
            where = " AND ".join(f"{quoted(c)} = ?" for c, _ in key)
            one = target.execute(f"SELECT rowid FROM {quoted(name)} WHERE {where}", [v for _, v in key]).fetchone()
            if one is None:
                counted[0] += 1
                insert(target, name, columns, row)
            elif one[0] in same_rows(target, name, names, row):
                counted[2] += 1
            elif policy == "fail":
                counted[4] += 1
            elif policy == "skip":
                counted[3] += 1
            else:
                counted[1] += 1
                sets = ", ".join(f"{quoted(c)} = ?" for c in names)
                target.execute(f"UPDATE {quoted(name)} SET {sets} WHERE rowid = ?", [*row, one[0]])
    return found


def insert(target: sqlite3.Connection, name: str, columns: str, row: tuple[Any, ...]) -> int:
    marks = ", ".join("?" * len(row))
    return int(target.execute(f"INSERT INTO {quoted(name)} ({columns}) VALUES ({marks})", row).lastrowid or 0)


def same_rows(target: sqlite3.Connection, name: str, names: list[str], row: tuple[Any, ...]) -> list[int]:
    rows = target.execute(f"SELECT rowid, {', '.join(map(quoted, names))} FROM {quoted(name)} ORDER BY rowid")
    return [r for r, *values in rows if repr(tuple(values)) == repr(row)]


def unconstrained(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy whose columns compare and convert as they do, and allow everything."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    for name, table in reflect(connection).items():
        parts = []
        for column in table.columns:
            # what the key collates by is how rows are told apart
            collation = table.collation(column.name) if column.pk else "BINARY"
            parts.append(f"{quoted(column.name)} {column.type} COLLATE {collation}")
        copy.execute(f"CREATE TABLE {quoted(name)} ({', '.join(parts)})")
        columns = ", ".join(quoted(c.name) for c in table.columns)
        for row in connection.execute(f"SELECT {columns} FROM {quoted(name)}").fetchall():
            insert(copy, name, columns, row)
    return copy


def is_sound(end: sqlite3.Connection, built: Built) -> bool:
    """Whether these rows can be together in the real tables, with no more dangling references than before."""
    fresh = Built(tuple(s for s in built.statements if s.startswith("CREATE")), ())
    with closing(fresh.open()) as real:
        for name, table in reflect(real).items():
            columns = ", ".join(quoted(c.name) for c in table.columns)
            for row in end.execute(f"SELECT {columns} FROM {quoted(name)}").fetchall():
                try:
                    insert(real, name, columns, row)
                except sqlite3.IntegrityError:
                    return False
        return not violations(real)


@st.composite
def halves(draw: Any) -> tuple[Built, list[str]]:
    """A database, and what happened to a copy of it since."""
    built = draw(databases(with_persons=False))
    names = [s.split()[2] for s in built.statements if s.startswith("CREATE")]
    done = []
    for name in names:
        what = draw(st.sampled_from(["nothing", "emptied", "halved", "changed", "swapped", "other", "cased"]))
        done += {
            "nothing": [],
            "emptied": [f"DELETE FROM {name}"],
            "halved": [f"DELETE FROM {name} WHERE f0 < 'a' OR f0 IS NULL"],
            "changed": [f"UPDATE OR IGNORE {name} SET f1 = 'x', f2 = -f2"],
            "swapped": [f"UPDATE OR IGNORE {name} SET k = k || 'z'", f"UPDATE {name} SET f3 = f0"],
            "cased": [f"UPDATE OR IGNORE {name} SET id = lower(id)"],
            "other": [f"UPDATE OR IGNORE {name} SET id = 99 WHERE id = (SELECT min(id) FROM {name})"],
        }[what]
    return built, done


@pytest.mark.parametrize("policy", ["fail", "skip", "update", "replace"])
@given(half=halves())
@settings(RANDOM, max_examples=examples(60))
def test_into_what_has_some_of_it_already(
    tmp_path_factory: pytest.TempPathFactory, policy: str, half: tuple[Built, list[str]]
) -> None:
    """The counts of a preview are those of the import, and both those of a plain oracle; so is every row."""
    built, done = half
    folder = tmp_path_factory.mktemp("half")
    file = file_of(built, folder)
    with closing(built.open()) as source, closing(sqlite3.connect(folder / "half.db", isolation_level=None)) as target:
        source.backup(target)
        for statement in done:
            with suppress(sqlite3.IntegrityError):
                target.execute(statement)
        before, broken = contents(target), violations(target)
        with closing(unconstrained(target)) as oracle:
            expected = naive(oracle, source, policy)
            wanted = contents(oracle)
            sound = is_sound(oracle, built)
    preview = load(folder / "half.db", file, on_conflict=policy, preview=True)
    with closing(sqlite3.connect(folder / "half.db")) as target:
        assert contents(target) == before
    try:
        report = load(folder / "half.db", file, on_conflict=policy, backup=False)
    except RefusedError as error:
        report = error.report
    assert counts(report) == counts(preview)
    assert report.findings == preview.findings and report.ok == preview.ok
    assert {n: list(c) for n, c in counts(report).items()} == expected
    with closing(sqlite3.connect(folder / "half.db")) as target:
        if report.ok:
            assert contents(target) == wanted
        else:
            assert contents(target) == before
        if sound and not broken and not any(c[4] for c in (expected or {}).values()):
            assert report.ok, report.findings
        assert report.ok or report.findings


def test_rows_may_trade_values_that_must_be_unique(tmp_path: Path) -> None:
    built = Built(
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, k UNIQUE)", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')"), ()
    )
    file = file_of(built, tmp_path)
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute(built.statements[0])
        target.executemany("INSERT INTO t VALUES (?, ?)", [(1, "b"), (2, "a"), (4, "d")])
        target.commit()
    load(tmp_path / "t.db", file, on_conflict="update")
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        assert target.execute("SELECT * FROM t").fetchall() == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


def test_a_preview_shows_what_replace_sets_back_to_its_default(tmp_path: Path) -> None:
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, name, phone, kind DEFAULT 'new')"
    target = made(tmp_path / "t.db", schema, "INSERT INTO t VALUES (1, 'A', '555', 'old'), (2, 'B', '666', 'old')")
    (tmp_path / "t.csv").write_text("id,name\n1,A\n2,C\n")
    report = load(target, tmp_path / "t.csv", table="t", on_conflict="replace", preview=True)
    (shown,) = report.tables["t"].samples
    told = {d.column: (d.target, d.file) for d in shown.differences}
    assert told == {"name": ("B", "C"), "phone": ("666", None), "kind": ("old", "'new'")}
