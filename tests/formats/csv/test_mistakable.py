"""What a reader of a plain csv cannot tell apart is told by the plan and after the export, in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import Request, plan
from datasette_program_export.cli.main import program_export
from datasette_program_export.database.fetching.rows_in_c import Chunk, Seen
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.formats.csv.mistakable import Examined
from datasette_program_export.formats.dataset import Field
from datasette_program_export.planning.warnings import cautions
from tests.support.databases.building import database


def made(folder: Path, column: str, *values: Any) -> Path:
    path = folder / "a.db"
    path.unlink(missing_ok=True)
    connection = database(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {column})")
    connection.executemany("INSERT INTO t (c) VALUES (?)", [(value,) for value in values])
    connection.commit()
    connection.close()
    return path


def told(path: Path, **how: Any) -> list[str]:
    """What is told after the export, which is what the plan told before."""
    request = Request(table="t", **how)
    document = Export(path, request)
    with document:
        b"".join(document)
    assert document.coverage is not None
    before = cautions(plan(path, request), request)
    found = list(document.coverage.warnings)
    assert [s.replace(" (1 value)", "") for s in before] == found
    return found


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("", (5, "5"), "Numbers where the column has no type (t.c): csv does not tell 1 from the text 1"),
        ("", (1.5,), "Numbers where the column has no type"),
        ("BLOB", ("abcd",), "Texts where the column is for binary data (t.c): csv does not tell them from base64"),
        ("BLOB", (b"a",), "t.c holds binary data: csv writes it as text (base64) and does not say so"),
        ("POINT", (b"a",), "t.c holds binary data"),
        ("TEXT", ("a\0b",), "Texts with a zero byte"),
        ("TEXT", ("", None), "Nothing (NULL) beside empty texts (t.c): csv tells them apart by quotes alone"),
    ],
)
def test_what_a_plain_csv_does_not_tell_apart_is_said(column: str, values: tuple, words: str, tmp_path: Path) -> None:
    path = made(tmp_path, column, *values)
    (sentence,) = told(path, format="csv")
    assert sentence.startswith(words) and "a package" in sentence
    assert told(path, format="tsv") == [sentence.replace("csv", "tsv")]
    for format in ("package", "ndjson", "programjson", "sql"):
        assert told(path, format=format) == []


def test_a_text_that_is_not_utf_8(tmp_path: Path) -> None:
    path = made(tmp_path, "TEXT", "x")
    database(path, "UPDATE t SET c = CAST(x'ff' AS TEXT)").close()
    (sentence,) = told(path, format="csv")
    assert "not UTF-8 (t.c)" in sentence


@pytest.mark.parametrize(
    ("column", "values"),
    [("INTEGER", (1, None)), ("TEXT", ("1", "x")), ("TEXT", ("", "x")), ("REAL", (0.5, None)), ("", ("a", None))],
)
def test_an_ordinary_column_is_not_spoken_of(column: str, values: tuple, tmp_path: Path) -> None:
    assert told(made(tmp_path, column, *values), format="csv") == []


def test_a_name_may_hold_any_sign(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database(path, 'CREATE TABLE t ("{x} %s")', "INSERT INTO t VALUES (1)").close()
    assert "(t.{x} %s)" in told(path, format="csv")[0]


def test_the_command_tells_it_before_and_after(tmp_path: Path) -> None:
    path = made(tmp_path, "", 5)
    sentence = "Numbers where the column has no type (t.c): csv does not tell 1 from the text 1; a package does."
    before = CliRunner().invoke(program_export, ["plan", str(path), "t", "-f", "csv"])
    after = CliRunner().invoke(program_export, ["table", str(path), "t", "-o", str(tmp_path / "t.csv")])
    assert sentence in before.output and sentence in after.output
    assert sentence not in CliRunner().invoke(program_export, ["plan", str(path), "t"]).output


def test_rows_that_are_written_in_c_are_examined_by_what_c_has_seen() -> None:
    fields = (Field("id", "INTEGER"), Field("v", ""), Field("x", "TEXT"))
    seen = (Seen.INTEGER, Seen.INTEGER | Seen.BLOB | Seen.NULL, Seen.TEXT | Seen.ODD_TEXT | Seen.EMPTY | Seen.NULL)
    examined = Examined("t", fields, "csv")
    examined.saw(Chunk(3, b"", memoryview(b""), (0, 0, 0), seen, False))
    assert [s.partition(" ")[0] for s in examined.sentences()] == ["t.v", "Numbers", "Texts", "Nothing"]
