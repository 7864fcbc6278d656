"""A second thread for work that leaves Python's lock free: hashing and compressing, while the first reads the database.

The work is done in the order in which it was given. What waits is bounded; leaving the ``with`` ends the thread.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

_FEW = 512 * 1024  # bytes; what is smaller in all is not worth a thread
_MOST = 4 * 1024 * 1024  # bytes that may wait
_PIECE = 128 * 1024  # bytes; a thread is not woken for less
THREAD = "export-beside"
Result = TypeVar("Result")


class Beside:
    """Does work on one other thread, or at once where it is little or the system has no more threads.

    For use by one thread. Outside of a ``with`` it has no thread: all is done at once."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._refused = True
        self._given = self._waiting = 0
        self._pending: deque[tuple[Future[Any], int]] = deque()

    def __enter__(self) -> Beside:
        self._refused, self._given = False, 0
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def do(self, work: Callable[[], Result], size: int) -> Future[Result]:
        """Begin some work on so many bytes, after waiting while too many bytes wait; its errors are in the future."""
        self._given += size
        if not self._has_thread():
            return _done(work)
        assert self._executor is not None
        future = self._executor.submit(work)
        self._pending.append((future, size))
        self._waiting += size
        while self._pending and (self._waiting > _MOST or self._pending[0][0].done()):
            oldest, bytes_ = self._pending.popleft()
            wait([oldest])
            self._waiting -= bytes_
        return future

    def close(self) -> None:
        """End the thread, after what it does just now; what waits is not done. Work that follows is done at once."""
        self._refused = True
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None
        self._pending.clear()

    def _has_thread(self) -> bool:
        if self._executor is None and not self._refused and self._given >= _FEW:
            executor = ThreadPoolExecutor(1, THREAD)
            try:
                executor.submit(int)
            except RuntimeError:  # the system has no more threads, or Python ends
                self._refused = True
            else:
                self._executor = executor
        return self._executor is not None


def results(beside: Beside, steps: Iterable[tuple[Callable[[], bytes], int]]) -> Iterator[bytes]:
    """Yield the bytes that the steps give, done beside; each step comes with the number of bytes that it works on.

    The next step is taken while those before it are done. Nothing is done any more when this generator has ended.
    Raises what a step raises."""
    mine: deque[Future[bytes]] = deque()
    try:
        for work, size in steps:
            mine.append(beside.do(work, size))
            while mine and mine[0].done():
                if data := mine.popleft().result():
                    yield data
        while mine:
            if data := mine.popleft().result():
                yield data
    finally:
        _dropped(mine)


class Hash:
    """A SHA-256 that is computed beside; ``update`` takes bytes that are not changed afterwards."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._hash = hashlib.sha256()
        self._pieces: list[bytes | memoryview] = []
        self._size = 0
        self._futures: deque[Future[None]] = deque()

    def update(self, data: bytes | memoryview) -> None:
        """Add these bytes."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _PIECE:
            self._send()

    def hexdigest(self) -> str:
        """Return the digest of all bytes so far, after waiting for it."""
        if self._pieces:  # it is asked for often while nothing is added
            self._send()
        while self._futures:
            self._futures.popleft().result()
        return self._hash.hexdigest()

    def _send(self) -> None:
        pieces, size = self._pieces, self._size
        self._pieces, self._size = [], 0

        def add() -> None:
            for piece in pieces:
                self._hash.update(piece)

        self._futures.append(self._beside.do(add, size))
        while self._futures and self._futures[0].done():
            self._futures.popleft().result()


def _done(work: Callable[[], Result]) -> Future[Result]:
    future: Future[Result] = Future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future


def _dropped(futures: Iterable[Future[Any]]) -> None:
    """Have the work that waits not done, and wait for what is being done."""
    for future in futures:
        future.cancel()
    wait([future for future in futures if not future.cancelled()])
