"""Describe an import for its page and as JSON."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

from datasette.utils import tilde_encode

from ...database.schema import Schema
from ...database.snapshot import Snapshot
from ...errors import in_words
from ...formats.moments import seconds_text
from ...importing.choices import KINDS, POLICIES
from ...importing.report import ImportReport
from ...importing.staging.columns import takes_rows
from ...importing.writing.samples import HIDDEN
from .. import host
from ..host.protocols import Datasette
from ..server.import_runner import Import, Imports
from ..words.numbers import numbers_for
from .request import YES_OR_NO, ImportContext

_STATES = {
    "looking": "The file is being looked at",
    "previewed": "What would happen",
    "importing": "Being imported",
    "done": "Imported",
    "refused": "Not imported: nothing was changed",
    "failed": "Failed: nothing was changed",
    "cancelled": "Cancelled: nothing was changed",
    "interrupted": "Interrupted: the server was stopped",
}
_STAGES = {
    "reading": "The file is read and checked, row by row.",
    "waiting": "It waits until other changes to the database are done.",
    "copying": "The database is copied.",
    "writing": "The rows are compared and written.",
}
_POLICIES = {
    "fail": "stop, and change nothing",
    "skip": "leave the row as it is",
    "update": "take the values that the file gives",
    "replace": "the same, and what the file does not give goes back to its default",
}
_FORMS = {  # of a file of another program: the choices that are one of a few words
    "delimiter": (
        "What stands between its fields?",
        {"comma": "a comma", "semicolon": "a semicolon", "tab": "a tab", "pipe": "a bar (|)"},
    ),
    "decimal": (
        "Its numbers (decimal)",
        {"point": "1,234.56: a decimal point", "comma": "1.234,56: a decimal comma"},
    ),
    "dates": (
        "Its dates, such as 1/2/2024 (dates)",
        {"day-first": "day first", "month-first": "month first", "text": "stay as they are"},
    ),
    "nan": ("NaN in JSON (nan)", {"null": "is no value"}),
}
_NEWS = {
    "changed": "You changed a choice, so nothing was imported yet. Check the new preview, then import.",
    "unseen": "There was no preview of this, so nothing was imported yet. Check the preview, then import.",
}
_FIELDS = {choice: field for field, choice in YES_OR_NO.items()}
_FEW = 5  # the most rows that are linked one by one


def import_url(datasette: Datasette, database: str, id_: str | None = None) -> str:
    """Return the URL of the import page, or of one uploaded file."""
    base = f"{datasette.urls.database(database)}/-/program-import"
    return f"{base}/{id_}" if id_ is not None else base


def import_data_of(asked: ImportContext, imports: Imports, one: Import) -> dict[str, Any]:
    """Return an uploaded file and its state as JSON data."""
    page = import_url(asked.datasette, one.database, one.id)
    report = ImportReport.model_validate(one.report) if one.report is not None else None
    lacking = asked.rights.lacking(report) if report is not None else []
    links = {"self": f"{page}.json", "page": page}
    if one.active:
        links["cancel"] = f"{page}/cancel"
    else:
        links |= {action: f"{page}/{action}" for action in ("preview", "apply", "delete")}
        if one.state == "done":
            del links["preview"], links["apply"]
            if one.report is not None and one.report.get("bad_rows_file"):
                links["bad_rows"] = f"{page}/bad-rows"
    return {
        "ok": one.state not in ("refused", "failed"),
        "id": one.id,
        "database": one.database,
        "state": one.state,
        "stage": one.stage if one.active else None,
        "rows": one.rows,
        "file": one.file,
        "bytes": one.bytes,
        "sha256": one.sha256,
        "choices": {_FIELDS.get(name, name): value for name, value in one.choices.items()},
        "created": seconds_text(one.created),
        "ended": seconds_text(one.ended),
        "kept_until": seconds_text(imports.gone_at(one)) if not one.active else None,
        "error": one.error,
        "lacking": lacking,
        "report": one.report,
        "links": links,
    }


async def upload_context(
    asked: ImportContext, imports: Imports, mine: list[Import], error: str | None
) -> dict[str, Any]:
    """Return the template variables of the page with the upload form."""
    number = numbers_for(asked.http.headers.get("accept-language", ""))
    base = import_url(asked.datasette, asked.database.name)
    return {
        "database": asked.database.name,
        "action": base,
        "limit": number.size(int(asked.settings.import_mb * 1e6)),
        "address": asked.datasette.absolute_url(asked.http, f"{base}.json"),
        "waiting": [(import_url(asked.datasette, one.database, one.id), one, _STATES[one.state]) for one in mine],
        "hours": f"{asked.settings.retention_hours:g}",
        "error": error,
        "policies": _POLICIES,
        "forms": _FORMS,
        "kinds": KINDS,
        "tables": await _taking_rows(asked),
    }


async def import_context(asked: ImportContext, imports: Imports, one: Import) -> dict[str, Any]:
    """Return the template variables of the page of one file."""
    report = ImportReport.model_validate(one.report).in_words("page") if one.report is not None else None
    data = import_data_of(asked, imports, one)
    error = in_words(one.error, "page") if one.error is not None else None
    return {
        "one": {**data, "error": error},
        "state": _STATES[one.state],
        "said": _NEWS.get(asked.http.args.get("news") or "") if one.state in ("looking", "previewed") else None,
        "active": one.active,
        "stage": _STAGES.get(one.stage, ""),
        "stages": _STAGES,
        "number": numbers_for(asked.http.headers.get("accept-language", "")),
        "report": report,
        "verdict": _verdict(report) if report is not None else None,
        "choices": one.choices,
        "policies": _POLICIES,
        "forms": _FORMS,
        "kinds": KINDS,
        "tables": await _taking_rows(asked),
        "to_leave_out": _in_file(one, report),
        "changes": report.total("insert") + report.total("update") if report is not None else 0,
        "links": await _links(asked, report) if report is not None else {},
        "import_page": import_url(asked.datasette, one.database),
        "lacking": data["lacking"],
        "announced": bool(report and (report.dangling or any(f.kind == "reference" for f in report.findings))),
    }


async def _taking_rows(asked: ImportContext) -> list[str]:
    """Return the tables into which this person may import rows: no views, and no parts of virtual tables."""

    def found() -> Schema:
        with closing(Snapshot(host.source_for(asked.datasette, asked.database, asked.settings))) as snapshot:
            return snapshot.schema

    taking = {table.name for table in (await asyncio.to_thread(found)).values() if takes_rows(table)}
    return sorted(taking & asked.rights.visible & (asked.rights.insert | asked.rights.update))


def _in_file(one: Import, report: ImportReport | None) -> list[str]:
    """Return the tables of the file that can be left out: those that come in, cannot, or are left out already."""
    if report is None:
        return []
    refused = [f.table for f in report.findings if f.kind in ("table", "column") and f.table]
    return list(dict.fromkeys([*report.tables, *refused, *one.choices.get("without", [])]))


def _verdict(report: ImportReport) -> tuple[str, str, str]:
    """Return a mark, a CSS class and a sentence that say whether the file is complete."""
    if any(f.kind == "file" for f in report.findings):
        return "✗", "cut", "Not complete, changed, or not readable"
    if report.layout is not None or report.format is None:
        return "?", "unknown", "Cannot tell whether it is complete: nothing in the file says so"
    return "✓", "complete", "Complete and unchanged"


async def _links(asked: ImportContext, report: ImportReport) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Return for each table its page, and the pages of its new or changed rows if there are few."""
    urls, database, found = asked.datasette.urls, asked.database, {}
    for name, table in report.tables.items():
        if table.created and report.status != "imported":
            continue  # there is no page yet
        rows: list[tuple[str, str]] = []
        keys = await database.primary_keys(name) if table.insert + table.update <= _FEW else []
        changed = [sample.key for sample in table.samples] if table.update else []
        for row in [*table.new_rows, *changed]:
            values = [row.get(key) for key in keys]
            if keys and all(type(v) is int or (isinstance(v, str) and v != HIDDEN and len(v) < 200) for v in values):
                path = ",".join(tilde_encode(str(v)) for v in values)
                rows.append((f"{urls.table(database.name, name)}/{path}", ", ".join(map(str, values))))
        found[name] = (str(urls.table(database.name, name)), rows)
    return found


assert set(_POLICIES) == set(POLICIES)
