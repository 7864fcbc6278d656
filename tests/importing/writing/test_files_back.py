"""The files of a package come back below their folders: all or none, none over another, none through a link."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import Request, Settings, export, load
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import BrokenExportError, BusyError, RefusedError, RequestError
from datasette_program_export.files.rooted.writing import NewFiles
from datasette_program_export.importing.report import ImportReport
from tests.support.databases.building import database

FILES = {"anna/portrait.jpg": b"picture", "b.txt": b"text", "empty": b""}


class Case:
    """A package with three files, a database to import it into, and a folder for the files."""

    def __init__(self, folder: Path) -> None:
        root, path = folder / "root", folder / "a.db"
        for name, content in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        values = ", ".join(f"('{name}', '{name}')" for name in FILES)
        database(
            path, "CREATE TABLE t (a TEXT, b TEXT)", f"INSERT INTO t VALUES {values}, ('b.txt', './b.txt')"
        ).close()
        settings = Settings(files={"t.a": str(root), "t.b": str(root)})
        self.package = folder / "p.zip"
        self.package.write_bytes(b"".join(export(path, Request(format="package"), settings=settings)))
        self.target, self.folder = folder / "b.db", folder / "back"
        self.folder.mkdir()

    def load(self, **choices: Any) -> ImportReport:
        return load(self.target, self.package, files=self.folder, **choices)

    def there(self) -> dict[str, bytes]:
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    assert report.files is not None
    return report.files.new, report.files.equal, report.files.different, report.files.left


def test_all_come_back_and_a_second_time_they_are_there(case: Case) -> None:
    assert counts(case.load(preview=True)) == (3, 0, 0, 0) and case.there() == {}
    assert counts(case.load()) == (3, 0, 0, 0) and case.there() == FILES
    (case.folder / "b.txt").unlink()
    assert counts(case.load()) == (1, 2, 0, 0) and case.there() == FILES


def test_without_a_folder_they_are_only_listed(case: Case) -> None:
    report = load(case.target, case.package)
    assert counts(report) == (0, 0, 0, 3) and case.there() == {}
    told = "3 files are in this file and were not written: the command import, with --files, puts them into "
    told += "their folder."
    assert told in [note.message for note in report.notes]
    assert "with --files, puts them" in " ".join(note.message for note in report.in_words("command").notes)
    report = load(case.target, case.package, files={"T.A": case.folder}, preview=True)
    assert counts(report) == (3, 0, 0, 3)


def test_a_different_file_stops_all_before_anything_is_written(case: Case) -> None:
    (case.folder / "b.txt").write_bytes(b"TEXT")
    for preview in (True, False):
        try:
            report = case.load(preview=preview)
        except RefusedError as error:
            report = error.report
        assert report.status == "refused" and counts(report) == (2, 0, 1, 0)
        assert "b.txt is there already with other bytes" in report.findings[0].message
    assert case.there() == {"b.txt": b"TEXT"} and not case.target.exists()


def test_nothing_is_written_through_a_link_or_over_a_folder(case: Case, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (case.folder / "anna").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="would be written through a link"):
        case.load()
    (case.folder / "anna").unlink()
    (case.folder / "b.txt").mkdir()
    with pytest.raises(RefusedError, match="b.txt is there already"):
        case.load()
    assert case.there() == {} and list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_that_somebody_puts_there_meanwhile_stays(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = NewFiles.publish

    def after_somebody(self: NewFiles) -> None:
        (case.folder / "b.txt").write_bytes(b"somebody's")
        publish(self)

    monkeypatch.setattr(NewFiles, "publish", after_somebody)
    with pytest.raises(BrokenExportError, match="put there meanwhile"):
        case.load()
    assert case.there() == {"b.txt": b"somebody's"} and not case.target.exists()
    assert [p.name for p in case.folder.iterdir()] == ["b.txt"]


def test_rows_that_cannot_go_in_keep_their_files_out(case: Case) -> None:
    database(case.target, "CREATE TABLE t (a TEXT CHECK (a <> 'empty'), b TEXT)").close()
    with pytest.raises(RefusedError):
        case.load()
    assert case.there() == {}


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_the_files_of_rows_that_are_set_aside_stay_out(case: Case, tmp_path: Path, encoding: str) -> None:
    made = f"PRAGMA encoding='{encoding}'"
    database(case.target, made, "CREATE TABLE t (a TEXT CHECK (a <> 'anna/portrait.jpg'), b TEXT)").close()
    aside = tmp_path / "bad.ndjson"
    for preview in (True, False):
        report = case.load(skip_bad=aside, preview=preview)
        assert report.set_aside == 1 and counts(report) == (2, 0, 0, 0)
        assert report.files is not None and report.files.aside == 1
    assert case.there() == {name: FILES[name] for name in ("b.txt", "empty")}
    assert sorted(p.name for p in case.folder.iterdir()) == ["b.txt", "empty"]  # no empty folder, no part


def test_a_file_that_another_row_names_is_written_although_one_is_set_aside(case: Case, tmp_path: Path) -> None:
    database(case.target, "CREATE TABLE t (a TEXT, b TEXT CHECK (b <> './b.txt'))").close()
    report = case.load(skip_bad=tmp_path / "bad.ndjson")
    assert report.set_aside == 1 and case.there() == FILES


def test_a_commit_that_fails_takes_the_files_back(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasette_program_export.importing.target import Target

    def failing(self: Target) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Target, "commit", failing)
    with pytest.raises(OSError, match="disk is full"):
        case.load()
    assert list(case.folder.iterdir()) == []


def test_a_new_database_whose_name_is_taken_meanwhile_takes_the_files_back(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasette_program_export.importing.target import Target

    publish = Target.publish

    def after_somebody(self: Target, *, private: bool) -> None:
        case.target.write_bytes(b"somebody's")
        publish(self, private=private)

    (case.folder / "empty").write_bytes(b"")
    monkeypatch.setattr(Target, "publish", after_somebody)
    with pytest.raises(BusyError, match="nothing was changed"):
        case.load()
    assert case.there() == {"empty": b""} and case.target.read_bytes() == b"somebody's"
    assert [p.name for p in case.folder.iterdir()] == ["empty"]


def test_bad_rows_are_not_set_aside_for_a_new_database_whose_name_is_taken_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasette_program_export.importing.target import Target

    publish = Target.publish

    def after_somebody(self: Target, *, private: bool) -> None:
        assert (tmp_path / "bad.ndjson").exists()
        self.path.write_bytes(b"somebody's")
        publish(self, private=private)

    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4,5\n6,7\n")
    monkeypatch.setattr(Target, "publish", after_somebody)
    with pytest.raises(BusyError, match="nothing was changed"):
        load(tmp_path / "new.db", tmp_path / "t.csv", skip_bad=tmp_path / "bad.ndjson", create=True)
    assert not (tmp_path / "bad.ndjson").exists()


def test_a_wrong_folder_or_column_is_said(case: Case, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"The file holds no files for t.x.*It has files for t.a, t.b"):
        load(case.target, case.package, files={"t.x": case.folder})
    with pytest.raises(RequestError, match="is no folder"):
        load(case.target, case.package, files=tmp_path / "none")


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(program_export, [str(a) for a in arguments])
    return done.exit_code, done.output


def test_the_command_takes_files_out_and_puts_them_back(case: Case, tmp_path: Path) -> None:
    package, made = tmp_path / "q.zip", tmp_path / "a.db"
    code, said = run("database", made, "--files", f"t.a={tmp_path / 'root'}", "-o", package)
    assert code == 0 and "(3 of 3 files that rows name, 11 bytes)" in said
    code, said = run("plan", made, "--files", f"t.a={tmp_path / 'root'}")
    assert code == 0 and "In a package or a dossier: 3 of 3 files that rows name, 11 bytes." in said
    code, said = run("verify", package)
    assert code == 0 and "3 of 3 files that rows name, 11 bytes." in said
    code, said = run("import", package, case.target, "--preview", "--files", case.folder)
    assert code == 0 and "files that rows name, 11 bytes: 3 new" in said and case.there() == {}
    code, said = run("import", package, case.target, "--files", f"t.a={case.folder}")
    assert code == 0 and case.there() == FILES
    with closing(sqlite3.connect(case.target)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (4,)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("t.a", "needs TABLE.COLUMN=FOLDER"),
        ("t.a=/no/such", "is no folder"),
        ("t.x=/tmp", "t has no column x"),
        ("u.x=/tmp", "there is no table u"),
    ],
)
def test_the_command_says_what_is_wrong(case: Case, tmp_path: Path, given: str, said: str) -> None:
    code, told = run("database", tmp_path / "a.db", "--files", given)
    assert code == 2 and said in told
