"""BLOBs leave a package as files of their own, and come back as they were."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, Settings, export, load, verify
from datasette_program_export.errors import RefusedError, RequestError
from datasette_program_export.formats.package import blob_writing, file_kinds
from datasette_program_export.verifying.comparison import compare
from tests.support.files.package_reader import read_package
from tests.support.files.packages import made, opened, valid

PNG = b"\x89PNG\r\n\x1a\n"
PICTURES = (
    "CREATE TABLE f (id INTEGER PRIMARY KEY, name TEXT, data BLOB)",
    f"INSERT INTO f VALUES (1, 'a.png', X'{PNG.hex()}'), (2, 'small', X'00ff'), (3, 'none', NULL), (4, '', X'')",
)
EVERY = (
    "CREATE TABLE k (k1 TEXT, k2 INTEGER, b BLOB, m, j JSON, PRIMARY KEY (k1, k2)) WITHOUT ROWID",
    f"INSERT INTO k VALUES ('A', 1, X'{PNG.hex()}', X'{PNG.hex()}', '{{\"a\":1}}'),"
    f" ('a', 1, X'{PNG.hex()}01', 'text', X'{PNG.hex()}02'), ('CON', 2, NULL, 1.5, NULL),"
    f" ('../x', 3, X'{b'%PDF-1.7'.hex()}', NULL, '{{\"$file\":\"x.y\"}}'),"
    " ('', 4, zeroblob(70000), 'files/k/b/A.png', 1)",
    "CREATE TABLE alone (v)",
    f"INSERT INTO alone VALUES (X'{PNG.hex()}'), (NULL), (''), (X'')",
    'CREATE TABLE Alone2 ("B" BLOB, "b " BLOB)',
    f"INSERT INTO Alone2 VALUES (X'{PNG.hex()}', X'{PNG.hex()}')",
)


def test_a_picture_is_a_file_and_its_cell_names_it(tmp_path: Path) -> None:
    archive, found, resources = opened(content := made(*PICTURES))
    assert valid(tmp_path, content).valid
    assert archive.namelist() == ["data/f.csv", "files/f/data/1.png", "README.txt", "datapackage.json"]
    assert archive.read("files/f/data/1.png") == PNG
    assert archive.read("data/f.csv").splitlines() == [
        b"id,name,data", b"1,a.png,files/f/data/1.png", b"2,small,AP8=", b"3,none,NULL_", b'4,"",""',
    ]  # fmt: skip
    assert resources["f"]["schema"]["fields"][2]["program_export"]["kind"] == "file"
    digest = f"sha256:{hashlib.sha256(PNG).hexdigest()}"
    assert found["program_export"]["blobs"] == {"files/f/data/1.png": {"bytes": 8, "hash": digest}}
    assert "files/<table>/<column>/" in archive.read("README.txt").decode()


def test_inline_they_stay_in_their_table() -> None:
    archive, found, _ = opened(made(*PICTURES, blobs="inline"))
    assert archive.namelist() == ["data/f.csv", "README.txt", "datapackage.json"]
    assert "blobs" not in found["program_export"]
    with pytest.raises(RequestError, match="blobs goes with the format package only"):
        Request(format="csv", blobs="inline")


@pytest.mark.parametrize("members", ["csv", "tsv", "ndjson"])
def test_all_of_them_come_back(tmp_path: Path, members: str) -> None:
    """With odd keys and columns, none, equal but for case; the digests are those without files."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        for statement in EVERY:
            connection.execute(statement)
        connection.commit()
    content = b"".join(export(tmp_path / "a.db", Request(format="package", members=members)))
    inline = b"".join(export(tmp_path / "a.db", Request(format="package", members=members, blobs="inline")))
    archive, found, _ = opened(content)
    assert len([name for name in archive.namelist() if name.startswith("files/")]) == 9
    assert found["program_export"]["integrity"] == opened(inline)[1]["program_export"]["integrity"]
    assert read_package(content).tables == read_package(inline).tables
    (tmp_path / "p.zip").write_bytes(content)
    report = verify(tmp_path / "p.zip")
    compare(report, tmp_path / "a.db", Settings())
    assert report.status == "complete" and report.differences == []
    load(tmp_path / "b.db", tmp_path / "p.zip")
    databases = [sqlite3.connect(tmp_path / name) for name in ("a.db", "b.db")]
    assert list(databases[0].iterdump()) == list(databases[1].iterdump())


def test_for_a_spreadsheet_they_are_files_too(tmp_path: Path) -> None:
    content = made(*PICTURES, dialect="spreadsheet")
    assert b"files/f/data/1.png" in opened(content)[0].read("data/f.csv")
    (tmp_path / "p.zip").write_bytes(content)
    assert verify(tmp_path / "p.zip").status == "complete"


def repacked(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The package unpacked, changed, and packed again."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(out := io.BytesIO(), "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def _described(files: dict[str, bytes], name: str, data: bytes) -> None:
    files[name] = data
    found = json.loads(files["datapackage.json"])
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    found["program_export"]["blobs"][name] = {"bytes": len(data), "hash": digest}
    files["datapackage.json"] = json.dumps(found).encode()


def _twice(files: dict[str, bytes]) -> None:
    data = files["data/f.csv"].replace(b"AP8=", b"files/f/data/1.png")
    found = json.loads(files["datapackage.json"])
    found["resources"][0] |= {"bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
    files |= {"data/f.csv": data, "datapackage.json": json.dumps(found).encode()}


NAME = "files/f/data/1.png"
CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "missing": (lambda files: files.pop(NAME), "does not hold files/f/data/1.png"),
    "changed": (lambda files: files.update({NAME: PNG[:-1] + b"!"}), "1.png was changed"),
    "longer": (lambda files: files.update({NAME: PNG + b"!"}), "1.png"),
    "shorter": (lambda files: files.update({NAME: PNG[:3]}), "has 3 bytes, not 8"),
    "one more": (lambda files: files.update({"files/f/data/9.png": PNG}), "that it does not name"),
    "one more, described": (lambda files: _described(files, "files/f/data/9.png", PNG), "No row names the file"),
    "named twice": (_twice, "named twice"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_file_that_is_missing_changed_or_too_many_is_found(tmp_path: Path, case: str) -> None:
    change, said = CHANGES[case]
    (tmp_path / "p.zip").write_bytes(repacked(made(*PICTURES), change))
    report = verify(tmp_path / "p.zip")
    assert report.status != "complete" and said in " ".join(report.problems)
    with pytest.raises(RefusedError, match="Nothing was imported"):
        load(tmp_path / "b.db", tmp_path / "p.zip")


@pytest.mark.parametrize("limit", [{"MOST_FILES": 2}, {"MOST_WAITING": 2 * len(PNG) + 1}], ids=str)
def test_there_are_not_more_files_than_can_be_held(limit: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The others stay in their table: nothing is lost."""
    for name, most in limit.items():
        monkeypatch.setattr(blob_writing, name, most)
    values = ", ".join(f"({i}, X'{PNG.hex()}')" for i in range(5))
    content = made("CREATE TABLE t (id INTEGER PRIMARY KEY, b)", f"INSERT INTO t VALUES {values}")
    assert len([n for n in opened(content)[0].namelist() if n.startswith("files/")]) == 2
    assert [row[1] for row in read_package(content).tables[0].rows] == [("blob", PNG)] * 5


KINDS = {
    "png": PNG, "jpg": b"\xff\xd8\xff\xe0", "gif": b"GIF89a", "webp": b"RIFF\0\0\0\0WEBPVP8", "pdf": b"%PDF-1.4",
    "wav": b"RIFF\0\0\0\0WAVEfmt", "zip": b"PK\3\4", "mp4": b"\0\0\0\x18ftypisom", "heic": b"\0\0\0\x18ftypheic",
    "mp3": b"ID3\4", "bin": b"\1" * file_kinds.LARGE_BLOB, None: b"\1" * (file_kinds.LARGE_BLOB - 1),
}  # fmt: skip


@pytest.mark.parametrize("extension", KINDS)
def test_a_kind_of_file_is_known_by_its_first_bytes(extension: str | None) -> None:
    assert file_kinds.extension_of(KINDS[extension]) == extension
    assert file_kinds.extension_of(b"") is None and file_kinds.extension_of(b"RIFF") is None


def test_references_by_blobs_that_are_files_are_no_constraints(tmp_path: Path) -> None:
    """Two cells with one value name two files."""
    content = made(
        "CREATE TABLE p (k BLOB PRIMARY KEY)",
        "CREATE TABLE c (k BLOB REFERENCES p)",
        f"INSERT INTO p VALUES (X'{PNG.hex()}')",
        f"INSERT INTO c VALUES (X'{PNG.hex()}')",
    )
    assert valid(tmp_path, content).valid
