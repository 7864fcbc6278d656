"""Whatever a file holds, reading it takes a bounded amount of memory; what is too large is refused in plain words."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from datasette_program_export import load, verify
from datasette_program_export.errors import RequestError
from tests.support.databases.bombs import BOMBS, MB, MOST
from tests.support.databases.building import database
from tests.support.runs.thorough import ALL, shared

SIZE = 2000 * MB if ALL else 70 * MB  # unpacked; the larger ones take minutes
QUICK = ("an endless line in gzip", "a cell of programjson", "lists in a cell", "a wide text", "a head of parts")
QUICK += ("fields in a record", "rows of sqlite", "a window of zstd")
KINDS = [pytest.param(kind, marks=() if kind in QUICK else pytest.mark.long) for kind in BOMBS]

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")

CHILD = """
import json, sys
import bz2, ijson, zstandard
from datasette_program_export import load, verify
from datasette_program_export.errors import RequestError
from datasette_program_export.formats import NAMES, get_format
from datasette_program_export.errors import ExportError
list(map(get_format, NAMES))

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

idle = peak()
what, file, target, choices = sys.argv[1:]
try:
    if what == "verify":
        found = verify(file)
        said = [found.status, *found.problems]
    else:
        found = load(target, file, preview=True, **json.loads(choices))
        said = [found.status, *(finding.message for finding in found.findings)]
except ExportError as error:
    said = [type(error).__name__, str(error)]
print(json.dumps([peak() - idle, said]))
"""


def in_a_child(what: str, file: Path, target: Path | str = "", **choices: object) -> tuple[float, list[str]]:
    """The peak above an idle process in MB, and what was said."""
    command = [sys.executable, "-c", CHILD, what, str(file), str(target), json.dumps(choices)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    grown, said = json.loads(done.stdout)
    return grown, said


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", shared(KINDS))
def test_no_file_fills_the_memory(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(BOMBS[kind](tmp_path, SIZE))
    grown, said = in_a_child("verify", file)
    assert grown <= MOST, (grown, said)
    assert said[0] != "complete" and said[1].endswith((".", ")")), said


def rows(first: str, piece: str, count: int, last: str) -> list[str]:
    return [first, *[piece] * count, last]


FOREIGN = {
    "line.ndjson": rows('{"id": 1, "a": "', "a" * MB, 80, '"}\n{"id": 2}\n'),
    "keys.ndjson": rows('{"id": 1', ', "k": 0' * 100_000, 60, "}\n{}\n"),
    "string.json": rows('{"t": [{"id": 1, "a": "', "a" * MB, 80, '"}]}'),
    "escapes.json": rows('{"t": [{"id": 1, "a": "', '\\"\\\\' * 100_000, 300, '"}]}'),
    "lists.json": rows('{"t": [{"id": 1, "a": [0', ", []" * 100_000, 10, "]}]}"),
    "deep.json": rows('{"x": ', "[" * MB, 100, ""),
    "keys.json": rows('{"x": 0', "".join(f', "k{i}": 0' for i in range(50_000)), 20, "}"),
    "number.json": rows('{"t": [{"id": ', "1" * MB, 10, "}]}"),
    "field.csv": rows("id,a\n1,", "a" * MB, 80, "\n"),
    "quoted.csv": rows('id,a\n1,"', 'a""\n' * 100_000, 180, '"\n'),
    "fields.csv": rows("id,a\n1,", "," * MB, 50, "\n"),
}
FEW = ("line.ndjson", "lists.json", "field.csv")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target.db"
    database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)").close()
    return path


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in FEW else pytest.mark.long) for n in FOREIGN])
def test_nor_does_one_of_another_program(tmp_path: Path, target: Path, name: str) -> None:
    file = tmp_path / name
    with file.open("w") as opened:
        opened.writelines(FOREIGN[name])
    grown, said = in_a_child("load", file, target, table="t")
    assert grown <= MOST, (grown, said)
    assert said[0] in ("refused", "RequestError", "UnreadableError") and said[1].endswith((".", ")")), said


def test_a_number_with_an_endless_exponent_is_an_error_in_words(tmp_path: Path, target: Path) -> None:
    for number in ("1e999999999999999999999", "1e999999999", "-1e-99999999999999999999", "1" * 5000):
        for text in (f'{{"t": [{{"id": 1, "a": {number}}}]}}', f'{{"id": 1, "a": {number}}}\n{{"id": 2}}\n'):
            file = tmp_path / ("rows.json" if '"t"' in text else "rows.ndjson")
            file.write_text(text)
            report = load(target, file, preview=True, table="t")
            assert report.status in ("refused", "preview") and all(f.message.endswith(".") for f in report.findings)


@pytest.mark.parametrize("encoding", ["rot13", "zlib", "base64", "hex", "nix", "a\0b", "undefined"])
def test_only_encodings_of_texts_are_taken(tmp_path: Path, target: Path, encoding: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text("id,a\n1,x\n")
    with pytest.raises(RequestError, match=re.escape(f"There is no encoding {encoding} of texts.")):
        load(target, file, preview=True, table="t", encoding=encoding)


def test_a_zip_with_a_file_without_a_name(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"x")
    assert verify(tmp_path / "x.zip").problems == ["The zip holds a file without a name."]


def test_large_rows_come_back_with_trust(tmp_path: Path, target: Path) -> None:
    """A row beyond the limit: refused with the way out, and the way out works."""
    from tests.support.databases.bombs import document, in_gzip

    whole = document(tmp_path, "programjson").replace(b"MARK", b"a" * 57 * MB)
    (tmp_path / "large.json.gz").write_bytes(in_gzip([whole]))
    (said,) = verify(tmp_path / "large.json.gz").problems
    assert "Line 7 " in said and "56 MB (cell_mb)" in said and "the argument trusted" in said
    (changed,) = verify(tmp_path / "large.json.gz", trusted=True).problems  # read to its end
    assert "its digest is another" in changed


def test_the_processs_limit_of_csv_is_nobodys_to_change(tmp_path: Path, target: Path) -> None:
    """A field that is larger than Python's reader takes is read all the same, and its limit stays what it was."""
    import sqlite3

    from datasette_program_export.database.source import Source
    from datasette_program_export.exporting.exporter import Export
    from datasette_program_export.options.request import Request

    before = csv.field_size_limit(1000)
    try:
        long = 'a "quoted",\r\n' * 100_000
        connection = sqlite3.connect(target)
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, long), (2, "x" * 5000), (3, None), (4, "")])
        connection.commit()
        with Export(Source.of(target), Request(tables=("t",), format="package")) as export:
            (tmp_path / "t.zip").write_bytes(b"".join(export))
        with Export(Source.of(target), Request(table="t", format="csv")) as export:
            (tmp_path / "t.csv").write_bytes(b"".join(export))
        assert verify(tmp_path / "t.zip").status == "complete"
        for name in ("t.zip", "t.csv"):
            report = load(target, tmp_path / name, preview=True, table="t" if name == "t.csv" else None)
            assert report.tables["t"].unchanged == 4, (name, report)
        assert csv.field_size_limit() == 1000
        connection.close()
    finally:
        csv.field_size_limit(before)


def test_an_export_says_which_rows_are_too_large_to_be_read_unseen(tmp_path: Path) -> None:
    """What we write we can check: unseen where nothing is said, and with --trust where the file says so."""
    import sqlite3

    from datasette_program_export.database.source import Source
    from datasette_program_export.exporting.exporter import Export
    from datasette_program_export.options.request import Request

    path = tmp_path / "large.db"
    database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a)").close()
    connection = sqlite3.connect(path)
    for value, told in ("a" * 55 * MB, False), (b"b" * 43 * MB, True), ("\n" * 30 * MB, True):
        connection.execute("INSERT OR REPLACE INTO t VALUES (1, ?)", (value,))
        connection.commit()
        with Export(Source.of(path), Request(tables=("t",), format="programjson")) as export:
            (tmp_path / "t.json").write_bytes(b"".join(export))
            warnings = export.coverage.warnings
        assert [w.startswith("t: 1 row of up to ") and "--trust" in w for w in warnings] == [True] * told
        assert (verify(tmp_path / "t.json").status == "complete") is not told
        assert not told or verify(tmp_path / "t.json", trusted=True).status == "complete"
    connection.close()


def test_what_must_be_unpacked_to_be_read_is_bounded_and_in_its_folder(tmp_path: Path) -> None:
    from datasette_program_export.errors import SpoolFullError
    from datasette_program_export.importing.reading import limits_of
    from datasette_program_export.options.settings import Settings
    from tests.support.databases.bombs import document, in_gzip

    for kind in ("sqlite", "sql"):
        whole = document(tmp_path, kind)
        (tmp_path / "x.gz").write_bytes(in_gzip([whole]))
        tight = limits_of(Settings(spool_disk_mb=(len(whole) - 1) / 1e6, spool_dir=str(tmp_path)))
        with pytest.raises(SpoolFullError, match="spool_disk_mb"):
            verify(tmp_path / "x.gz", limits=tight)
        roomy = limits_of(Settings(spool_disk_mb=len(whole) / 1e6, spool_dir=str(tmp_path)))
        assert verify(tmp_path / "x.gz", limits=roomy).status == "complete"
        with pytest.raises(SpoolFullError, match="No such file"):
            verify(tmp_path / "x.gz", limits=limits_of(Settings(spool_dir=str(tmp_path / "nowhere"))))
    assert not list(tmp_path.glob("program-export-*"))
