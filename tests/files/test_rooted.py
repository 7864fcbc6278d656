"""Files below a folder: nothing leads out of it, nothing blocks, nothing is read that changes meanwhile."""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export.files.rooted import reading, walking
from datasette_program_export.files.rooted.reading import Folder
from datasette_program_export.files.rooted.walking import NotReadError, parts_of
from datasette_program_export.files.rooted.writing import NewFiles, state_of
from tests.support.sites.locks import locks_of

MOST = 1_000_000


@pytest.fixture(params=["from a folder", "by path"])
def root(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, beside a secret; also where the system cannot open from a folder."""
    if request.param == "by path":
        monkeypatch.setattr(walking, "_FROM_A_FOLDER", False)
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "root"
    (folder / "anna").mkdir(parents=True)
    (folder / "anna" / "portrait.jpg").write_bytes(b"picture")
    return folder


def read(root: Path, name: str, most: int = MOST, database: Path | None = None) -> bytes | str:
    """The bytes of a file, or why it is not read."""
    parts = parts_of(name)
    if parts is None:
        return "outside"
    pieces: list[bytes] = []
    found = Folder(str(root), database).read(parts, pieces.append, most)
    assert isinstance(found, str) or found == len(b"".join(pieces))
    return b"".join(pieces) if isinstance(found, int) else found


def test_a_file_is_read_by_each_spelling_of_its_path(root: Path) -> None:
    for name in ("anna/portrait.jpg", "./anna/portrait.jpg", "anna//./portrait.jpg"):
        assert read(root, name) == b"picture"
    (root / "empty").touch()
    assert read(root, "empty") == b""


OUTSIDE = (
    "../secret.txt", "anna/../../secret.txt", "anna/..", "..", ".", "/", "/etc/passwd", "//etc/passwd", "a\0b", "\0",
    "..\\secret.txt", "anna\\portrait.jpg", "C:\\x", "https://example.com/a.jpg", "file:///etc/passwd", "anna/", "",
    "x" * 1001, "é" * 200, "\udcff", 5, 1.5, b"anna/portrait.jpg", None,
)  # fmt: skip


@pytest.mark.parametrize("value", OUTSIDE, ids=ascii)
def test_what_is_no_path_within_a_folder_is_none(value: object) -> None:
    assert parts_of(value) is None


def _linked(root: Path) -> str:
    (root / "link").symlink_to(root.parent / "secret.txt")
    return "link"


def _linked_inside(root: Path) -> str:
    (root / "link").symlink_to("anna/portrait.jpg")
    return "link"


def _through_a_linked_folder(root: Path) -> str:
    (root / "up").symlink_to(root.parent)
    return "up/secret.txt"


def _pipe(root: Path) -> str:
    os.mkfifo(root / "pipe")
    return "pipe"


def _shared_memory(root: Path) -> str:
    (root / "a.db").write_bytes(b"")
    (root / "a.db-shm").write_bytes(b"x")
    return "a.db-shm"


def _database(root: Path) -> str:
    with closing(sqlite3.connect(root / "a.dat")) as connection:
        connection.execute("CREATE TABLE t (x)")
    return "a.dat"


ATTACKS: dict[str, tuple[Callable[[Path], str], str]] = {
    "a link": (_linked, "link"),
    "a link within the folder": (_linked_inside, "link"),
    "a folder that is a link": (_through_a_linked_folder, "link"),
    "a pipe, which would wait": (_pipe, "special"),
    "a folder": (lambda root: "anna", "special"),
    "a file as a folder": (lambda root: "anna/portrait.jpg/x", "missing"),
    "nothing": (lambda root: "anna/none.jpg", "missing"),
    "a database": (_database, "database"),
    "a part of a database": (_shared_memory, "database"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_else_is_read(root: Path, attack: str) -> None:
    make, why = ATTACKS[attack]
    assert read(root, make(root)) == why


def test_the_folder_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "to").symlink_to(root)
    assert read(tmp_path / "to", "anna/portrait.jpg") == b"picture"
    assert read(tmp_path / "none", "anna/portrait.jpg") == "missing"


def test_a_file_that_is_too_large_or_may_not_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(root, "anna/portrait.jpg", most=6) == "large"

    def denied(*args: object) -> int:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(reading, "opened", denied)
    assert read(root, "anna/portrait.jpg") == "denied"


RACES: dict[str, Callable[[Path], object]] = {
    "longer": lambda file: file.write_bytes(b"picture and more"),
    "shorter": lambda file: file.write_bytes(b"pic"),
    "another of the same size": lambda file: (file.write_bytes(b"PICTURE"), os.utime(file, (1, 1))),
}


@pytest.mark.parametrize("race", RACES)
def test_a_file_that_changes_while_it_is_read_is_not_taken(root: Path, race: str) -> None:
    file = root / "anna" / "portrait.jpg"
    found = Folder(str(root)).read(("anna", "portrait.jpg"), lambda piece: RACES[race](file), MOST)
    assert found == "changed"


def _pipe_instead(file: Path, root: Path) -> None:
    file.unlink()
    os.mkfifo(file)


SWAPS: dict[str, tuple[Callable[[Path, Path], None], set[str]]] = {
    "a link in its place": (lambda f, r: (f.unlink(), f.symlink_to(r.parent / "secret.txt"))[1], {"link", "changed"}),
    "a pipe in its place": (_pipe_instead, {"changed"}),
    "another file in its place": (lambda f, r: (r.parent / "secret.txt").replace(f), {"changed"}),
}


@pytest.mark.parametrize("swap", SWAPS)
def test_what_takes_its_place_between_look_and_opening_is_not_read(
    root: Path, swap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, why = SWAPS[swap]
    opened = reading.opened

    def after_the_swap(place: walking.Place, name: str, flags: int) -> int:
        change(root / "anna" / "portrait.jpg", root)
        return opened(place, name, flags)

    monkeypatch.setattr(reading, "opened", after_the_swap)
    assert read(root, "anna/portrait.jpg") in why


def test_a_folder_that_becomes_a_link_on_the_way_leads_nowhere(tmp_path: Path) -> None:
    """The folder was entered before: what has its name now does not matter."""
    root, secret = tmp_path / "root", tmp_path / "elsewhere"
    for folder, text in ((root / "anna", "picture"), (secret, "secret")):
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(text)
    with walking.entered(str(root), ["anna"]) as place:
        (root / "anna").rename(root / "before")
        (root / "anna").symlink_to(secret)
        with os.fdopen(walking.opened(place, "a.txt", walking.READ)) as file:
            assert file.read() == "picture"
    assert read(root, "anna/a.txt") == "link"


def test_a_database_that_this_process_uses_keeps_its_locks(tmp_path: Path) -> None:
    """To close another descriptor of its file would drop them."""
    root = tmp_path / "root"
    root.mkdir()
    with closing(sqlite3.connect(root / "a.dat", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("BEGIN IMMEDIATE")
        held = locks_of(os.getpid(), root / "a.dat")
        for name in ("a.dat", "a.dat-wal", "a.dat-shm"):
            assert read(root, name) == "database"
        (root / "b").hardlink_to(root / "a.dat")
        (root / "c").hardlink_to(root / "a.dat-shm")
        assert (read(root, "b"), read(root, "c")) == ("database", "database")
        assert read(root, "b", database=root / "a.dat") == "database"
        assert held and locks_of(os.getpid(), root / "a.dat") == held


def state(root: Path, name: str, content: bytes) -> str:
    parts = parts_of(name)
    assert parts is not None
    return state_of(str(root), parts, len(content), hashlib.sha256(content).hexdigest())


def test_a_file_is_new_equal_or_different(root: Path) -> None:
    assert state(root, "anna/portrait.jpg", b"picture") == "equal"
    assert state(root, "anna/portrait.jpg", b"PICTURE") == "different"
    assert state(root, "anna/portrait.jpg", b"longer than it") == "different"
    assert state(root, "ben/new/a.jpg", b"x") == "new"
    assert state(root, "anna/portrait.jpg/a.jpg", b"x") == "special"
    assert state(root, _through_a_linked_folder(root), b"x") == "link"
    assert state(root, "anna", b"x") == "special"


@pytest.fixture
def new() -> Iterator[NewFiles]:
    made = NewFiles()
    yield made
    made.discard()


def files_in(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_files_are_written_whole_and_none_over_another(root: Path, new: NewFiles) -> None:
    before = files_in(root)
    new.add(str(root), ("ben", "deep", "a.jpg"), [b"one", b"two"])
    new.add(str(root), ("anna", "portrait.jpg"), [b"other"])
    with pytest.raises(FileExistsError):
        new.publish()
    assert (root / "anna" / "portrait.jpg").read_bytes() == b"picture"
    new.discard()
    assert files_in(root) == before
    new.add(str(root), ("ben", "a.jpg"), [b"one", b"two"])
    new.publish()
    new.keep()
    new.discard()
    assert (root / "ben" / "a.jpg").read_bytes() == b"onetwo"
    assert files_in(root) == before | {"ben", "ben/a.jpg"}


def test_nothing_is_written_through_a_link(root: Path, new: NewFiles, tmp_path: Path) -> None:
    (root / "up").symlink_to(tmp_path)
    with pytest.raises(NotReadError, match="link"):
        new.add(str(root), ("up", "a.jpg"), [b"x"])
    (root / "a.jpg").symlink_to(tmp_path / "b.jpg")
    new.add(str(root), ("a.jpg",), [b"x"])
    with pytest.raises(FileExistsError):
        new.publish()
    assert not (tmp_path / "a.jpg").exists() and not (tmp_path / "b.jpg").exists()


def test_a_file_system_without_hard_links(root: Path, new: NewFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*args: object, **how: object) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", none)
    new.add(str(root), ("a.jpg",), [b"x"])
    new.publish()
    new.add(str(root), ("anna", "portrait.jpg"), [b"x"])
    with pytest.raises(FileExistsError):
        new.publish()
    assert (root / "a.jpg").read_bytes() == b"x" and (root / "anna" / "portrait.jpg").read_bytes() == b"picture"
