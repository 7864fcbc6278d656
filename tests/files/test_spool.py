"""The store between a fast reader of a database and a slow reader of a download."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_program_export.errors import CancelledError, SpoolFullError
from datasette_program_export.files.temporary.spool import Spool, coalesced


def spool(memory: int = 10, disk: int = 1000, folder: Path | None = None) -> Spool:
    return Spool(memory, disk, str(folder) if folder else None, lambda: None)


def drained(store: Spool) -> bytes:
    found = b""
    while (piece := store.take()) is not None:
        found += piece
    return found


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=30), st.integers(0, 50))
def test_what_goes_in_comes_out_in_order(chunks: list[bytes], memory: int) -> None:
    store = spool(memory, 10_000)
    store.fill(chunks)
    assert drained(store) == b"".join(chunks)
    store.close()


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=30), st.booleans()), max_size=40))
def test_reading_between_the_writing_changes_nothing(steps: list[tuple[bytes, bool]]) -> None:
    """From memory to file and back to memory, as the reader falls behind and catches up."""
    store, found = spool(memory=25), b""
    for chunk, read in steps:
        store._put(chunk)
        if read:
            found += store.take() or b""
    store.fill([])
    assert found + drained(store) == b"".join(chunk for chunk, _ in steps)
    store.close()


def test_nothing_yet_is_not_the_end() -> None:
    store = spool()
    assert store.take() == b""
    store.fill([])
    assert store.take() is None


def test_the_writer_never_waits_and_gives_up_where_the_disk_setting_ends() -> None:
    store = spool(memory=10, disk=50)
    store.fill([b"x" * 10, *[b"y" * 10] * 9])
    with pytest.raises(SpoolFullError, match="spool_disk_mb"):
        drained(store)
    store.close()


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __getattr__(self, _: str) -> object:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    store = spool(memory=0)
    store.fill([b"x"])
    with pytest.raises(SpoolFullError, match="No space left on device"):
        drained(store)


def test_what_the_writer_met_is_raised_in_its_place() -> None:
    def chunks():
        yield b"one"
        raise ValueError("two")

    store = spool()
    store.fill(chunks())
    assert store.take() == b"one"
    with pytest.raises(ValueError, match="two"):
        store.take()


def test_a_reader_who_leaves_stops_the_writer_and_no_file_stays(tmp_path: Path) -> None:
    taken = []

    def chunks():
        for i in range(1000):
            taken.append(i)
            yield b"x" * 200_000
            if i == 3:
                store.close()

    store = spool(memory=0, disk=10**9, folder=tmp_path)
    writer = threading.Thread(target=store.fill, args=(chunks(),))
    writer.start()
    writer.join(10)
    assert not writer.is_alive() and len(taken) < 10
    assert isinstance(store._error, CancelledError)
    assert list(tmp_path.iterdir()) == []


def test_small_pieces_are_joined_but_the_first_is_not_kept_waiting() -> None:
    pieces = list(coalesced([b"a"] * 10 + [b"b" * 300_000] + [b"c"]))
    assert pieces == [b"a", b"a" * 9 + b"b" * 300_000, b"c"]
    assert list(coalesced([])) == []


def test_the_file_of_a_reader_who_caught_up_takes_no_room(tmp_path: Path) -> None:
    store = Spool(0, 10_000_000, str(tmp_path), lambda: None)
    size = lambda: os.fstat(store._file.fileno()).st_size  # noqa: E731
    for _ in range(3):  # again and again: a long download takes no more than the reader is behind
        store._put(b"a" * 1000)
        store._put(b"b" * 1000)
        assert size() == 2000
        assert store.take() == b"a" * 1000 + b"b" * 1000
        assert size() == 0
    store.close()
