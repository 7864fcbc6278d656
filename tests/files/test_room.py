"""The room in a folder: what certainly does not fit is refused first, with numbers; nothing else is."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from datasette_program_export import Request, export, load, verify
from datasette_program_export.errors import SpoolFullError
from datasette_program_export.files.reading_limits import Limits
from datasette_program_export.files.temporary import room
from datasette_program_export.files.temporary.room import check_free, free_in, room_in
from tests.support.databases.building import database


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch):
    """Pretend that so many bytes are free everywhere."""

    def pretend(size: int, total: int = 10**12) -> None:
        monkeypatch.setattr(room, "free_in", lambda _: size)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size, total=total))

    return pretend


def test_exactly_what_is_free_fits(tmp_path: Path, free) -> None:
    free(1000)
    check_free(tmp_path, 1000, "It")
    with pytest.raises(SpoolFullError, match=r"^It needs at least 1,001 bytes, and 1,000 are free there\.$"):
        check_free(tmp_path, 1001, "It")


def test_where_the_room_is_not_known_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0, total=0))
    assert free_in(tmp_path) is None
    check_free(tmp_path, 10**15, "It")


def test_a_folder_that_is_not_made_yet_has_the_room_of_its_parent(tmp_path: Path) -> None:
    assert free_in(tmp_path / "a" / "b") is not None


def test_no_temporary_folder_at_all_is_said() -> None:
    with pytest.raises(SpoolFullError, match=r"takes no more \(there is none that can be"), room_in():
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = ("CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, zeroblob(2000000))")
    database(tmp_path / "s.db", *made).close()
    return tmp_path / "s.db"


def test_a_packed_database_is_not_unpacked_where_it_does_not_fit(source: Path, tmp_path: Path, free) -> None:
    packed = gzip.compress(b"".join(export(source, Request(format="sqlite"))))
    (tmp_path / "f.db.gz").write_bytes(packed)
    (tmp_path / "spool").mkdir()
    limits = Limits(folder=str(tmp_path / "spool"))
    free(3_000_000)
    assert verify(tmp_path / "f.db.gz", limits=limits).status == "complete"
    free(1_000_000)
    with pytest.raises(SpoolFullError, match=r"the unpacked file needs at least 2,\d\d\d,\d\d\d bytes, and 1,000,000"):
        verify(tmp_path / "f.db.gz", limits=limits)
    (tmp_path / "f.db.gz").write_bytes(packed[:300])  # what is cut is cut, however little room there is
    free(3_000_000)
    assert verify(tmp_path / "f.db.gz", limits=limits).status == "cut"


def test_a_database_that_says_that_it_is_too_large_is_not_unpacked(source: Path, tmp_path: Path) -> None:
    (tmp_path / "f.db.gz").write_bytes(gzip.compress(b"".join(export(source, Request(format="sqlite")))))
    with pytest.raises(SpoolFullError, match="spool_disk_mb"):
        verify(tmp_path / "f.db.gz", limits=Limits(folder=str(tmp_path), disk=1_500_000))


def test_an_import_looks_at_the_room_for_its_safety_copy(source: Path, tmp_path: Path, free) -> None:
    (tmp_path / "f.json").write_bytes(b"".join(export(source, Request())))
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("UPDATE t SET x = zeroblob(1999999)")
        connection.commit()
    before = source.read_bytes()
    free(1_000_000)
    with pytest.raises(
        SpoolFullError, match=r"safety copy of s\.db needs at least \d,\d{3},\d{3} bytes, and 1,000,000"
    ):
        load(source, tmp_path / "f.json", on_conflict="update")
    assert source.read_bytes() == before and not (tmp_path / "safety-copies").exists()
    assert load(source, tmp_path / "f.json", on_conflict="update", preview=True).total("update") == 1
    assert load(source, tmp_path / "f.json", on_conflict="update", backup=False).ok  # it fits: nothing is added
    free(5_000_000)
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("UPDATE t SET x = 1")
        connection.commit()
    assert load(source, tmp_path / "f.json", on_conflict="update").safety_copy


def test_an_import_looks_at_the_room_for_a_new_database(source: Path, tmp_path: Path, free) -> None:
    (tmp_path / "f.json").write_bytes(b"".join(export(source, Request())))
    free(500_000)
    with pytest.raises(SpoolFullError, match=r"^The new database new\.db needs at least 1,0\d\d,\d{3} bytes"):
        load(tmp_path / "new.db", tmp_path / "f.json")
    assert not (tmp_path / "new.db").exists()
    free(2_100_000)
    assert load(tmp_path / "new.db", tmp_path / "f.json").ok
