"""Runs background tasks: those of one kind (exports, imports) in one server.

Each has a daemon thread, so that none keeps the process from ending. One more thread, which
lives while tasks run, notes their progress twice a second and looks whether another server that
shares the folder was asked to stop one. Datasette 1.0's own background tasks are coroutines on
its event loop, and gone with the process; these read SQLite on threads, and are kept in a file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import replace
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, ClassVar, Generic

from ...errors import BusyError, SpoolFullError
from ...options.settings import Settings
from .folder import Instance
from .task_file import TaskFile
from .task_store import T, TaskStore

TICK = 0.5  # seconds between two notes of the progress


class Work(ABC):
    """What one task does. Its facts are fields of the task; ``ended`` is set when all is over.

    ``server_stops`` tells why it was stopped."""

    def __init__(self) -> None:
        self.server_stops = False
        self.ended = Event()

    @abstractmethod
    def run(self) -> dict[str, Any]:
        """Do it, on the task's own thread; returns the state that it ends in, and other facts."""

    @abstractmethod
    def failed(self, error: Exception) -> dict[str, Any]:
        """The state and the facts where ``run`` raised this, or could not even begin."""

    @abstractmethod
    def progress(self) -> dict[str, Any]:
        """How far it has come, as facts. May be called on any thread, as ``stop``."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to end within moments."""

    @abstractmethod
    def undo(self) -> None:
        """Remove what it made: its end was not kept, as it was cancelled or deleted before."""


class Tasks(Generic[T]):
    """The tasks of one kind in this server. Stop and close them when the server stops."""

    noun: ClassVar[str]
    thread_name: ClassVar[str]
    interrupted: ClassVar[dict[str, Any]]  # the facts of a task whose server stopped

    def __init__(self, file: TaskFile, kind: type[T], settings: Settings, instance: Instance) -> None:
        self.store = TaskStore(file, kind)
        self.settings = settings
        self.instance = instance
        self._seconds_kept = settings.retention_hours * 3600
        self._lock = Lock()
        self._waiting: dict[str, Work] = {}  # in their order
        self._running: dict[str, tuple[Work, Thread]] = {}
        self._keeper: Thread | None = None
        self._stopped = Event()

    def get(self, id_: str) -> T | None:
        """The task as it is now, its progress to the moment."""
        task = self.store.get(id_)
        if task is not None and ((task.active and not self._knows(id_)) or task.overdue(self._seconds_kept)):
            self.tidy()  # its server may have stopped
            task = self.store.get(id_)
        return None if task is None else self._live(task)

    def of(self, owner: str | None, database: str | None = None) -> list[T]:
        """Somebody's, newest first; nobody's are found by their addresses only."""
        self.tidy()
        return [] if owner is None else [self._live(task) for task in self.store.of(owner, database)]

    def tidy(self) -> None:
        """Mark what a stopped server left, let go what was kept long enough."""
        with self._lock:
            self._interrupt([*self._waiting, *self._running])

    def stop(self) -> None:
        """The server stops: nothing begins any more, and what runs is asked to end."""
        with self._lock:
            self._stopped.set()
            self._waiting.clear()
            works = [work for work, _ in self._running.values()]
        for work in works:
            work.server_stops = True
            work.stop()

    def close(self, give_up: float) -> None:
        """Wait until then (``monotonic``) for what was stopped; what has not ended is interrupted, too."""
        with self._lock:
            threads = [thread for _, thread in self._running.values()]
            threads += [self._keeper] if self._keeper is not None else []
        for thread in threads:
            thread.join(max(0, give_up - monotonic()))
        with self._lock, suppress(SpoolFullError):  # else the next server marks them
            self._interrupt([])

    # For one kind

    def _begin(self, task: T, work: Work, most: int | None = None) -> bool:
        """Keep a task and do its work, now or when there is room. False where ``TaskStore.put`` says so."""
        with self._lock:
            if self._stopped.is_set():
                raise BusyError("The server is stopping. Try again when it is back.")
            self._admit(task)
            if not self.store.put(task, most):
                return False
            self._waiting[task.id] = work
            self._start_next()
            return True

    def _admit(self, task: T) -> None:
        """Raise where a task cannot be taken on now."""

    def _stop(self, id_: str) -> None:
        """Stop the work of a task, if it is this server's."""
        with self._lock:
            self._waiting.pop(id_, None)
            work = self._running[id_][0] if id_ in self._running else None
        if work is not None:
            work.stop()

    # Inside

    def _interrupt(self, known: list[str]) -> None:
        self.store.interrupt(self.instance.alive(), self.instance.name, known, self.interrupted)

    def _knows(self, id_: str) -> bool:
        with self._lock:
            return id_ in self._waiting or id_ in self._running

    def _live(self, task: T) -> T:
        found = self._running.get(task.id)
        return task if found is None or not task.active else replace(task, **found[0].progress())

    def _start_next(self) -> None:
        """Begin what waits, as far as there is room. Its caller holds the lock."""
        while self._waiting and len(self._running) < self.settings.max_jobs and not self._stopped.is_set():
            id_ = next(iter(self._waiting))
            work = self._waiting.pop(id_)
            thread = Thread(target=self._run, args=(id_, work), name=self.thread_name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads are to be had
                busy = BusyError(f"The server cannot take one more {self.noun} now. Try again.")
                self.store.end(id_, **work.failed(busy))
                work.ended.set()
            else:
                self._running[id_] = work, thread
        if self._running and self._keeper is None:
            keeper = Thread(target=self._keep, name=f"{self.thread_name}s", daemon=True)
            with suppress(RuntimeError):  # the next one tries again
                keeper.start()
                self._keeper = keeper

    def _run(self, id_: str, work: Work) -> None:
        """The task's own thread."""
        try:
            facts = work.run()
        except Exception as error:
            facts = work.failed(error)
        with self._lock:  # who sees that it has ended can begin the next at once
            kept = False
            with suppress(SpoolFullError):  # what cannot be written, or not any more, is found to be interrupted
                kept = self.store.end(id_, **{**work.progress(), **facts})
            if not kept:
                work.undo()
            del self._running[id_]
            with suppress(SpoolFullError):
                self._start_next()
        work.ended.set()

    def _keep(self) -> None:
        """Note the progress of what runs; stop what was ended through another server."""
        while not self._stopped.wait(TICK):
            with self._lock:
                running = {id_: work for id_, (work, _) in self._running.items()}
                if not running and not self._waiting:
                    self._keeper = None
                    return
            with suppress(SpoolFullError):  # the next time, then
                for id_, work in running.items():
                    self.store.note(id_, **work.progress())
                for id_ in set(running) - self.store.going_on():
                    running[id_].stop()  # not whatever has that name by now
