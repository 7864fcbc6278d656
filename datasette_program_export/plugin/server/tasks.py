"""Run the background tasks of one kind (exports, imports) in one server.

Each task has a daemon thread, so that it cannot keep the process alive. One more thread, which
lives while tasks run, notes their progress twice a second and checks whether another server that
shares the folder was asked to stop one. Datasette 1.0's own background tasks are coroutines on
its event loop, and are lost with the process; these read SQLite on threads, and are stored in a file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, ClassVar, Generic

from ...errors import BusyError, SpoolFullError
from ...options.settings import Settings
from .folder import Instance
from .slots import FairQueue, Person
from .task_file import TaskFile
from .task_store import T, TaskStore

TICK = 0.5  # seconds between two updates of the progress


class Work(ABC):
    """The work of one task. The returned facts are fields of the task; ``ended`` is set when the work is over.

    ``server_stops`` is True if the work was stopped because the server stops."""

    def __init__(self) -> None:
        self.server_stops = False
        self.ended = Event()

    @abstractmethod
    def run(self) -> dict[str, Any]:
        """Do the work on the task's own thread; return the final state and other facts."""

    @abstractmethod
    def failed(self, error: Exception) -> dict[str, Any]:
        """Return the state and the facts for an error that ``run`` raised, or that prevented its start."""

    @abstractmethod
    def progress(self) -> dict[str, Any]:
        """Return the progress as facts. Like ``stop``, it may be called on any thread."""

    @abstractmethod
    def stop(self) -> None:
        """Ask the work to end within moments."""

    @abstractmethod
    def undo(self) -> None:
        """Remove the result: its end could not be stored, because the task was cancelled or deleted before."""


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
        self._waiting: FairQueue[Work] = FairQueue()
        self._running: dict[str, tuple[Person, Work, Thread]] = {}
        self._keeper: Thread | None = None
        self._stopped = Event()

    def get(self, id_: str) -> T | None:
        """Return the task with its current progress, or None."""
        task = self.store.get(id_)
        if task is not None and ((task.active and not self._knows(id_)) or task.overdue(self._seconds_kept)):
            self.tidy()  # its server may have stopped
            task = self.store.get(id_)
        return None if task is None else self._live(task)

    def of(self, owner: str | None, database: str | None = None) -> list[T]:
        """Return the tasks of an owner, newest first; tasks without an owner are only found by their addresses."""
        self.tidy()
        return [] if owner is None else [self._live(task) for task in self.store.of(owner, database)]

    def tidy(self) -> None:
        """Mark the tasks of stopped servers as interrupted; subclasses also remove old tasks."""
        with self._lock:
            self._interrupt([*self._waiting, *self._running])

    def stop(self) -> None:
        """Start no more tasks, and ask the running ones to end: the server stops."""
        with self._lock:
            self._stopped.set()
            self._waiting.clear()
            works = [work for _, work, _ in self._running.values()]
        for work in works:
            work.server_stops = True
            work.stop()

    def close(self, give_up: float) -> None:
        """Wait for stopped tasks until ``give_up`` (``monotonic`` time); then mark the rest as interrupted."""
        with self._lock:
            threads = [thread for _, _, thread in self._running.values()]
            threads += [self._keeper] if self._keeper is not None else []
        for thread in threads:
            thread.join(max(0, give_up - monotonic()))
        with self._lock, suppress(SpoolFullError):  # if that fails, the next server marks them
            self._interrupt([])

    # For subclasses

    def _begin(self, task: T, work: Work, most: int | None = None) -> bool:
        """Store a task and start its work now, or when a place is free. Return False where ``TaskStore.put`` does."""
        with self._lock:
            if self._stopped.is_set():
                raise BusyError("The server is stopping. Try again when it is back.")
            self._admit(task)
            if not self.store.put(task, most):
                return False
            self._waiting.put(task.id, task.person, work)
            self._start_next()
            return True

    def _admit(self, task: T) -> None:
        """Check that a task can be accepted now; subclasses raise if it cannot."""

    def _stop(self, id_: str) -> None:
        """Stop the work of a task if it runs in this server."""
        with self._lock:
            self._waiting.drop(id_)
            work = self._running[id_][1] if id_ in self._running else None
        if work is not None:
            work.stop()

    # Internal

    def _interrupt(self, known: list[str]) -> None:
        self.store.interrupt(self.instance.alive(), self.instance.name, known, self.interrupted)

    def _knows(self, id_: str) -> bool:
        with self._lock:
            return id_ in self._waiting or id_ in self._running

    def _live(self, task: T) -> T:
        found = self._running.get(task.id)
        return task if found is None or not task.active else replace(task, **found[1].progress())

    def _start_next(self) -> None:
        """Start waiting tasks while there are free places. The caller holds the lock."""
        while not self._stopped.is_set() and (found := self._waiting.take(self.settings.max_jobs, self._held())):
            id_, person, work = found
            thread = Thread(target=self._run, args=(id_, work), name=self.thread_name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no more threads
                busy = BusyError(f"The server cannot take one more {self.noun} now. Try again.")
                self.store.end(id_, **work.failed(busy))
                work.ended.set()
            else:
                self._running[id_] = person, work, thread
        if self._running and self._keeper is None:
            keeper = Thread(target=self._keep, name=f"{self.thread_name}s", daemon=True)
            with suppress(RuntimeError):  # the next task tries again
                keeper.start()
                self._keeper = keeper

    def _held(self) -> Counter[Person]:
        """Count the running tasks by person."""
        return Counter(person for person, _, _ in self._running.values())

    def _run(self, id_: str, work: Work) -> None:
        """Run the work; this is the task's own thread."""
        try:
            facts = work.run()
        except Exception as error:
            facts = work.failed(error)
        with self._lock:  # so that a caller who sees the end can start the next task at once
            kept = False
            with suppress(SpoolFullError):  # if the end cannot be stored, the task is later marked as interrupted
                kept = self.store.end(id_, **{**work.progress(), **facts})
            if not kept:
                work.undo()
            del self._running[id_]
            with suppress(SpoolFullError):
                self._start_next()
        work.ended.set()

    def _keep(self) -> None:
        """Store the progress of running tasks; stop those that were ended through another server."""
        while not self._stopped.wait(TICK):
            with self._lock:
                running = {id_: work for id_, (_, work, _) in self._running.items()}
                if not running and not self._waiting:
                    self._keeper = None
                    return
            with suppress(SpoolFullError):  # try again after the next tick
                for id_, work in running.items():
                    self.store.note(id_, **work.progress())
                for id_ in set(running) - self.store.going_on():
                    running[id_].stop()  # the work object, not the id, which another task may have by now
