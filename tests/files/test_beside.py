"""The second thread: order, bounds, errors, and its end, told by the order of events."""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from io import BytesIO

import pytest

from datasette_program_export import Request, export
from datasette_program_export.errors import CancelledError
from datasette_program_export.files import beside as module
from datasette_program_export.files.beside import THREAD, Beside, Hash, results
from datasette_program_export.files.compression import compressed
from datasette_program_export.files.zip_writing import LEVEL, Member, sealed
from tests.support.databases.building import database

MANY = 300_000
CHUNKS = [bytes([i]) * MANY for i in range(20)]


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith(THREAD)]


def test_results_come_in_order_from_one_other_thread() -> None:
    names = set()

    def work(number: int) -> bytes:
        names.add(threading.current_thread().name)
        return b"%d " % number

    with Beside() as beside:
        found = b"".join(results(beside, ((partial(work, i), MANY) for i in range(30))))
    assert found == b"".join(b"%d " % i for i in range(30))
    assert len([name for name in names if name.startswith(THREAD)]) == 1 and threads() == []


def test_little_work_needs_no_thread_and_without_with_there_is_none() -> None:
    with Beside() as beside:
        assert list(results(beside, ((lambda: b"x", 10) for _ in range(30)))) == [b"x"] * 30
        assert threads() == []
    done = results(Beside(), ((lambda: b"" if threads() else b"x", MANY) for _ in range(30)))
    assert list(done) == [b"x"] * 30


def test_the_next_step_is_taken_while_one_before_it_is_done() -> None:
    taken = threading.Event()

    def steps() -> Iterator:
        yield lambda: b"a", MANY
        yield lambda: b"b", MANY
        yield lambda: b"c" if taken.wait(10) else b"never", MANY
        taken.set()
        yield lambda: b"d", MANY

    with Beside() as beside:
        assert b"".join(results(beside, steps())) == b"abcd"


def test_what_waits_is_bounded() -> None:
    gate, events = threading.Event(), []

    def release() -> None:
        events.append("released")
        gate.set()

    with Beside() as beside:
        for _ in range(3):
            beside.do(bool, MANY)
        waiting = [beside.do(partial(gate.wait, 10), MANY) for _ in range(module._MOST // MANY)]
        timer = threading.Timer(0.02, release)
        timer.start()
        beside.do(bool, 2 * MANY)  # waits for the oldest
        assert events == ["released"] and waiting[0].done()
        timer.join()


@pytest.mark.parametrize("size", [10, MANY])
def test_an_error_of_the_work_comes_once_and_nothing_is_done_after_it(size: int) -> None:
    did = []

    def work(number: int) -> bytes:
        did.append(number)
        if number == 5:
            raise OSError("full")
        return b""

    caught = []
    with Beside() as beside:
        try:
            list(results(beside, ((partial(work, i), size) for i in range(40))))
        except OSError as error:
            caught.append(str(error))
        count = len(did)
    assert caught == ["full"] and threads() == [] and len(did) == count


def test_an_error_of_the_source_ends_the_work_and_comes_out_as_it_is() -> None:
    def chunks() -> Iterator[bytes]:
        yield from CHUNKS
        raise CancelledError("left")

    for made in (lambda b: compressed(chunks(), "gzip", b), lambda b: sealed([Member("a", chunks())], NOW, b)):
        with pytest.raises(CancelledError, match="left"), Beside() as beside:
            list(made(beside))
        assert threads() == []


NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def test_when_the_reader_stops_the_thread_ends() -> None:
    with Beside() as beside:
        reading = sealed([Member("a", iter([secret(i) for i in range(20)]))], NOW, beside)
        next(reading)
        assert len(threads()) == 1
        reading.close()
    assert threads() == []


def secret(number: int) -> bytes:
    """Bytes that cannot be compressed."""
    return random.Random(number).randbytes(MANY)


def test_an_export_leaves_no_thread_whether_read_to_its_end_or_not() -> None:
    connection = database(None, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    connection.executemany("INSERT INTO t (b) VALUES (?)", ((secret(i)[:5000].hex(),) for i in range(300)))
    for form in ("package", "programjson"):
        with export(connection, Request(table="t", format=form)) as made:
            seen = [len(threads()) for _ in made]
        assert 1 in seen and threads() == []
        with export(connection, Request(table="t", format=form)) as left:
            for _ in left:
                if threads():
                    break
        assert threads() == []
        with export(connection, Request(table="t", format=form)) as cancelled, pytest.raises(CancelledError):
            for _ in cancelled:
                if threads():
                    cancelled.cancel()
        assert threads() == []
    connection.close()


def test_without_more_threads_all_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with Beside() as beside:
        found = b"".join(compressed(iter(CHUNKS), "gzip", beside))
    assert zlib.decompress(found, 31) == b"".join(CHUNKS)


def test_a_hash_is_that_of_all_bytes() -> None:
    for entered in (True, False):
        beside = Beside()
        if entered:
            beside.__enter__()
        hashed = Hash(beside)
        for chunk in [b"a", *CHUNKS, memoryview(b"b")]:
            hashed.update(chunk)
        assert hashed.hexdigest() == hashlib.sha256(b"a" + b"".join(CHUNKS) + b"b").hexdigest()
        hashed.update(b"c")
        assert hashed.hexdigest() == hashlib.sha256(b"a" + b"".join(CHUNKS) + b"bc").hexdigest()
        beside.close()


def test_a_zip_has_the_level_that_it_names_and_the_same_bytes_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    text = b"".join(b"%d,%s\r\n" % (i, secret(0)[i : i + 9].hex().encode()) for i in range(0, 9 * 999, 9)) * 9

    def made() -> bytes:
        with Beside() as beside:
            return b"".join(sealed([Member("a.csv", iter([text] * 5))], NOW, beside))

    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    expected = b"".join(packer.compress(text) for _ in range(5)) + packer.flush()
    assert expected in made() and made() == made()


def test_with_isal_the_contents_are_the_same() -> None:
    pytest.importorskip("isal", reason="isal is not installed")
    with Beside() as beside:
        assert zlib.decompress(b"".join(compressed(iter(CHUNKS), "gzip", beside)), 31) == b"".join(CHUNKS)
        zipped = b"".join(sealed([Member("a", iter(CHUNKS)), Member("b", iter([]))], NOW, beside))
    with zipfile.ZipFile(BytesIO(zipped)) as archive:
        assert archive.testzip() is None and archive.read("a") == b"".join(CHUNKS) and archive.read("b") == b""
