"""Run plans, searches for rows to pick, and samples, on a few threads of their own.

Each takes up to some seconds. On the threads that the event loop has for everything else, they would
hold up uploads and the results of jobs. A small number waits, then BusyError is raised; people take
turns, and one person never has the last thread (``slots``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from threading import Lock, Thread
from typing import Any, TypeVar

from ...errors import BusyError
from .slots import FairQueue, Person, who_has

THREADS = 4
MOST_WAITING = 20  # of one person
_RETRY = 10  # seconds
T = TypeVar("T")


class PlanPool:
    """The threads, which exist only while they work, and what waits for one."""

    def __init__(self, threads: int = THREADS, most_waiting: int = MOST_WAITING) -> None:
        self._threads = threads
        self._most_waiting = most_waiting
        self._lock = Lock()
        self._ids = count()
        self._held: Counter[Person] = Counter()
        self._waiting: FairQueue[tuple[Future[Any], Callable[[], Any]]] = FairQueue()

    def submit(self, person: Person, work: Callable[[], T]) -> Future[T]:
        """Run ``work`` on a thread as soon as there is one for this person; cancel the future to let it wait no more.

        Raises BusyError if too much of this person waits already."""
        future: Future[T] = Future()
        with self._lock:
            if self._waiting.of(person) >= self._most_waiting:
                raise BusyError(
                    f"{who_has(person)} {self._most_waiting} exports that wait to be looked at. Try again in a moment."
                )
            id_ = str(next(self._ids))
            self._waiting.put(id_, person, (future, work))
            self._start_next()
        future.add_done_callback(lambda done: self._drop(id_) if done.cancelled() else None)
        return future

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits."""
        with self._lock:
            return not self._waiting and not self._held.total()

    def _drop(self, id_: str) -> None:
        with self._lock:
            self._waiting.drop(id_)

    def _start_next(self) -> None:
        """Start what waits while there are threads for it. The caller holds the lock."""
        while found := self._waiting.take(self._threads, self._held):
            _, person, (future, work) = found
            if not future.set_running_or_notify_cancel():
                continue
            self._held[person] += 1
            try:
                Thread(target=self._run, args=(person, future, work), name="program-export-plan", daemon=True).start()
            except RuntimeError:  # the system has no more threads
                self._held[person] -= 1
                if not self._held[person]:
                    del self._held[person]
                future.set_exception(BusyError("The server cannot look at one more export now. Try again.", _RETRY))

    def _run(self, person: Person, future: Future[Any], work: Callable[[], Any]) -> None:
        try:
            found = work()
        except BaseException as error:
            self._end(person)
            future.set_exception(error)
        else:
            self._end(person)
            future.set_result(found)

    def _end(self, person: Person) -> None:
        with self._lock:
            self._held[person] -= 1
            if not self._held[person]:
                del self._held[person]
            self._start_next()


PLANS = PlanPool()
