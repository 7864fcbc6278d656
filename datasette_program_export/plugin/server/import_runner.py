"""Runs previews and imports, each in a daemon thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import Any

from ...errors import CancelledError, ConflictError, ExportError, SpoolFullError
from ...importing.progress import ImportProgress
from ...options.settings import Settings
from .folder import Instance
from .import_store import Import, ImportStore
from .slots import ConcurrencyLimit

_SECONDS_TO_END = 5
TaskFunction = Callable[[Import, "TaskProgress"], Import]


class TaskProgress(ImportProgress):
    """One that runs. It stops when its folder says so, whichever server was asked; ``ended`` is set at the end."""

    def __init__(self, place: Path, closed: Event) -> None:
        super().__init__()
        self.ended = Event()
        self.place = place
        self.on_staged: Callable[[Any], None] = lambda intake: None
        self.on_writing: Callable[[Callable[[Any], None]], None] = lambda apply: apply(None)
        self._cancel = place / "cancel"
        self._closed = closed

    def cancelled(self) -> bool:
        return self._closed.is_set() or self._cancel.exists()

    def staged(self, intake: Any) -> None:
        self.on_staged(intake)

    def writing(self, apply: Callable[[Any], None]) -> None:
        self.on_writing(apply)


class Imports:
    """The imports of one server. Its folder may be shared with others."""

    def __init__(self, folder: Path, settings: Settings, instance: Instance) -> None:
        self.store = ImportStore(folder)
        self.settings = settings
        self.instance = instance
        self.slots = ConcurrencyLimit("imports are running")
        self._lock = Lock()
        self._running: dict[str, tuple[TaskProgress, Thread]] = {}
        self._closed = Event()

    def get(self, id_: str) -> Import | None:
        """One as it is now."""
        one = self.store.get(id_)
        if one is None or not one.active:
            return one
        with self._lock:
            running = self._running.get(id_)
        if running is not None:
            return replace(one, stage=running[0].stage, rows=running[0].rows)
        return self._seen_to_live(self.store.get(id_))

    def of(self, owner: str | None, database: str) -> list[Import]:
        """Somebody's, newest first; nobody's are found by their addresses only."""
        return [one for one in self.store.all() if owner and one.owner == owner and one.database == database]

    def check_room(self, more: int) -> None:
        """Raise SpoolFullError where one more file of so many bytes would be too much."""
        if self.store.filled() + more > self.settings.jobs_disk_mb * 1e6:
            raise SpoolFullError(
                f"The files that wait to be imported may fill {self.settings.jobs_disk_mb:,g} MB (jobs_disk_mb). "
                "Delete one that is not needed any more."
            )

    def begin(self, one: Import, state: str, work: TaskFunction) -> TaskProgress:
        """Do something with one, on a thread. Raises BusyError, ConflictError."""
        place = self.store.place(one.id)
        with self._lock:
            if one.id in self._running:
                raise ConflictError("This file is being worked on already.")
            self.slots.take(self.settings.max_jobs)
            (place / "cancel").unlink(missing_ok=True)
            looker = TaskProgress(place, self._closed)
            thread = Thread(target=self._run, args=(one.id, looker, work), name="program-import", daemon=True)
            self._running[one.id] = looker, thread
        try:
            begun = replace(one, state=state, stage="reading", rows=0, error=None, status=200, ended=None)
            self.store.save(replace(begun, instance=self.instance.name))
            thread.start()
        except BaseException:
            with self._lock:
                self._forget(one.id)
            raise
        return looker

    def cancel(self, one: Import) -> None:
        """Ask one that runs to stop; one that is being kept in this very moment stays."""
        if one.active:
            (self.store.place(one.id) / "cancel").touch()

    def delete(self, one: Import) -> None:
        """Remove a file, and what is known of it. Raises ConflictError while something is done with it."""
        if one.active:
            raise ConflictError("This file is being worked on; cancel that first.")
        self.store.delete(one.id)

    def tidy(self) -> None:
        """Remove what was kept long enough; what a stopped server left is interrupted."""
        for one in self.store.all():
            found = self._seen_to_live(one)
            if found is not None and not found.active and self.gone_at(found) <= time():
                self.store.delete(one.id)

    def gone_at(self, one: Import) -> float:
        """When one is removed."""
        return (one.ended or one.created) + self.settings.retention_hours * 3600

    def close(self) -> None:
        """The server stops: what runs is rolled back."""
        self._closed.set()
        give_up = monotonic() + _SECONDS_TO_END
        with self._lock:
            threads = [thread for _, thread in self._running.values()]
        for thread in threads:
            thread.join(max(0, give_up - monotonic()))

    # Inside

    def _seen_to_live(self, one: Import | None) -> Import | None:
        """As it is, where the server that works on it runs; else interrupted."""
        if one is None or not one.active:
            return one
        with self._lock:
            if one.id in self._running:
                return one
        if one.instance != self.instance.name and one.instance in self.instance.alive():
            return one
        one = self.store.get(one.id)  # it may have ended since it was looked up
        if one is None or not one.active:
            return one
        with suppress(OSError):
            return self.store.save(replace(one, state="interrupted", error=_INTERRUPTED, ended=time()))
        return None

    def _run(self, id_: str, looker: TaskProgress, work: TaskFunction) -> None:
        one = self.store.get(id_)
        ended = self._outcome(one, looker, work) if one is not None else None
        with self._lock:  # who sees that it has ended can begin the next at once
            if ended is not None:
                with suppress(OSError):
                    self.store.save(replace(ended, ended=time(), rows=looker.rows))
            self._forget(id_)
        looker.ended.set()

    def _outcome(self, one: Import, looker: TaskProgress, work: TaskFunction) -> Import:
        try:
            return work(one, looker)
        except CancelledError as error:
            if self._closed.is_set():
                return replace(one, state="interrupted", error=_INTERRUPTED)
            return replace(one, state="cancelled", error=str(error), report=None)
        except ExportError as error:
            said: tuple[str, int] = str(error), error.status
        except OSError as error:
            said = f"The server's disk takes no more ({error.strerror}). Nothing was changed.", 507
        except Exception as error:  # no values, no SQL
            said = f"It failed ({type(error).__name__}). Tell the person who runs this site.", 500
        return replace(one, state="failed", error=said[0], status=said[1], report=None)

    def _forget(self, id_: str) -> None:
        del self._running[id_]
        self.slots.give_back()


_INTERRUPTED = "The server was stopped. An import is all or nothing: look at the preview again to see which it is."


def as_data(value: Any) -> dict[str, Any]:
    """A report as it is kept."""
    found: dict[str, Any] = value.model_dump(mode="json")
    return found
