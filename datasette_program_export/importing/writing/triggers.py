"""The triggers of the target: switched off while rows are written, but for those that only fill a search index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...database.connections.scratch import firing, refusal
from ...database.guarding.trigger_text import TriggerText, trigger_text
from ...database.library import sqlite3
from ...database.schema import fold, quote
from ...errors import SourceError
from ..report import FindingCollector, TableReport

# not sqlite-utils' triggers, which has no order
_TRIGGERS = "SELECT name, tbl_name, sql FROM main.sqlite_master WHERE type = 'trigger' ORDER BY rowid"


@dataclass(frozen=True)
class Trigger:
    """A trigger of the target; ``table`` is its table as written in the schema, ``text`` what its statement says."""

    name: str
    table: str
    sql: str
    text: TriggerText

    def fires_for(self, report: TableReport) -> bool:
        """Return whether an import with these counts would fire it. It is taken to, if its text cannot be read."""
        return bool({"insert": report.insert, "update": report.update, "delete": 0}.get(self.text.event, 1))


class Triggers:
    """Switches triggers off, by dropping them, and makes them again from their SQL.

    Both happen in the transaction, so that no other connection ever sees a table without its triggers. If any is
    switched off, all are dropped, so that their order stays. Not every supported version of SQLite has a switch for
    triggers. ``of_tables`` are those of the ``tables``, ``kept`` those of them that fire all the same; ``is_off``: the
    others are dropped."""

    def __init__(self, connection: sqlite3.Connection, tables: Iterable[str]) -> None:
        self._connection = connection
        self._found = connection.execute(_TRIGGERS).fetchall()
        folded = set(map(fold, tables))
        self.of_tables = [Trigger(n, t, s, trigger_text(s)) for n, t, s in self._found if fold(t) in folded]
        self.kept: list[Trigger] = []
        self.is_off = False
        self._trials = 0

    def switch_off(self, choose: Callable[[], list[Trigger]]) -> None:
        """Drop all triggers, if any is of the tables, but for those that ``choose`` returns.

        It is called while all of them are dropped."""
        if not self.of_tables:
            return
        self._drop_all()
        self.is_off = True
        self.kept = choose()
        for trigger in self.kept:
            self._connection.execute(trigger.sql)

    def refusal_of(self, trigger: Trigger) -> str | None:
        """Return why SQLite cannot run a trigger here, such as for a function of its application; None if it can.

        Call it while the triggers are switched off."""
        fired_by = list(firing(self._connection, trigger.table))
        before = [self._tried(sql) for sql in fired_by]
        self._connection.execute(trigger.sql)
        try:
            after = [self._tried(sql) for sql in fired_by]
        finally:
            self._connection.execute(f"DROP TRIGGER main.{quote(trigger.name)}")
        return next((why for why, known in zip(after, before) if why is not None and why != known), None)

    def _tried(self, sql: str) -> str | None:
        """Compile a statement. It differs from each before: a cached EXPLAIN is not compiled again for a trigger."""
        self._trials += 1
        return refusal(self._connection, f"EXPLAIN /* {self._trials} */ {sql}")

    def restore(self) -> None:
        """Create the triggers again. Raises SourceError if they are not the same as before."""
        if not self.is_off:
            return
        self._drop_all()
        for _, _, sql in self._found:
            self._connection.execute(sql)
        if self._connection.execute(_TRIGGERS).fetchall() != self._found:
            raise SourceError("The triggers could not be made again as they were; nothing was changed.")

    def _drop_all(self) -> None:
        for name, _, _ in self._connection.execute(_TRIGGERS).fetchall():
            self._connection.execute(f"DROP TRIGGER main.{quote(name)}")

    def tell(self, reports: dict[str, TableReport], done_otherwise: set[str], findings: FindingCollector) -> None:
        """Note the triggers that did not fire for rows that would have fired them.

        ``done_otherwise`` are folded names of tables that hold what their triggers would have written."""
        for table, report in reports.items():
            silent = [
                t.name
                for t in self.of_tables
                if fold(t.table) == fold(table)
                and t not in self.kept
                and t.fires_for(report)
                and not (t.text.writes and t.text.writes <= done_otherwise)
            ]
            if silent and self.is_off:
                one = len(silent) == 1
                names = f"trigger{'' if one else 's'} {', '.join(silent)}"
                words = "did not fire for these rows, without the argument triggers"
                findings.add("trigger", f"The {names} of {table} {words}.", table, error=False)
