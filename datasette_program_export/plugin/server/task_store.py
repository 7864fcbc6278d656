"""Background tasks of one kind as rows of the task file.

A state changes by an UPDATE that names the states before it, so that of two concurrent changes one
comes first, even in different servers: a cancelled export never becomes done.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from time import time
from typing import Any, ClassVar, Generic, TypeVar

from .task_file import TaskFile


@dataclass(frozen=True, kw_only=True)
class Task:
    """The fields that tasks of all kinds have; each kind adds its own.

    Its ``owner`` may see it, its ``person`` gets a share for it (``slots``). ``rules`` is a digest of the settings
    about secrets when the task ran, ``stopping`` is set when it was asked to stop. Times are seconds since 1970."""

    TABLE: ClassVar[str]
    ACTIVE: ClassVar[tuple[str, ...]]  # the states of a task that waits or runs
    JSON: ClassVar[tuple[str, ...]]  # the fields that are stored as JSON

    id: str
    owner: str | None
    person: str | None
    instance: str
    state: str
    database: str
    rules: str
    created: float
    ended: float | None = None
    rows: int = 0
    bytes: int = 0
    sha256: str | None = None
    error: str | None = None
    stopping: int | None = None

    @property
    def active(self) -> bool:
        """Whether the task waits or runs."""
        return self.state in self.ACTIVE

    def overdue(self, seconds: float) -> bool:
        """Check whether the task ended at least ``seconds`` ago."""
        return not self.active and self.ended is not None and self.ended <= time() - seconds


T = TypeVar("T", bound=Task)


class TaskStore(Generic[T]):
    """The table of one kind of task. Every method may be called on any thread; each raises SpoolFullError."""

    def __init__(self, file: TaskFile, kind: type[T]) -> None:
        self._file = file
        self._kind = kind
        self._table = kind.TABLE
        self._active = f"state IN ({', '.join(map(repr, kind.ACTIVE))})"
        file.make_table(self._table, [f.name for f in fields(kind)])

    def put(self, task: T, most: int | None = None) -> bool:
        """Store a new task, or one that begins again.

        Return False if it is already active, or if its person has ``most`` active tasks."""
        facts = self._kept(asdict(task))
        return self._file.change(
            f"INSERT INTO {self._table} ({', '.join(facts)}) SELECT {_marks(facts)} WHERE ? IS NULL "
            f"OR (SELECT count(*) FROM {self._table} WHERE person IS ? AND {self._active}) < ? "
            f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in facts)} "
            f"WHERE NOT {self._active}",
            *(*facts.values(), most, task.person, most),
        )

    def get(self, id_: str) -> T | None:
        """Return the task with this id, or None."""
        return next(iter(self._found("id = ?", id_)), None)

    def of(self, owner: str, database: str | None = None) -> list[T]:
        """Return the tasks of an owner, newest first."""
        return self._found("owner = ? AND (? IS NULL OR database = ?)", owner, database, database)

    def ids(self, *states: str) -> set[str]:
        """Return the ids of the tasks in one of these states; without states, of all tasks."""
        where = f"WHERE state IN ({_marks(states)})" if states else ""
        return {row["id"] for row in self._file.rows(f"SELECT id FROM {self._table} {where}", *states)}

    def going_on(self) -> set[str]:
        """Return the ids of the active tasks that were not asked to stop."""
        sql = f"SELECT id FROM {self._table} WHERE {self._active} AND stopping IS NOT 1"
        return {row["id"] for row in self._file.rows(sql)}

    def filled(self, person: str | None, without: str, *states: str) -> tuple[int, int]:
        """Return the total bytes of the tasks in these states, and of one person's, ``without`` the task of an id."""
        sql = (
            "SELECT coalesce(sum(bytes), 0) AS filled, coalesce(sum(bytes) FILTER (WHERE person IS ?), 0) AS mine "
            f"FROM {self._table} WHERE id <> ? AND state IN ({_marks(states)})"
        )
        found = self._file.rows(sql, person, without, *states)[0]
        return int(found["filled"]), int(found["mine"])

    def note(self, id_: str, **facts: Any) -> bool:
        """Update fields of an active task; return False if the task is not active."""
        kept = self._kept(facts)
        sql = f"UPDATE {self._table} SET {_sets(kept)} WHERE id = ? AND {self._active}"
        return self._file.change(sql, *kept.values(), id_)

    def end(self, id_: str, **facts: Any) -> bool:
        """Store the final state and other fields of an active task; return False if it had already ended."""
        return self.note(id_, ended=time(), **facts)

    def interrupt(self, alive: Collection[str], mine: str, known: Collection[str], facts: dict[str, Any]) -> None:
        """Mark as interrupted the tasks of stopped servers, and those of server ``mine`` that are not in ``known``.

        ``alive`` are the names of the running servers; ``facts`` are further fields to set.
        """
        kept = self._kept({"state": "interrupted", "ended": time(), **facts})
        self._file.change(
            f"UPDATE {self._table} SET {_sets(kept)} WHERE {self._active} "
            f"AND (instance NOT IN ({_marks(alive)}) OR (instance = ? AND id NOT IN ({_marks(known)})))",
            *(*kept.values(), *alive, mine, *known),
        )

    def expire(self, seconds: float) -> None:
        """Mark results that are ``seconds`` old as expired."""
        sql = f"UPDATE {self._table} SET state = 'expired' WHERE state = 'done' AND ended <= ?"
        self._file.change(sql, time() - seconds)

    def forget(self, seconds: float) -> None:
        """Delete tasks that ended at least ``seconds`` ago."""
        self._file.change(f"DELETE FROM {self._table} WHERE NOT {self._active} AND ended <= ?", time() - seconds)

    def delete(self, id_: str, active: bool = True) -> bool:
        """Delete a task. With ``active=False``, keep an active one and return False."""
        self._file.change(f"DELETE FROM {self._table} WHERE id = ? AND (? OR NOT {self._active})", id_, active)
        return id_ not in self.ids()

    def _found(self, where: str, *values: Any) -> list[T]:
        rows = self._file.rows(f"SELECT * FROM {self._table} WHERE {where} ORDER BY created DESC, id", *values)
        return [self._kind(**{f.name: self._read(f.name, row[f.name]) for f in fields(self._kind)}) for row in rows]

    def _read(self, name: str, value: Any) -> Any:
        return json.loads(value) if name in self._kind.JSON else value

    def _kept(self, facts: dict[str, Any]) -> dict[str, Any]:
        return {k: json.dumps(v) if k in self._kind.JSON else v for k, v in facts.items()}


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))


def _sets(names: Collection[str]) -> str:
    return ", ".join(f"{name} = ?" for name in names)
