"""The SQL script read back: its rows in their order, exactly, and nothing in it is ever run."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datasette_program_export import Request, export
from datasette_program_export.database.guarding import script_text
from datasette_program_export.database.guarding.script_text import NoEndError, statements
from datasette_program_export.errors import RefusedError
from datasette_program_export.files.reading_limits import TRUSTING
from datasette_program_export.formats.sqlite import script_reading
from datasette_program_export.formats.sqlite.script_reading import decode
from datasette_program_export.importing.importer import load
from datasette_program_export.importing.proof.prove import prove
from datasette_program_export.verifying.verifier import verify
from tests.support.databases.building import database
from tests.support.databases.torture import write
from tests.support.files.changing import HOUSE
from tests.support.files.sqlite_files import HOUSE as OBJECTS
from tests.support.files.sqlite_files import same

LAST = b"-- complete; sha256 of every byte before this line: "


def script(source: Any, **request: Any) -> bytes:
    return b"".join(export(source, Request(**{"format": "sql", **request})))


def sealed(content: bytes) -> bytes:
    """The script with its digest made anew, as one would who wants to deceive."""
    before = content[: content.rindex(LAST)]
    return before + LAST + hashlib.sha256(before).hexdigest().encode() + b"\n"


def rows_of(content: bytes, path: Path) -> dict[str, list[tuple]]:
    path.write_bytes(content)
    with path.open("rb") as file:
        return {t.name: [row for rows in t.batches for row in rows] for t in decode(file, TRUSTING).tables}


@pytest.mark.parametrize("layout", ["rows", "data-only"])
@pytest.mark.parametrize("kind", ["UTF-8", "UTF-16be", "names"])
def test_every_awkward_value_comes_back(kind: str, layout: str, tmp_path: Path) -> None:
    names = kind == "names"
    source = write(tmp_path / "t.db", "UTF-8" if names else kind, only="names" if names else "values")
    (tmp_path / "t.sql").write_bytes(script(source, layout=layout))
    proof = prove(tmp_path / "t.sql")
    assert (proof.proven, proof.problems) == (True, []) and len(proof.tables) > 5


def test_a_whole_database_comes_back_with_its_objects_and_counters(tmp_path: Path) -> None:
    counted = ("CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO n VALUES (5)", "DELETE FROM n")
    with closing(database(tmp_path / "s.db", *OBJECTS, *counted)) as source:
        (tmp_path / "s.sql").write_bytes(script(tmp_path / "s.db", secrets="include"))
        load(tmp_path / "new.db", tmp_path / "s.sql", allow_dangling=True)
        with closing(sqlite3.connect(tmp_path / "new.db")) as copy:
            same(copy, source, "none")
            assert copy.execute("SELECT * FROM sqlite_sequence").fetchall() == [("a", 2), ("n", 5)]


def test_rows_keep_the_order_in_which_they_were_exported(tmp_path: Path) -> None:
    made = ("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')")
    with closing(database(None, *made)) as source:
        content = script(source, table="t", sort=(("a", True),))
    assert [row[0] for row in rows_of(content, tmp_path / "t.sql")["t"]] == [3, 2, 1]
    assert verify(tmp_path / "t.sql").status == "complete"


def test_many_values_are_evaluated_some_rows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ("CREATE TABLE t (a, b)", "INSERT INTO t VALUES ('),\n(', 1), ('''', 2), (NULL, 3), ('x', -0.0), (X'', 5)")
    with closing(database(None, *made)) as source:
        content = script(source)
    monkeypatch.setattr(script_reading, "_MOST_VALUES", 4)
    assert rows_of(content, tmp_path / "t.sql")["t"] == [("),\n(", 1), ("'", 2), (None, 3), ("x", -0.0), (b"", 5)]


FORGED = [
    b"(1,(SELECT 2))",
    b"(1,load_extension('x'))",
    b"(1,zeroblob(1000000000))",
    b"(1,replace('aaaa','a','bbbbbbbb'))",
    b"(1,a)",
    b"(1,2,3)",
    b"(1,'\xff')",
    b"(1,2) --",
]


@pytest.mark.parametrize("values", FORGED)
def test_values_that_are_no_literals_of_this_program_are_never_evaluated(values: bytes, tmp_path: Path) -> None:
    with closing(database(None, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, 2)")) as source:
        content = script(source)
    (tmp_path / "t.sql").write_bytes(sealed(content.replace(b"\n(1,2);", b"\n" + values + b";")))
    report = verify(tmp_path / "t.sql")
    assert report.status != "complete"
    assert "Line " in report.problems[0] and "of the script" in report.problems[0]
    with pytest.raises(RefusedError):
        load(tmp_path / "new.db", tmp_path / "t.sql")
    assert not (tmp_path / "new.db").exists() and not (tmp_path / "x.db").exists()


def test_other_statements_are_not_run(tmp_path: Path) -> None:
    with closing(database(None, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, 2)")) as source:
        content = script(source)
    other = f"ATTACH '{tmp_path / 'x.db'}' AS x; CREATE TABLE x.y (z); DROP TABLE t;".encode()
    (tmp_path / "t.sql").write_bytes(sealed(content.replace(b"\nCOMMIT;", b"\n" + other + b"\nCOMMIT;")))
    assert load(tmp_path / "new.db", tmp_path / "t.sql").total("insert") == 1
    assert not (tmp_path / "x.db").exists()


def test_rows_that_were_taken_out_are_missed(tmp_path: Path) -> None:
    with closing(database(None, *HOUSE)) as source:
        content = script(source)
    (tmp_path / "t.sql").write_bytes(sealed(content.replace(b",\n(2,NULL)", b"")))
    assert verify(tmp_path / "t.sql").problems[0] == "p: 1 rows, but 2 are announced."


def state(path: Path) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return [row for table in "pc" for row in connection.execute(f"SELECT * FROM {table} ORDER BY id")]


def run_by_shell(content: bytes, path: Path) -> str:
    return subprocess.run(["sqlite3", "-bail", str(path)], input=content, capture_output=True).stderr.decode()


def test_rows_only_go_into_tables_that_are_there(tmp_path: Path) -> None:
    tables = [sql for sql in HOUSE if sql.startswith("CREATE")]
    with closing(
        database(tmp_path / "s.db", *HOUSE[:3], "INSERT INTO c (id, p, b) VALUES (1, 1, CAST(X'ff' AS TEXT))")
    ):
        content = script(tmp_path / "s.db", layout="data-only")
    assert b"CREATE TABLE p" not in content.partition(b"COMMIT;")[0]
    database(tmp_path / "there.db", *tables, journal="delete").close()
    assert run_by_shell(content, tmp_path / "there.db") == ""
    assert state(tmp_path / "there.db") == state(tmp_path / "s.db")
    assert "UNIQUE constraint failed" in run_by_shell(content, tmp_path / "there.db")
    assert state(tmp_path / "there.db") == state(tmp_path / "s.db")
    database(tmp_path / "wide.db", "PRAGMA encoding='UTF-16le'", *tables, journal="delete").close()
    before = state(tmp_path / "wide.db")  # where the same bytes would be another text
    assert "CHECK constraint failed" in run_by_shell(content, tmp_path / "wide.db")
    assert state(tmp_path / "wide.db") == before
    (tmp_path / "rows.sql").write_bytes(content)
    load(tmp_path / "new.db", tmp_path / "rows.sql")
    assert state(tmp_path / "new.db") == state(tmp_path / "s.db")


PIECES = st.sampled_from(
    ["SELECT", " ", "\n", ";", "'", '"', "`", "[", "]", "-", "--", "/", "/*", "*/", "*", "x", "''", "CREATE TRIGGER t "]
)


@given(st.lists(PIECES, max_size=25).map("".join), st.integers(1, 9))
@example("a /* ; */; 'b;' -- c;\n; [d;]; `e;` \"f;\";", 3)
@example("CREATE TRIGGER t AFTER INSERT ON u BEGIN SELECT 1; SELECT 2; END; x;", 5)
def test_statements_end_where_sqlite_ends_them(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(script_text, "_PIECE", size)
        found = []
        try:
            for line, statement in statements(io.BytesIO(text.encode()), lambda held: None):
                found.append(statement.decode())
                assert sqlite3.complete_statement(found[-1])
                assert text.split("\n")[line - 1].find(found[-1].split("\n")[0]) >= 0
        except NoEndError:
            pass
    rest = text
    for statement in found:  # each in one piece, in order
        assert statement in rest
        rest = rest[rest.index(statement) + len(statement) :]
    assert not any(
        sqlite3.complete_statement(one[:at]) for one in found for at in range(1, len(one)) if one[at - 1] == ";"
    )
