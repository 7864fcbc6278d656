"""The files that rows name leave in a package, those alone that a person may have; what is missing is told."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, Settings, export, verify
from datasette_program_export.errors import CancelledError, SettingsError
from datasette_program_export.exporting import file_columns
from datasette_program_export.formats.description.coverage import ColumnFiles, FileGap
from datasette_program_export.formats.description.coverage_text import coverage_sentences
from datasette_program_export.formats.registry import NAMES, get_format
from datasette_program_export.verifying.converter import Conversion
from tests.support.databases.building import database
from tests.support.files.packages import opened, valid

JPG = b"\xff\xd8\xff\xe0" + b"picture" * 20
SCHEMA = (
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, photo TEXT, id_secret TEXT)",
    "CREATE TABLE letters (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients, path TEXT)",
    "INSERT INTO clients VALUES (1, 'Anna', 'anna/portrait.jpg', 'secret.txt'), (2, 'Ben', 'ben.jpg', NULL),"
    " (3, 'Cleo', NULL, ''), (4, 'Dora', 'none.jpg', NULL)",
    "INSERT INTO letters VALUES (1, 1, 'a/letter.txt'), (2, 1, 'b/letter.txt'), (3, 1, './a//letter.txt'),"
    " (4, 2, 'bens.txt'), (5, 1, '../root/ben.jpg'), (6, 1, 'link'), (7, 1, 'empty')",
)


class Case:
    """A database of clients with files, and the folder that these lie in."""

    def __init__(self, folder: Path) -> None:
        self.path, self.root = folder / "a.db", folder / "root"
        database(self.path, *SCHEMA).close()
        for name, content in {
            "anna/portrait.jpg": JPG, "ben.jpg": b"\xff\xd8\xff\xe1ben", "a/letter.txt": b"A", "b/letter.txt": b"B",
            "bens.txt": b"canary of Ben", "secret.txt": b"canary of a secret", "unnamed.txt": b"canary", "empty": b"",
        }.items():  # fmt: skip
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(content)
        (self.root / "link").symlink_to("unnamed.txt")
        columns = ("clients.photo", "letters.path", "clients.id_secret")
        self.settings = Settings(
            files=dict.fromkeys(columns, str(self.root)), persons=["clients"], secrets={"clients": ["id_secret"]}
        )

    def export(self, **request: Any) -> bytes:
        made = export(self.path, Request(**{"format": "package", **request}), settings=self.settings)
        with made:
            content = b"".join(made)
        self.coverage = made.coverage
        return content


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_each_file_is_in_it_once_with_its_digest(case: Case, tmp_path: Path) -> None:
    archive, found, _ = opened(content := case.export())
    assert valid(tmp_path, content).valid
    files = [name for name in archive.namelist() if name.startswith("files/")]
    assert files == [
        "files/clients/photo/portrait.jpg", "files/clients/photo/ben.jpg", "files/letters/path/letter.txt",
        "files/letters/path/letter_2.txt", "files/letters/path/bens.txt", "files/letters/path/empty",
    ]  # fmt: skip
    named = found["program_export"]["named_files"]
    assert archive.read("files/clients/photo/portrait.jpg") == JPG
    digest = f"sha256:{hashlib.sha256(JPG).hexdigest()}"
    told = {"path": "files/clients/photo/portrait.jpg", "bytes": len(JPG), "hash": digest}
    assert named["clients"]["photo"]["anna/portrait.jpg"] == told
    assert named["letters"]["path"]["./a//letter.txt"] == named["letters"]["path"]["a/letter.txt"]
    outside = "../root/ben.jpg"
    assert case.coverage.files == (
        ColumnFiles("clients", "photo", 3, 2, len(JPG) + 7, (FileGap("missing", 1, ("none.jpg",)),)),
        ColumnFiles("letters", "path", 7, 5, 15, (FileGap("link", 1, ("link",)), FileGap("outside", 1, (outside,)))),
    )
    assert b"canary of a secret" not in content and (case.root / "unnamed.txt").read_bytes() == b"canary"
    assert "7 of 10 files that rows name" in archive.read("README.txt").decode()
    sentences = coverage_sentences(case.coverage)
    assert "clients.photo: 1 of 3 files is not included, as it is not there: none.jpg." in sentences


def test_only_files_of_exported_rows_and_columns(case: Case) -> None:
    """Not another person's, not those of a secret column, of a table left out, or that the person may not see."""
    content = case.export(table="clients", records=(("1",),))
    archive = opened(content)[0]
    files = {name for name in archive.namelist() if name.startswith("files/")}
    assert "files/letters/path/bens.txt" not in files and "files/clients/photo/ben.jpg" not in files
    assert "files/clients/photo/portrait.jpg" in files and len(files) == 4
    assert not any(b"canary" in archive.read(name) for name in archive.namelist())
    without = opened(case.export(without=("letters", "clients.photo")))[0].namelist()
    assert not any(name.startswith("files/") for name in without)
    seen = export(case.path, Request(format="package"), settings=case.settings, visible={"letters"})
    assert {name.split("/")[1] for name in opened(b"".join(seen))[0].namelist() if name.startswith("files/")} == {
        "letters"
    }
    secret = opened(case.export(secrets="include"))[0]
    assert secret.read("files/clients/id_secret/secret.txt") == b"canary of a secret"


def test_nothing_is_read_where_nobody_named_a_folder(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_columns, "Folder", None)
    case.settings = Settings()
    assert "named_files" not in opened(case.export())[1]["program_export"] and case.coverage.files == ()
    case.settings = Settings(files={"clients.photo": str(case.root)})
    assert case.export(sql="SELECT photo FROM clients") and case.coverage.files == ()
    case.settings = Settings(files={"clients.picture": str(case.root)})
    with pytest.raises(SettingsError, match="files: clients has no column picture"):
        case.export()


@pytest.mark.parametrize("name", NAMES)
def test_other_formats_tell_how_many_are_not_inside(case: Case, name: str) -> None:
    case.export(format=name, table="letters", cascade=False)
    found = case.coverage.files[0]
    holds = get_format(name).holds_files
    assert (found.named, found.inside) == (7, 5 if holds else 0)
    if not holds:
        told = (
            "letters.path: 7 of 7 files are not included, as this kind of file holds none; a package or a dossier does."
        )
        assert told in coverage_sentences(case.coverage)


def test_limits_leave_files_out_visibly(case: Case) -> None:
    case.settings = case.settings.model_copy(update={"file_mb": 0.0001, "files_most": 4})
    case.export()
    gaps = {(one.column, gap.why): gap.files for one in case.coverage.files for gap in one.gaps}
    assert gaps["photo", "large"] == 1 and gaps["path", "full"] == 2
    case.settings = case.settings.model_copy(update={"files_mb": 0.00001})
    case.export()
    assert {gap.why for one in case.coverage.files for gap in one.gaps} > {"large", "full"}


def test_a_file_that_changes_while_it_is_read_is_told_and_the_rest_is_complete(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.read

    def growing(file: int, size: int) -> bytes:
        with (case.root / "anna" / "portrait.jpg").open("ab") as other:
            other.write(b"more")
        return read(file, size)

    monkeypatch.setattr(os, "read", growing)
    content = case.export(table="clients", cascade=False)
    monkeypatch.undo()
    (tmp_path / "p.zip").write_bytes(content)
    assert case.coverage.files[0].gaps[0] == FileGap("changed", 1, ("anna/portrait.jpg",))
    assert verify(tmp_path / "p.zip").status == "complete"


def test_reading_a_file_can_be_cancelled(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    made = export(case.path, Request(format="package"), settings=case.settings)
    read = os.read

    def cancelled(file: int, size: int) -> bytes:
        made.cancel()
        return read(file, size)

    monkeypatch.setattr(os, "read", cancelled)
    with pytest.raises(CancelledError), made:
        b"".join(made)


def test_the_log_has_no_name_of_a_file(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "datasette_program_export.exporting")
    case.export()
    assert "clients.photo: 1 of 3 files" in caplog.text and "none.jpg" not in caplog.text


def test_names_that_differ_in_odd_ways_are_all_kept(tmp_path: Path) -> None:
    root = tmp_path / "root"
    names = ["a.JPG", "A.jpg", "CON.txt", "with blank.txt", "ümlaut.txt", ".hidden", "a:b.txt", "tab\t.txt", "x.y.z"]
    for name in names:
        root.mkdir(exist_ok=True)
        (root / name).write_bytes(name.encode())
    path = tmp_path / "a.db"
    with closing(database(path, "CREATE TABLE [t.1] ([c d] TEXT)")) as connection:
        connection.executemany("INSERT INTO [t.1] VALUES (?)", [(name,) for name in names])
    settings = Settings(files={"t.1.c d": str(root)})
    content = b"".join(export(path, Request(format="package"), settings=settings))
    (tmp_path / "p.zip").write_bytes(content)
    archive, found, _ = opened(content)
    named = found["program_export"]["named_files"]["t.1"]["c d"]
    assert {name: archive.read(one["path"]).decode() for name, one in named.items()} == {name: name for name in names}
    report = verify(tmp_path / "p.zip")
    assert report.status == "complete" and report.files is not None and report.files.inside == len(names)


def changed(content: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The package unpacked, changed, and packed again, so that its own digest does not tell."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(out := io.BytesIO(), "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def _described(files: dict[str, bytes], change: Callable[[dict[str, Any]], object]) -> None:
    found = json.loads(files["datapackage.json"])
    change(found["program_export"])
    files["datapackage.json"] = json.dumps(found).encode()


def _one_more(own: dict[str, Any]) -> None:
    photos = own["named_files"]["clients"]["photo"]
    photos["other.jpg"] = photos["anna/portrait.jpg"]
    own["coverage"]["files"][0] |= {"named": 4, "inside": 3}


PICTURE = "files/clients/photo/portrait.jpg"
CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "a byte": (lambda files: files.update({PICTURE: JPG[:-1] + b"!"}), "portrait.jpg was changed"),
    "gone": (lambda files: files.pop(PICTURE), f"does not hold {PICTURE}"),
    "shorter": (lambda files: files.update({PICTURE: JPG[:3]}), "has 3 bytes"),
    "not announced": (lambda files: _described(files, lambda own: own["named_files"].pop("letters")), "does not name"),
    "another count": (
        lambda files: _described(files, lambda own: own["coverage"]["files"][0].update(inside=3)),
        "not as many",
    ),
    "no row names it": (lambda files: _described(files, _one_more), "No row names"),
    "another column": (
        lambda files: _described(
            files, lambda own: own["named_files"]["clients"].update(x=own["named_files"]["clients"].pop("photo"))
        ),
        "not as this program writes it",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_shows(case: Case, tmp_path: Path, what: str) -> None:
    change, said = CHANGES[what]
    (tmp_path / "p.zip").write_bytes(changed(case.export(), change))
    report = verify(tmp_path / "p.zip")
    assert report.status != "complete" and said in " ".join(report.problems)


def test_they_go_along_into_another_package_and_are_told_in_another_format(case: Case, tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(case.export())
    inside = []
    for name in ("package", "programjson"):
        conversion = Conversion(tmp_path / "p.zip", Request(format=name))
        (tmp_path / f"c.{name}").write_bytes(b"".join(conversion))
        assert verify(tmp_path / f"c.{name}").status == "complete"
        inside.append([one.inside for one in conversion.coverage.files])
        gaps = {gap.why: gap.files for one in conversion.coverage.files for gap in one.gaps}
        assert gaps.get("form", 0) == (0 if name == "package" else 5)
    assert inside == [[2, 5], [0, 0]]
    assert opened((tmp_path / "c.package").read_bytes())[0].read(PICTURE) == JPG
