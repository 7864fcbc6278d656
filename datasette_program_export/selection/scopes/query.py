"""The scope of an SQL query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat

from ...database.schema import Column, Table
from ...database.snapshot import Row, Snapshot
from ...errors import RequestError, TooLargeError
from ..table_rows import TableRows
from .base import Scope


@dataclass
class QueryRows(TableRows):
    """The result of a statement that is already running: its columns are known only once it runs."""

    sql: str = ""
    rows: Callable[[Iterator[int]], Iterator[list[Row]]] | None = None
    max_rows: int | None = None

    def batches(self, snapshot: Snapshot, sizes: Iterator[int]) -> Iterator[list[Row]]:
        """Yield the rows.

        Raises TooLargeError at the first row beyond ``max_rows``: their number is not known in advance."""
        assert self.rows is not None
        given = 0
        for rows in self.rows(sizes):
            given += len(rows)
            if self.max_rows is not None and given > self.max_rows:
                raise TooLargeError(f"The query gives more than {self.max_rows:,} rows, which max_rows allows.")
            yield rows

    def sample(self, snapshot: Snapshot, rows: int) -> list[Row]:
        """Return the first rows of the statement that is already running; it is not run again."""
        assert self.rows is not None
        return next(self.rows(repeat(rows)), [])

    def select(self, expressions: str | None = None, more: str = "", ordered: bool = True) -> str:
        """Return the statement, or a SELECT of expressions over it; its order is always its own."""
        return self.sql if expressions is None else f"SELECT {expressions} FROM (\n{self.sql}\n)"

    def count(self) -> str:
        """Return SQL that counts the rows."""
        return self.select("count(*)")


class QueryScope(Scope):
    """The scope ``query``. The statement may read what this person may see, but no secret columns."""

    sql_name = "The query"

    def resolve(self) -> None:
        """Start the statement. Raises RequestError or DeniedError if it cannot be run."""
        sql = (self.request.sql or "").strip()
        while sql.endswith(";"):
            sql = sql[:-1].rstrip()
        if not sql:
            raise RequestError("sql is empty: there is no query to run.")
        guard = self.guard(self.sql_name, text=sql)
        guard.check_text(sql)
        names, rows = self.snapshot.query(sql, self.request.params, guard)
        if not names:
            raise RequestError("The query gives no columns; only a SELECT can be exported.")
        table = Table(self.name, "query", tuple(Column(name, "", "BLOB") for name in distinct(names)))
        self.tables = [
            QueryRows(
                table,
                table.columns,
                params=self.request.params,
                guard=guard,
                sql=sql,
                rows=rows,
                max_rows=self.max_rows,
            )
        ]

    def labels(self) -> dict[str, tuple[str, str]]:
        """Return no labels.

        A query's rows belong to no table, and a trusted query may read tables that its reader may not know of."""
        return {}

    @property
    def name(self) -> str:
        return self.request.name or "query"


def distinct(names: list[str]) -> list[str]:
    """Return the column names made unique, ignoring case: ``a``, ``a_2``."""
    taken = {name.casefold() for name in names}
    met: set[str] = set()
    found = []
    for name in names:
        chosen, number = name, 1
        while chosen.casefold() in met or (number > 1 and chosen.casefold() in taken):
            number += 1
            chosen = f"{name}_{number}"
        met.add(chosen.casefold())
        found.append(chosen)
    return found
