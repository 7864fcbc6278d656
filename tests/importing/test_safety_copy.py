"""The copy of a database before an import lies where no server finds it, and comes back from there."""

from __future__ import annotations

import os
import shlex
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from datasette.app import Datasette

from datasette_program_export import load
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import RequestError
from datasette_program_export.options.settings import Settings
from tests.support.databases.building import database
from tests.support.databases.house import exported, rows
from tests.support.files.changing import state


@pytest.fixture
def staff(tmp_path: Path) -> Path:
    """A database whose import changes one row, alone in the folder of a site."""
    folder = tmp_path / "site"
    folder.mkdir()
    database(
        folder / "staff.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, name)", "INSERT INTO t VALUES (1, 'old')"
    ).close()
    (tmp_path / "t.csv").write_text("id,name\n1,new\n")
    return folder / "staff.db"


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM t")]


def imported(staff: Path, *options: str) -> str:
    """The command's words for having it back."""
    command = ["import", str(staff.parent.parent / "t.csv"), str(staff), "--table", "t", "--on-conflict", "update"]
    done = CliRunner().invoke(program_export, [*command, *options])
    assert done.exit_code == 0 and names(staff) == ["new"], done.output
    return done.output.splitlines()[-1].partition("To have it back: ")[2]


def copies(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*before-import*") if path.is_file())


def _by_folder(folder: Path) -> Datasette:
    return Datasette([], config_dir=folder)


def _by_glob(folder: Path) -> Datasette:
    endings = ("db", "sqlite", "sqlite3")
    return Datasette([str(path) for ending in endings for path in folder.glob(f"**/*.{ending}")])


@pytest.mark.parametrize("started", [_by_folder, _by_glob])
async def test_a_server_started_on_the_folder_serves_only_the_original(
    staff: Path, started: Callable[[Path], Datasette]
) -> None:
    """The copy has the rows, but none of the restrictions that the site's settings have for ``staff``."""
    for ending in ("sqlite", "sqlite3"):
        database(staff.with_name(f"other.{ending}"), "CREATE TABLE t (id)", journal="delete").close()
    imported(staff)
    assert len(copies(staff.parent)) == 1
    ds = started(staff.parent)
    served = sorted(Path(one.path).name for one in ds.databases.values() if one.path is not None)
    assert served == ["other.sqlite", "other.sqlite3", "staff.db"]
    answer = await ds.client.get("/-/databases.json")
    assert answer.status_code == 200 and "staff.db" in answer.text and "before-import" not in answer.text


def test_the_command_puts_the_copy_into_a_private_folder_and_tells_how_to_have_it_back(staff: Path) -> None:
    command = shlex.split(imported(staff))
    (copy,) = copies(staff.parent)
    assert command == ["datasette", "program-export", "restore", str(copy), str(staff)]
    assert copy.parent == staff.parent / "safety-copies" and copy.name.endswith("Z.db-copy")
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700 and stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert CliRunner().invoke(program_export, command[2:]).exit_code == 0
    assert names(staff) == ["old"]


def test_a_copy_of_an_earlier_name_comes_back_too(staff: Path) -> None:
    earlier = staff.with_name("staff.before-import-20260101T120000Z.db")
    imported(staff, "--backup", str(earlier))
    assert CliRunner().invoke(program_export, ["restore", str(earlier), str(staff)]).exit_code == 0
    assert names(staff) == ["old"]


def test_the_site_s_settings_hold_for_the_command_too(staff: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "copies [1]"
    chosen.mkdir()
    for end in ("db", "db-copy"):
        old = chosen / f"staff.before-import-old.{end}"
        old.touch()
        os.utime(old, (0, 0))
    settings = {"safety_copy_dir": str(chosen), "safety_copy_days": 7}
    site = tmp_path / "metadata.yml"
    site.write_text(yaml.safe_dump({"plugins": {"datasette-program-export": settings}}))
    command = shlex.split(imported(staff, "--metadata", str(site)))
    assert copies(tmp_path) == [Path(command[3])] and Path(command[3]).parent == chosen


def test_two_imports_keep_two_copies(staff: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"table": "t", "on_conflict": "update", "settings": Settings()}
    load(staff, tmp_path / "t.csv", **how)
    (tmp_path / "t.csv").write_text("id,name\n1,newer\n")
    load(staff, tmp_path / "t.csv", **how)
    assert sorted(names(copy) for copy in copies(staff.parent)) == [["new"], ["old"]]


def test_an_import_that_fails_leaves_neither_copy_nor_folder(staff: Path, tmp_path: Path) -> None:
    def fail(applied: Any) -> None:
        assert len(copies(staff.parent)) == 1
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        load(staff, tmp_path / "t.csv", table="t", on_conflict="update", inspect=fail)
    assert names(staff) == ["old"] and [path.name for path in staff.parent.iterdir()] == ["staff.db"]


def test_the_safety_copy_brings_everything_back_also_what_is_still_in_the_wal(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    with closing(sqlite3.connect(house)) as other:  # keeps the -wal from being moved into the file
        other.execute("UPDATE a SET size = 9")
        other.commit()
        before = state(house)
        report = load(house, file, on_conflict="update")
        assert report.safety_copy and state(house) != before
        assert state(Path(report.safety_copy)) == before
        assert Path(report.safety_copy).stat().st_mode & 0o777 == 0o600
        assert report.restore == f"datasette program-export restore {report.safety_copy} {house}"
        done = CliRunner().invoke(program_export, report.restore.split()[2:])
        assert done.exit_code == 0, done.output
        assert other.execute("SELECT size FROM a").fetchall() == [(9,)]
    assert state(house) == before and rows(house, "PRAGMA journal_mode") == [("wal",)]


def test_a_safety_copy_replaces_nothing_and_can_be_left_out(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    (tmp_path / "kept.db").write_text("mine")
    with pytest.raises(RequestError, match="replaces nothing"):
        load(house, file, backup=tmp_path / "kept.db")
    with closing(sqlite3.connect(house)) as target:
        target.execute("DELETE FROM w")
        target.commit()
    assert load(house, file, backup=False).safety_copy is None
    with closing(sqlite3.connect(house)) as target:
        target.execute("DELETE FROM w")
        target.commit()
    assert load(house, file, backup=tmp_path / "copy.db").safety_copy == str(tmp_path / "copy.db")
    assert rows(tmp_path / "copy.db", "SELECT count(*) FROM w") == [(0,)]
