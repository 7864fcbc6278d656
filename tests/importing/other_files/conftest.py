"""A table, a file as bytes, and what an import makes of the two."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import load
from datasette_program_export.importing.report import ImportReport


@dataclass
class Outcome:
    """The rows of the table after the import, the report, and all its sentences in one text."""

    rows: list[tuple[Any, ...]]
    report: ImportReport

    @property
    def refused(self) -> str:
        """The reasons against it, in one text; fails if there are none."""
        assert self.report.status == "refused" and self.report.findings and not self.rows
        return " | ".join(f.message for f in self.report.findings)

    @property
    def notes(self) -> str:
        return " | ".join(note.message for note in self.report.notes)


Importing = Callable[..., Outcome]


@pytest.fixture
def importing(tmp_path: Path) -> Importing:
    """``importing(columns, data, name, **choices)``: a preview, then the import if it is not refused."""

    def run(columns: str, data: str | bytes, name: str = "f.csv", **choices: Any) -> Outcome:
        file, target = tmp_path / name, tmp_path / "t.db"
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        target.unlink(missing_ok=True)
        with closing(sqlite3.connect(target)) as connection:
            connection.executescript(f"CREATE TABLE t ({columns})")
            connection.commit()
        report = load(target, file, table=choices.pop("table", "t"), preview=True, **choices)
        if report.ok:
            load(target, file, table="t", backup=False, **choices)
        with closing(sqlite3.connect(target)) as connection:
            return Outcome(connection.execute("SELECT * FROM t ORDER BY rowid").fetchall(), report)

    return run
