"""Compares a file with the database that it came from."""

from __future__ import annotations

from typing import Any

from ..errors import RequestError
from ..exporting.exporter import Export
from ..formats.dataset import Dataset
from ..formats.description.digest import TableDigest
from ..options.request import OF_THE_FILE, Request
from ..options.settings import Settings
from .report import Report


def compare(report: Report, database: Any, settings: Settings) -> None:
    """Repeat the file's request on the database, and put what differs into ``report.differences``.

    The request comes from the file, but it can only read. Raises what an export raises: RequestError
    if a table no longer exists, NotFoundError if a record does not, SourceError."""
    asked = {k: v for k, v in report.export.get("request", {}).items() if k not in (*OF_THE_FILE, "profile")}
    if any(str(name).startswith("_") for name in asked.get("params", {})):
        raise RequestError("The file is of a query that depends on who asked; it cannot be asked again.")
    with Export(database, Request(**asked), settings=settings, tell=False) as export:
        now = export.read(_digests)
    differences = []
    for name, table in report.tables.items():
        rows, digest = now.pop(name, (None, None))
        if rows is None:
            differences.append(f"{name}: not in the database's answer now.")
        elif digest != (table.sha256_as_exported or table.sha256):
            counts = f"{table.rows:,} rows in the file, {rows:,} now"
            differences.append(f"{name}: {counts if rows != table.rows else 'as many rows, but not the same'}.")
    differences += [f"{name}: {rows:,} rows now, not in the file." for name, (rows, _) in now.items()]
    report.differences = differences


def _digests(dataset: Dataset) -> dict[str, tuple[int | None, str | None]]:
    found: dict[str, tuple[int | None, str | None]] = {}
    for table in dataset.tables:
        digest = TableDigest(len(table.fields), [i for i, field in enumerate(table.fields) if field.generated])
        for rows in table.batches:
            digest.add(rows)
        found[table.name] = (digest.rows, digest.hexdigest())
    return found
