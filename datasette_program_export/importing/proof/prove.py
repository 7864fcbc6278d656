"""``prove(file)``: imports a file into a new database and compares the result with the file.

``verify`` only reads. This also shows that the tables can be created, that every row can be
inserted, that each table then has the digest that the file announces, and that its references hold.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ...database.library import Prepare
from ...database.reflection import reflect
from ...database.schema import quote
from ...files.temporary.folder import TemporaryFolder
from ...formats.description.digest import TableDigest
from ...options.arguments import path_of
from ...options.settings import Settings
from ...verifying.report import Report
from ...verifying.verifier import verify
from ..importer import load
from ..report import ImportReport
from ..running.hooks import AppliedImport
from ..staging.columns import ColumnMapping
from ..staging.database import StagedTable
from ..target import Target
from ..writing.row_matching import RowMatching

_BATCH = 2000


class ProvenTable(BaseModel):
    """One table in the new database."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    sha256: str
    announced: str = Field(description="The digest that the file announces.")

    @property
    def same(self) -> bool:
        """Whether the new database holds just the announced rows."""
        return self.sha256 == self.announced


class Proof(BaseModel):
    """The result. ``proven``: the new database has everything that the file announces, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    file: str
    proven: bool = False
    complete: bool = Field(default=False, description="Whether the file is complete and unchanged, as `verify` says.")
    problems: list[str] = []
    tables: dict[str, ProvenTable] = {}
    dangling: int = Field(default=0, description="References that lead nowhere, as the file says itself.")
    seconds: float = 0.0
    bytes: int = Field(default=0, description="The size of the new database, which is removed again.")
    report: ImportReport | None = None


def prove(
    file: str | Path,
    *,
    settings: Settings | None = None,
    trusted: bool = False,
    folder: str | None = None,
    prepare: Prepare | None = None,
) -> Proof:
    """Import a file into a new database, compare the two, and remove the database.

    The file is in a format of this program. ``folder`` holds the new database, by default the system's
    temporary folder. ``trusted`` lifts the limits on size. ``prepare`` is called with its connection. Example::

        proof = prove("client-3.programjson")
        print(proof.proven, proof.problems)

    What is wrong with the file is in ``problems``. Raises NotFoundError, OSError."""
    started = time.monotonic()
    path = path_of("file", file)
    said = verify(path, trusted=trusted)
    proof = Proof(file=path.name, complete=said.status == "complete", problems=list(said.problems))
    if said.status == "complete":
        with TemporaryFolder(folder) as scratch:
            new = scratch / "proof.db"
            look = _Look(said)
            report = load(
                new,
                path,
                settings=settings,
                inspect=look,
                preview=True,
                allow_dangling=True,
                trusted=trusted,
                prepare=prepare,
            )
            proof.report, proof.tables, proof.bytes = report, look.tables, look.bytes
            aside = [n.message for n in report.notes if n.kind == "set_aside"]
            proof.problems += [f.message for f in report.findings] + aside + look.problems
            proof.dangling = sum(d.rows for d in report.dangling)
    proof.proven = said.status == "complete" and not proof.problems
    proof.seconds = round(time.monotonic() - started, 3)
    return proof


@dataclass
class _Look:
    """Compares the new database, before it is rolled back, with what ``verify`` found in the file."""

    said: Report
    tables: dict[str, ProvenTable] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    bytes: int = 0

    def __call__(self, applied: AppliedImport) -> None:
        goal, intake = applied.target, applied.intake
        for name, announced in self.said.tables.items():
            staged = intake.staging.tables.get(name)
            if staged is None:
                self.problems.append(f"{name}: none of its rows came into the database.")
                continue
            rows, digest = _digest(goal, staged, applied.schema)
            one = ProvenTable(rows=rows, sha256=digest, announced=announced.sha256)
            self.tables[name] = one
            if not one.same or one.rows != announced.rows:
                self.problems.append(f"{name}: the database does not hold just the rows of the file.")
        self._statements(goal, intake)
        self._references(applied)
        pages, size = (goal.connection.execute(f"PRAGMA main.{p}").fetchone()[0] for p in ("page_count", "page_size"))
        self.bytes = pages * size

    def _statements(self, goal: Target, intake: ColumnMapping) -> None:
        query = (
            "SELECT type, name, sql FROM main.sqlite_master WHERE sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_'"
        )
        listed = goal.connection.execute("PRAGMA main.table_list").fetchall()
        parts = {name for schema, name, kind, *_ in listed if schema == "main" and kind == "shadow"}
        there = {(kind, name): sql for kind, name, sql in goal.connection.execute(query) if name not in parts}
        made = intake.construction
        said = {(s.type, s.name): s.sql for s in (*made.tables, *made.objects)} if made is not None else {}
        aside = made.set_aside if made is not None else set()  # those are told with their reason
        for kind, name in sorted((there.keys() ^ said.keys()) - aside):
            self.problems.append(f"The {kind} {name} is only in the {'database' if (kind, name) in there else 'file'}.")
        differing = [key for key in sorted(said.keys() - aside) if key in there and there[key] != said[key]]
        self.problems += [f"The {kind} {name} is another in the database." for kind, name in differing]

    def _references(self, applied: AppliedImport) -> None:
        """Check that exactly the announced references dangle, for those that the database declares as foreign keys."""
        found = {(d.table, tuple(d.columns), d.other_table): d.rows for d in applied.dangling}
        declared = {
            (k.table, k.columns, k.other_table)
            for name, table in reflect(applied.target.connection).items()
            for k in table.foreign_keys
            if name not in applied.unchecked
        }
        for d in applied.intake.coverage.dangling:
            rows = found.get(d.reference, 0)
            if d.reference in declared and rows != d.rows:
                self.problems.append(
                    f"{d.table}.{', '.join(d.columns)}: {rows:,} references lead nowhere in the "
                    f"database, {d.rows:,} are announced."
                )


def _digest(goal: Target, staged: StagedTable, schema: str) -> tuple[int, str]:
    """Return the row count and the digest of a table of the target, in the order of the file."""
    one = RowMatching(staged, staged.columns, schema, "")
    digest = TableDigest(len(staged.columns))
    columns = ", ".join(f"t.{quote(c)}" for c in staged.columns)
    execute = goal.connection.execute
    rows = execute(f"SELECT count(*) FROM {one.target}").fetchone()[0]
    unkeyed = " OR ".join(f"{quote(c)} IS NULL" for c in one.key)
    if not unkeyed or execute(f"SELECT 1 FROM {one.target} WHERE {unkeyed} LIMIT 1").fetchone():
        order = f" ORDER BY t.{quote(staged.table.rowid)}" if staged.table.rowid else ""
        cursor = execute(f"SELECT {columns} FROM {one.target} AS t{order}")
    else:
        joined = f"{one.rows} CROSS JOIN {one.target} AS t ON {one.match()}"
        cursor = execute(f"SELECT {columns} FROM {joined} ORDER BY s.line")
    while batch := cursor.fetchmany(_BATCH):
        digest.add(batch)
    return rows, digest.hexdigest()
