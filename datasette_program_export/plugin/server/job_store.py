"""Export jobs as rows of a small SQLite file.

    queued ──> running ──> done ──> expired
       │          ├──> failed        the export met something; ``error`` says what
       │          └──> interrupted   the server stopped
       └──────────┴──> cancelled     by its owner

A state changes by an UPDATE that names the state before it, so that of two who change it
one comes first, in whichever server they are: a cancelled job never becomes done.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from threading import Lock
from time import time
from typing import Any

from datasette.utils.sqlite import sqlite3

from ...database.sqlite_errors import explain
from ...errors import BusyError, SpoolFullError
from ...files.atomic import make_private

ACTIVE = ("queued", "running")


@dataclass(frozen=True)
class Job:
    """One job. ``asked`` is what to ask again: the parts of the address, and its query string.

    ``visible`` are the tables that it could read (None: a trusted query), ``rules`` a mark of
    the settings about secrets that held then. Times are seconds since 1970."""

    id: str
    owner: str | None
    instance: str
    state: str
    title: str
    database: str
    asked: dict[str, Any]
    request: dict[str, Any]
    visible: list[str] | None
    rules: str
    created: float
    started: float | None = None
    ended: float | None = None
    rows: int = 0
    bytes: int = 0
    total_rows: int | None = None
    total_bytes: int | None = None
    reading: str | None = None
    filename: str | None = None
    media_type: str | None = None
    sha256: str | None = None
    error: str | None = None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    def overdue(self, seconds: float) -> bool:
        """Whether its result was kept for so long."""
        return self.state == "done" and self.ended is not None and self.ended <= time() - seconds


_COLUMNS = [f.name for f in fields(Job)]
_JSON = ("asked", "request", "visible")


class JobStore:
    """The file. Every method may be called on any thread, and none of them takes long."""

    def __init__(self, folder: Path) -> None:
        path = folder / "jobs.db"
        make_private(path)
        self._lock = Lock()
        self._connection = sqlite3.connect(str(path), timeout=20, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._run("PRAGMA journal_mode = WAL")
        columns = ", ".join(f"{name} PRIMARY KEY" if name == "id" else name for name in _COLUMNS)
        self._run(f"CREATE TABLE IF NOT EXISTS jobs ({columns})")

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()

    def _run(self, sql: str, *params: Any) -> list[Any]:
        return self._executed(sql, params)[0]

    def _changed(self, sql: str, *params: Any) -> bool:
        return bool(self._executed(sql, params)[1])

    def _executed(self, sql: str, params: Iterable[Any]) -> tuple[list[Any], int]:
        try:
            with self._lock, closing(self._connection.execute(sql, tuple(params))) as cursor:
                return cursor.fetchall(), cursor.rowcount
        except sqlite3.Error as error:
            raise SpoolFullError(
                f"The list of jobs cannot be kept ({explain(error)}). Tell the person who runs this site."
            ) from None

    def add(self, job: Job, most: int) -> None:
        """Keep a new job. Raises BusyError where its owner has ``most`` that run or wait."""
        facts = {k: json.dumps(v) if k in _JSON else v for k, v in asdict(job).items()}
        added = self._changed(
            f"INSERT INTO jobs ({', '.join(facts)}) SELECT {_marks(facts)} "
            "WHERE (SELECT count(*) FROM jobs WHERE owner IS ? AND state IN ('queued', 'running')) < ?",
            *facts.values(),
            job.owner,
            most,
        )
        if not added:
            raise BusyError(
                f"You have {most} exports that run or wait, which is the most at once. Wait for one, or cancel one."
            )

    def get(self, id_: str) -> Job | None:
        """The job of that name."""
        return next(iter(self._jobs("id = ?", id_)), None)

    def of(self, owner: str) -> list[Job]:
        """Somebody's jobs, newest first."""
        return self._jobs("owner = ?", owner)

    def _jobs(self, where: str, *params: Any) -> list[Job]:
        rows = self._run(f"SELECT * FROM jobs WHERE {where} ORDER BY created DESC, id", *params)
        return [Job(**{k: json.loads(row[k]) if k in _JSON else row[k] for k in _COLUMNS}) for row in rows]

    def start(self, id_: str) -> bool:
        """From waiting to running; False where it was cancelled before."""
        sql = "UPDATE jobs SET state = 'running', started = ? WHERE id = ? AND state = 'queued'"
        return self._changed(sql, time(), id_)

    def progress(self, id_: str, rows: int, size: int, reading: str | None) -> None:
        """Note how far a running job has come."""
        sql = "UPDATE jobs SET rows = ?, bytes = ?, reading = ? WHERE id = ? AND state = 'running'"
        self._run(sql, rows, size, reading, id_)

    def end(self, id_: str, state: str, **facts: Any) -> bool:
        """From waiting or running to its end; False where it had one already."""
        values = {"state": state, "ended": time(), "reading": None, **facts}
        sets = ", ".join(f"{name} = ?" for name in values)
        return self._changed(
            f"UPDATE jobs SET {sets} WHERE id = ? AND state IN ('queued', 'running')", *values.values(), id_
        )

    def delete(self, id_: str) -> None:
        """Forget a job."""
        self._run("DELETE FROM jobs WHERE id = ?", id_)

    def interrupt(self, alive: Iterable[str], mine: str, known: Iterable[str]) -> None:
        """Mark the jobs of servers that stopped, and those of this one that it does not know of any more."""
        servers, jobs = list(alive), list(known)
        self._run(
            "UPDATE jobs SET state = 'interrupted', ended = ?, reading = NULL WHERE state IN ('queued', 'running') "
            f"AND (instance NOT IN ({_marks(servers)}) OR (instance = ? AND id NOT IN ({_marks(jobs)})))",
            *(time(), *servers, mine, *jobs),
        )

    def expire(self, seconds: float) -> None:
        """Mark the results that were kept long enough; forget jobs that ended as long again before."""
        self._run("UPDATE jobs SET state = 'expired' WHERE state = 'done' AND ended <= ?", time() - seconds)
        self._run("DELETE FROM jobs WHERE ended <= ?", time() - 2 * seconds)

    def wanted(self) -> set[str]:
        """The jobs whose files are to stay."""
        return {row["id"] for row in self._run("SELECT id FROM jobs WHERE state IN ('queued', 'running', 'done')")}

    def filled(self) -> int:
        """The bytes of all results, and of what is being written."""
        return int(self._run("SELECT coalesce(sum(bytes), 0) FROM jobs WHERE state IN ('running', 'done')")[0][0])


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))
