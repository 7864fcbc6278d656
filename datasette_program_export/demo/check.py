"""A self-check of an installation: exports the demo in every format and reads each file back.

The content is compared with the results of plain SQL. It is read with the standard library alone, except for
formats that the standard library cannot read.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..database.library import sqlite3
from ..errors import ExportError, TooLargeError
from ..exporting.exporter import Export
from ..files.reading_limits import TRUSTING
from ..files.temporary.folder import TemporaryFolder
from ..formats.registry import NAMES, Format, get_format
from ..formats.sqlite.reading import check_document
from ..formats.sqlite.script_reading import check_script
from ..options.request import PACKAGE, Request
from ..service.export_service import ExportService
from . import ANNA, C1

_READ_HERE = ("programjson", "ndjson", "sqlite", "sql")  # and those with a delimiter
_SQL = "select chart_type, count(*) as charts from charts group by 1"
WAYS = {
    "a client": Request(table="clients", records=((ANNA,),)),
    "a chart": Request(table="charts", records=((C1,),)),
    "a table": Request(table="birth_data"),
    "a query": Request(sql=_SQL),
    "the database": Request(),
}


@dataclass(frozen=True)
class Checked:
    """The result of one way to export: the number of rows found, and the problem, if there is one."""

    way: str
    rows: int
    problem: str | None


def check(database: Path) -> Iterator[Checked]:
    """Export a demo database in every way and yield the result of verifying each file."""
    for name, request in WAYS.items():
        expected = _counts(database, request)
        for form in filter(lambda name: get_format(name).is_installed, NAMES):
            asked = request.model_copy(update={"format": form, "layout": _layout(form)})
            try:
                with Export(database, asked) as made:
                    content = b"".join(made)
                    archived = made.filename.endswith(".zip")
            except TooLargeError:  # of a demo of many clients: a page that no browser would bear is refused, rightly
                continue
            except ExportError as error:
                yield Checked(f"{name} as {form}", 0, f"cannot be exported: {error}")
                continue
            yield _checked(f"{name} as {form}", expected, lambda: _read(form, archived, content))  # noqa: B023
    service = ExportService(database)
    for form in ("json", "csv"):
        result = service.export_full_database(format=form)
        report = service.validate_export(result)
        problem = "; ".join(report["errors"]) or None
        if result["record_counts"] != _counts(database, Request()):
            problem = "the counts differ from the database's"
        yield Checked(f"ExportService, {form}", sum(result["record_counts"].values()), problem)


def _checked(way: str, expected: dict[str, int], read: Callable[[], dict[str, int]]) -> Checked:
    try:
        found = read()
    except (ExportError, ValueError, KeyError, zipfile.BadZipFile, sqlite3.Error) as error:
        return Checked(way, 0, f"cannot be read back: {error}")
    if "" in found:  # a file of one table does not name the table
        found = dict(zip(expected, found.values()))
    if found != expected:
        return Checked(way, sum(found.values()), f"{found} rows, and {expected} were expected")
    return Checked(way, sum(found.values()), None)


def _counts(database: Path, request: Request) -> dict[str, int]:
    """Return the expected number of rows of each table, counted with plain SQL."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:

        def count(sql: str) -> int:
            found: int = connection.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0]
            return found

        if request.sql is not None:
            return {"query": count(request.sql)}
        if request.scope == "table":
            return {request.table or "": count(f'SELECT 1 FROM "{request.table}"')}
        if request.records:
            return {table: count(sql) for table, sql in _RECORDS[request.table or ""].items()}
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: count(f'SELECT 1 FROM "{name}"') for (name,) in names if name != "location_cache"}


# The owner rule of docs/closure.md, written out for the demo's tables
_OWN_CHARTS = (
    f"SELECT id FROM charts WHERE client_id = '{ANNA}' OR (client_id IS NULL AND birth_data_id IN "
    f"(SELECT id FROM birth_data WHERE client_id = '{ANNA}'))"
)
_PARTS = ("chart_interpretations", "aspect_patterns", "transit_events")
_RECORDS = {
    "clients": {
        "clients": f"SELECT 1 FROM clients WHERE id = '{ANNA}'",
        "birth_data": f"SELECT 1 FROM birth_data WHERE client_id = '{ANNA}'",
        "charts": _OWN_CHARTS,
        **{table: f"SELECT 1 FROM {table} WHERE chart_id IN ({_OWN_CHARTS})" for table in _PARTS},
        "session_notes": f"SELECT 1 FROM session_notes WHERE client_id = '{ANNA}'",
    },
    "charts": {
        "clients": f"SELECT 1 FROM clients JOIN charts ON client_id = clients.id WHERE charts.id = '{C1}'",
        "birth_data": f"SELECT 1 FROM birth_data JOIN charts ON birth_data_id = birth_data.id WHERE charts.id = '{C1}'",
        "charts": f"SELECT 1 FROM charts WHERE id = '{C1}'",
        **{table: f"SELECT 1 FROM {table} WHERE chart_id = '{C1}'" for table in _PARTS},
    },
}


def _layout(form: str) -> str:
    """Return the layout to export: plain rows, unless only the format's own reader can read it.

    In that case, the layout in which a single table proves itself."""
    known = get_format(form)
    return known.proving_layout or "rows" if form not in _READ_HERE and known.delimiter is None else "rows"


def _read(form: str, archived: bool, content: bytes) -> dict[str, int]:
    if archived:
        return _read_zip(content)
    if form == "programjson":
        found = json.loads(content)
        before, _, _ = content.rpartition(b'"integrity"')
        if found["integrity"]["document"] != hashlib.sha256(before).hexdigest() or not found["integrity"]["complete"]:
            raise ValueError("the document's digest differs")
        return {name: len(rows) for name, rows in found["tables"].items()}
    if form == "ndjson":
        lines = [json.loads(line) for line in content.decode().splitlines()]
        if not (lines and "format" in lines[0]):
            return {"": len(lines)}
        tables = dict.fromkeys(lines[0]["schema"]["tables"], 0)
        for line in lines[1:-2]:
            tables[line["table"]] += 1
        return tables if lines[-1]["integrity"]["complete"] else {}
    if form in ("sqlite", "sql"):
        return _read_database(form, content)
    known = get_format(form)
    if known.delimiter is None:
        return _read_by_itself(known, content)
    return {"": _csv_rows(content, known.delimiter)}


def _read_by_itself(form: Format, content: bytes) -> dict[str, int]:
    """Count the rows with the format's own reader, as the standard library has none."""
    if form.decode is None:
        raise ValueError("nothing here reads this format")
    with form.decode(io.BytesIO(content), TRUSTING) as found:
        return {table.name: sum(map(len, table.batches)) for table in found.tables}


def _read_database(form: str, content: bytes) -> dict[str, int]:
    with TemporaryFolder() as folder:
        path = folder / "exported"
        path.write_bytes(content)
        if problem := (check_document if form == "sqlite" else check_script)(path):
            raise ValueError(problem)
        with closing(sqlite3.connect(path if form == "sqlite" else ":memory:")) as connection:
            if form == "sql":
                connection.executescript(content.decode())
            told = dict(connection.execute("SELECT key, value FROM program_export"))
            tables = json.loads(told["schema"])["tables"]
            return {t: connection.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in tables}


def _read_zip(content: bytes) -> dict[str, int]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    if archive.testzip() is not None:
        raise ValueError("a member of the zip is damaged")
    about = json.loads(archive.read("datapackage.json"))
    if not about["program_export"]["integrity"]["complete"]:
        raise ValueError("it is not complete")
    found = {}
    for resource in about["resources"]:
        if "dialect" in resource:
            found[resource["title"]] = _csv_rows(archive.read(resource["path"]), resource["dialect"]["delimiter"])
    return found or _read_by_itself(get_format(PACKAGE), content)  # of files that the standard library cannot read


def _csv_rows(content: bytes, delimiter: str) -> int:
    csv.field_size_limit(2**31 - 1)
    return len(list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))) - 1
