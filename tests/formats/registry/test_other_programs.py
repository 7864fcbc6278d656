"""Files that hold no rows are called by what they are, in the same words by the command to import and to verify."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export import verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.importing.importer import load
from tests.support.databases.building import database


def zipped(*names: str, mimetype: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "<x/>")
    return file.getvalue()


KINDS = {
    "a PowerPoint presentation": zipped("[Content_Types].xml", "ppt/presentation.xml"),
    "a Word document": zipped("[Content_Types].xml", "word/document.xml"),
    "a LibreOffice document": zipped("content.xml", mimetype="application/vnd.oasis.opendocument.text"),
    "a zip of something else": zipped("a.txt"),
    "a picture (PNG)": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40),
    "a picture (JPEG)": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(40),
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "an HTML page": b"\xef\xbb\xbf\n<!DOCTYPE HTML>\n<html><body>Sign in, please</body></html>",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_rows_is_called_by_what_it_is(kind: str, tmp_path: Path) -> None:
    target, file = tmp_path / "house.db", tmp_path / "file.csv"
    database(target, "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)").close()
    file.write_bytes(KINDS[kind])
    (found,) = load(target, file, preview=True).findings
    assert found.kind == "other_kind" and found.message.startswith(f"This is {kind}")
    said = verify(file)
    assert (said.status, said.problems) == ("unknown", [found.message])
    answer = CliRunner().invoke(program_export, ["import", str(file), str(target)])
    assert answer.exit_code == 1 and found.message in answer.output


def test_another_programs_database_is_called_so(tmp_path: Path) -> None:
    target, other = tmp_path / "house.db", tmp_path / "other.db"
    for path in (target, other):
        database(path, "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)").close()
    (found,) = load(target, other, preview=True).findings
    assert found.kind == "other_kind" and found.message.startswith("This is another program's SQLite database")
    assert verify(other).problems == [found.message]


def test_rows_that_only_look_so_are_rows(tmp_path: Path) -> None:
    target, file = tmp_path / "house.db", tmp_path / "rooms.csv"
    database(target, "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)").close()
    file.write_text('id,name\n1,"<!doctype html>"\n2,%PDF-1.7\n')
    assert load(target, file).tables["rooms"].insert == 2
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT name FROM rooms").fetchall() == [("<!doctype html>",), ("%PDF-1.7",)]
