"""Runs the export jobs of one server.

Each running job has a daemon thread, so that none keeps the process from ending. One more
thread, which lives while jobs run, notes their progress twice a second and looks whether
another server that shares the folder was asked to cancel one.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock, Thread, current_thread
from time import monotonic
from typing import Any

from ...errors import AuditError, BusyError, CancelledError, ExportError, SpoolFullError
from ...exporting.exporter import Export
from ...files.atomic import write_whole
from ...files.spool import coalesced
from ...options.settings import Settings
from .audit_log import LogEntry
from .folder import Instance
from .import_runner import Imports
from .job_store import Job, JobStore
from .throttle import considerate

TICK = 0.5  # seconds between two notes of the progress
_SECONDS_TO_END = 5


@dataclass
class _Running:
    """A job with what runs it. ``line`` makes its line in the log, when it starts."""

    id: str
    export: Export
    line: Callable[[], LogEntry | None]
    size: int = 0


class Jobs:
    """The jobs of this server, in a private folder. Close it when the server stops."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.instance = Instance(folder)
        self.store = JobStore(folder)
        self.imports = Imports(folder / "imports", settings, self.instance)
        self._lock = Lock()
        self._waiting: deque[_Running] = deque()
        self._running: dict[str, _Running] = {}
        self._threads: set[Thread] = set()
        self._keeper: Thread | None = None
        self._closed = Event()
        self._seconds_kept = settings.retention_hours * 3600
        self.tidy()

    # What views ask for

    def add(self, job: Job, export: Export, line: Callable[[], LogEntry | None]) -> None:
        """Take a job on; it runs as soon as there is room. Raises BusyError."""
        if self._closed.is_set():
            raise BusyError("The server is stopping. Try again when it is back.")
        self.tidy()
        with self._lock:
            self.store.add(job, self.settings.max_jobs_per_person)
            self._waiting.append(_Running(job.id, export, line))
        self._start_next()

    def get(self, id_: str) -> Job | None:
        """The job as it is now, its progress to the moment."""
        job = self.store.get(id_)
        if job is not None and ((job.active and not self._knows(id_)) or job.overdue(self._seconds_kept)):
            self.tidy()  # its server may have stopped
            job = self.store.get(id_)
        return None if job is None else self._live(job)

    def of(self, owner: str) -> list[Job]:
        """Somebody's jobs, newest first."""
        self.tidy()
        return [self._live(job) for job in self.store.of(owner)]

    def cancel(self, id_: str) -> bool:
        """End a job that waits or runs: its reading stops within moments. False where it has ended."""
        ended = self.store.end(id_, "cancelled")
        self._stop(id_)
        return ended

    def delete(self, id_: str) -> None:
        """Forget a job, and remove its result."""
        self.store.delete(id_)
        self._stop(id_)
        _remove(self.result(id_))

    def result(self, id_: str) -> Path:
        """Where the result of a job is, when it is done."""
        return self.folder / f"{id_}.result"

    def tidy(self) -> None:
        """Mark what was interrupted, let go what was kept long enough, remove files that no job wants."""
        with self._lock:
            self.store.interrupt(self.instance.alive(), self.instance.name, self._known())
        self.store.expire(self._seconds_kept)
        self.imports.tidy()
        found = [*self.folder.glob("*.result"), *self.folder.glob(".*.part")]
        wanted = self.store.wanted()  # asked after looking: a file that came since is not looked at
        for path in found:
            if path.name.lstrip(".").partition(".")[0] not in wanted:
                _remove(path)

    def close(self) -> None:
        """The server stops: its jobs are interrupted, and their files removed."""
        with self._lock:
            self._closed.set()
            ending = [*self._waiting, *self._running.values()]
            self._waiting.clear()
            threads = [t for t in (*self._threads, self._keeper) if t is not None]
        for one in ending:
            self.store.end(one.id, "interrupted")
            one.export.cancel()
        give_up = monotonic() + _SECONDS_TO_END
        for thread in threads:
            thread.join(max(0, give_up - monotonic()))
        self.imports.close()
        self.instance.close()
        self.store.close()

    # Inside

    def _knows(self, id_: str) -> bool:
        with self._lock:
            return id_ in self._known()

    def _known(self) -> set[str]:
        return {one.id for one in self._waiting} | set(self._running)

    def _live(self, job: Job) -> Job:
        one = self._running.get(job.id)
        if one is None or job.state != "running":
            return job
        return replace(job, rows=one.export.progress.rows, bytes=one.size, reading=one.export.progress.table)

    def _stop(self, id_: str) -> None:
        with self._lock:
            self._waiting = deque(one for one in self._waiting if one.id != id_)
            one = self._running.get(id_)
        if one is not None:
            one.export.cancel()

    def _start_next(self) -> None:
        with self._lock:
            while self._waiting and len(self._running) < self.settings.max_jobs and not self._closed.is_set():
                one = self._waiting.popleft()
                self._running[one.id] = one
                thread = Thread(target=self._run, args=(one,), name="program-export-job", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no more threads are to be had
                    del self._running[one.id]
                    self.store.end(one.id, "failed", error="The server cannot take one more export now. Try again.")
                else:
                    self._threads.add(thread)
            if self._running and self._keeper is None:
                self._keeper = Thread(target=self._keep, name="program-export-jobs", daemon=True)
                self._keeper.start()

    def _run(self, one: _Running) -> None:
        """The job's own thread: it opens the database, reads it, and closes it."""
        try:
            if self.store.start(one.id):
                state, facts = self._outcome(one)
                facts |= {"rows": one.export.progress.rows, "bytes": one.size}
                if self._closed.is_set():  # marked already, and the list may be closed
                    state = "interrupted"
                elif not self.store.end(one.id, state, **facts):
                    state = "cancelled"  # or deleted, in the meantime
                if state != "done":
                    _remove(self.result(one.id))
        finally:
            with self._lock:
                del self._running[one.id]
                self._threads.discard(current_thread())
            self._start_next()

    def _outcome(self, one: _Running) -> tuple[str, dict[str, Any]]:
        """Run it. The state it ends in, and what is to be known of it."""
        line = None
        try:
            line = one.line()
            return "done", self._written(one, line)
        except Exception as error:
            said = self._sentence(error)
            if line is not None:
                with suppress(AuditError):  # then that is what went wrong
                    line.end(said, one.export.progress.rows)
            return "failed", {"error": said}

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, CancelledError):
            return "The server stopped." if self._closed.is_set() else "The job was cancelled."
        if isinstance(error, ExportError):
            return str(error)
        return f"The export failed ({type(error).__name__}). Tell the person who runs this site."  # no values, no SQL

    def _written(self, one: _Running, line: LogEntry | None) -> dict[str, Any]:
        digest = hashlib.sha256()
        room = int(self.settings.jobs_disk_mb * 1e6) - self.store.filled()

        def counted() -> Iterator[bytes]:
            for chunk in considerate(one.export if line is None else line.watch(one.export)):
                digest.update(chunk)
                one.size += len(chunk)
                if one.size > room:
                    raise SpoolFullError(
                        f"The results of all jobs may fill {self.settings.jobs_disk_mb:,g} MB (jobs_disk_mb), and "
                        "this would be more. Delete a result that is not needed any more, or take a smaller part."
                    )
                yield chunk

        try:
            write_whole(self.result(one.id), coalesced(counted()))
        except OSError as error:
            if isinstance(error, ExportError):
                raise
            raise SpoolFullError(f"The folder of the jobs takes no more ({error.strerror}).") from None
        finally:
            one.export.close()
        if line is not None:  # before it counts as done: where the log cannot be written, no export is complete
            line.end("complete", one.export.progress.rows)
        return {"sha256": digest.hexdigest(), "filename": one.export.filename, "media_type": one.export.media_type}

    def _keep(self) -> None:
        """Note the progress of what runs; stop what was ended through another server."""
        while not self._closed.wait(TICK):
            with self._lock:
                running = list(self._running.values())
                if not running and not self._waiting:
                    self._keeper = None
                    return
            for one in running:
                self.store.progress(one.id, one.export.progress.rows, one.size, one.export.progress.table)
            for id_ in {one.id for one in running} - self.store.wanted():
                self._stop(id_)


def _remove(path: Path) -> None:
    with suppress(OSError):  # gone already; or it is being downloaded, where that keeps it: the next time then
        path.unlink()
