"""``verify`` of files that others packed, wrote or made to do harm: no false alarm, no way round its report."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import verify
from datasette_program_export.cli.main import program_export
from tests.support.databases.building import database
from tests.support.files.changing import HOUSE, WAYS, changed, made


def report_of(tmp_path: Path, content: bytes) -> Any:
    (tmp_path / "f").write_bytes(content)
    return verify(tmp_path / "f")


def packed(content: bytes, method: int = zipfile.ZIP_DEFLATED, folder: bool = False) -> bytes:
    """A package packed anew, as programs for zips do."""
    archive, out = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as new:
        if folder:
            new.writestr("data/", b"")
        for name in archive.namelist():
            new.writestr(name, archive.read(name))
    return out.getvalue()


# --- no false alarms

NOCASE_AND_BAD_UTF8 = (
    "CREATE TABLE p (k TEXT COLLATE NOCASE PRIMARY KEY)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, k TEXT REFERENCES p)",
    "INSERT INTO p VALUES (CAST(X'41ff' AS TEXT))",
    "INSERT INTO c (k) VALUES (CAST(X'61ff' AS TEXT)), (CAST(X'62ff' AS TEXT))",
)
INDEXED_OTHERWISE = (
    "CREATE TABLE p (k TEXT COLLATE NOCASE)",
    "CREATE UNIQUE INDEX one ON p (k)",
    "CREATE UNIQUE INDEX newer ON p (k COLLATE BINARY)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, k TEXT REFERENCES p (k))",
    "INSERT INTO p VALUES ('A')",
    "INSERT INTO c (k) VALUES ('a'), ('b')",
)
COMPUTED_KEYS = (
    "CREATE TABLE p (a INT, k TEXT AS ('k' || a) STORED UNIQUE)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, a, k TEXT AS ('k' || a) REFERENCES p (k))",
    "CREATE TABLE d (id INTEGER PRIMARY KEY, k TEXT REFERENCES p (k))",
    "INSERT INTO p (a) VALUES (1), (2)",
    "INSERT INTO c (a) VALUES (1), (9), (NULL)",
    "INSERT INTO d (k) VALUES ('k1'), ('k9')",
)
A_KEY_TOO_SHORT = (
    "CREATE TABLE p (a, b, PRIMARY KEY (a, b))",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, x REFERENCES p)",
    "INSERT INTO p VALUES (1, 1)",
    "INSERT INTO c (x) VALUES (1), (3)",
)
JSON_IN_THE_SCHEMA = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, j TEXT CHECK (json_valid(j)), n AS (json_extract(j, '$.n')))",
    "INSERT INTO t (j) VALUES ('{\"n\": 1}')",
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "house",
    [NOCASE_AND_BAD_UTF8, INDEXED_OTHERWISE, COMPUTED_KEYS, A_KEY_TOO_SHORT, JSON_IN_THE_SCHEMA],
    ids=range(5),
)
def test_keys_that_sqlite_compares_or_computes_in_its_own_way_are_no_alarm(
    tmp_path: Path, house: tuple[str, ...], way: str
) -> None:
    report = report_of(tmp_path, made(*house, **WAYS[way]))
    assert (report.status, report.problems) == ("complete", [])
    assert all(d.rows == d.announced for d in report.dangling)


def test_a_file_read_without_its_computed_columns_does_not_claim_that_all_references_were_checked(
    tmp_path: Path,
) -> None:
    assert report_of(tmp_path, made(*COMPUTED_KEYS)).references_checked
    assert not report_of(tmp_path, made(*COMPUTED_KEYS, format="sqlite")).references_checked


def test_a_package_packed_anew_with_its_folder_written_down_is_complete(tmp_path: Path) -> None:
    """As ``zip -r`` does."""
    assert report_of(tmp_path, packed(made(*HOUSE, format="package"), folder=True)).complete


def test_what_is_no_file_of_ours_is_called_neither_cut_nor_damaged(tmp_path: Path) -> None:
    for content in (b"-- hello\n", b"-- MySQL dump\n--\nCREATE TABLE x (a);\n", gzip.compress(b"a,b\r\n1,2\r\n" * 50)):
        report = report_of(tmp_path, content)
        assert report.status == "unknown" and "cannot prove itself" in report.problems[0]
    script = made(*HOUSE, format="sql")
    for place in (150, 300, len(script) - 10):
        assert report_of(tmp_path, script[:place]).status == "cut"


# --- files made to do harm


def test_what_lies_before_or_after_a_zip_is_told(tmp_path: Path) -> None:
    sealed = made(*HOUSE, format="package")
    for content in (sealed + packed(sealed), b"PK\3\4 more" + packed(sealed), packed(sealed) + b"more"):
        assert report_of(tmp_path, content).status == "damaged"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_a_way_that_needs_memory_without_bound_is_not_unpacked(tmp_path: Path, method: int) -> None:
    report = report_of(tmp_path, packed(made(*HOUSE, format="package"), method))
    assert report.status == "damaged" and "pack it anew" in report.problems[0]


def test_a_description_of_very_many_lines_or_parts_is_refused_soon(tmp_path: Path) -> None:
    start = b'{"format":"programjson",\n'
    for many in (b"{}\n" * 3_000_000, b'"x":[' + b"{}," * 3_000_000 + b"{}],\n"):
        report = report_of(tmp_path, gzip.compress(start + many + b'"tables":{\n', 1))
        assert report.status == "damaged"


def _resealed(lines: list[Any]) -> bytes:
    """An ndjson document whose digest is right; its rows stay the bytes that they are."""
    written = [line if isinstance(line, bytes) else json.dumps(line, separators=(",", ":")).encode() for line in lines]
    body = b"\n".join(written[:-1]) + b"\n"
    integrity = {**lines[-1]["integrity"], "document": hashlib.sha256(body).hexdigest()}
    return body + json.dumps({"integrity": integrity}, separators=(",", ":")).encode() + b"\n"


def _a_column_twice(lines: list[Any]) -> None:
    columns = lines[0]["schema"]["tables"]["c"]["columns"]
    columns.append(columns[1])


ODD = {
    "no head": lambda lines: lines[0].update(export=5),
    "a head of another form": lambda lines: lines[0].update(export={"source": []}),
    "coverage that is a list": lambda lines: lines[-2].update(coverage=[]),
    "dangling rows that are no number": lambda lines: lines[-2]["coverage"]["dangling"][0].update(rows="many"),
    "tables that are no object": lambda lines: lines[-1]["integrity"].update(tables=[]),
    "rows that are no number": lambda lines: lines[-1]["integrity"].update(rows="x"),
    "a column twice": _a_column_twice,
}


@pytest.mark.parametrize("odd", ODD)
def test_a_file_that_describes_itself_oddly_under_a_right_digest_is_reported(tmp_path: Path, odd: str) -> None:
    lines: list[Any] = made(*HOUSE, format="ndjson", layout="envelope").splitlines()
    for place in (0, -2, -1):
        lines[place] = json.loads(lines[place])
    assert report_of(tmp_path, _resealed(lines)).complete
    ODD[odd](lines)
    assert report_of(tmp_path, _resealed(lines)).status in ("damaged", "changed")


def _without(part: str) -> Any:
    def change(description: Any) -> None:
        resource = description["resources"][0]
        del (resource["schema"]["fields"][0] if part in ("missingValues", "program_export") else resource)[part]

    return change


def _kind(description: Any) -> None:
    description["resources"][0]["schema"]["fields"][0]["program_export"]["kind"] = "colour"


ODD_PACKAGES = {
    **{part: _without(part) for part in ("path", "hash", "bytes", "format", "dialect", "missingValues")},
    "an unknown kind": _kind,
    "a size that is no number": lambda d: d["resources"][0].update(bytes="x"),
    "a digest of nothing": lambda d: d["program_export"]["files"].update({"README.txt": None}),
}


@pytest.mark.parametrize("odd", ODD_PACKAGES)
def test_a_package_that_describes_its_files_oddly_is_reported(tmp_path: Path, odd: str) -> None:
    def change(files: dict[str, bytes]) -> None:
        described = json.loads(files["datapackage.json"])
        ODD_PACKAGES[odd](described)
        files["datapackage.json"] = json.dumps(described).encode()

    assert report_of(tmp_path, changed(made(*HOUSE, format="package"), change)).status == "damaged"


def test_a_compressed_sqlite_file_that_is_refused_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.db").write_bytes(made(*HOUSE, format="sqlite"))
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("UPDATE program_export SET value = '{\"source\":5}' WHERE key = 'export'")
        connection.execute("UPDATE program_export SET value = ? WHERE key = 'document'", ("a1" * 32,))
    zeros = (tmp_path / "x.db").read_bytes().replace(b"a1" * 32, b"0" * 64)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    sealed = zeros.replace(b"0" * 64, hashlib.sha256(zeros).hexdigest().encode())
    assert report_of(tmp_path, gzip.compress(sealed)).status == "damaged"
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_a_terminal_that_is_closed_leaves_nothing_behind() -> None:
    """Without the handler the process ends at once, and its temporary files stay."""
    for name in ("SIGTERM", "SIGHUP"):
        assert ended_by(name, "SIG_DFL") == (128 + getattr(signal, name), "tidied\n")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_a_terminal_that_is_closed_does_not_matter_under_nohup() -> None:
    assert ended_by("SIGHUP", "SIG_IGN") == (0, "went on\ntidied\n")


def ended_by(name: str, before: str) -> tuple[int, str]:
    """How a command ends on a signal, and what it says; ``before``: what the signal did when the command began.

    That is inherited, also from whoever runs these tests, under nohup for example."""
    code = (
        f"import signal; signal.signal(signal.{name}, signal.{before})\n"
        "from datasette_program_export.cli.command import leave_nothing_behind\n"
        "leave_nothing_behind()\n"
        f"try:\n signal.raise_signal(signal.{name})\n print('went on')\nfinally:\n print('tidied')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


# --- what is printed


def test_names_in_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    name = "e\x1b[31mred\x07\r\n\u202eabc"
    content = made(f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY, "c\x1b[2J" REFERENCES gone)')
    (tmp_path / "f.json").write_bytes(content)
    done = CliRunner().invoke(program_export, ["verify", str(tmp_path / "f.json")])
    assert done.exit_code == 0 and r"\x1b[31mred\x07\r\n\u202eabc" in done.stdout
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", done.stdout)


def test_a_file_whose_name_is_not_utf8_is_reported_too(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"bad\xff.json")
    try:
        path.write_bytes(made(*HOUSE))
    except OSError:
        pytest.skip("this file system knows no such names")
    done = CliRunner().invoke(program_export, ["verify", str(path), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["status"] == "complete"


@pytest.mark.parametrize(
    "words", [["query", "{}", "SELECT '\udcff'"], ["table", "{}", "p", "--where", "name = '\udcff'"]]
)
def test_a_question_that_is_no_utf8_is_refused_in_a_sentence(tmp_path: Path, words: list[str]) -> None:
    database(tmp_path / "x.db", *HOUSE).close()
    done = CliRunner().invoke(program_export, [word.format(tmp_path / "x.db") for word in words])
    assert (done.exit_code, done.stderr) == (2, "Error: What was asked for is not valid UTF-8.\n")
