"""Describe an import for its page and as JSON."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

from datasette.utils import tilde_encode

from ...database.schema import Schema, fold
from ...database.snapshot import Snapshot
from ...errors import ExportError, in_words
from ...formats.description.moments import seconds_text
from ...importing.choices import KINDS, POLICIES, ImportChoices
from ...importing.other_files.first_rows import first_rows_of
from ...importing.report import ImportReport
from ...importing.staging.columns import takes_rows
from ...importing.writing.samples import HIDDEN
from ...options.request import Request
from ...selection.annotated_schema import annotate
from ...selection.scopes import scope_of
from .. import host
from ..host.protocols import Datasette
from ..server.import_runner import Import, Imports
from ..words import Words, words_of
from .questions import (
    FIELDS,
    OF_EFFECTS,
    OF_ROWS,
    asked_about,
    columns_of,
    fits,
    knows_no_column,
    likely_table,
    lists_of,
    rest_of_columns,
    target_of,
    unique_columns,
)
from .request import YES_OR_NO, ImportContext
from .sentences import (
    NEWS,
    STAGES,
    counted,
    differing,
    findings_told,
    notes_told,
    state_sentence,
    waiting_sentence,
    what_it_is,
    whether_whole,
)

_FIELDS = {choice: field for field, choice in YES_OR_NO.items()}
_COLUMNS = ("table", "rows", "new", "changed", "same", "left", "differs")
_ASIDE = 20  # reasons of bad rows that are told
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
        if not (imports.place(one.id) / one.stored).exists():
            del links["preview"], links["apply"]
        else:
            links["compare"] = f"{page}/compare"
        if one.state == "done" and one.report is not None and one.report.get("bad_rows_file"):
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


async def upload_data(asked: ImportContext, imports: Imports, mine: list[Import]) -> dict[str, Any]:
    """Return what the page with the upload form tells, as JSON data."""
    return {
        "database": asked.database.name,
        "max_bytes": int(asked.settings.import_mb * 1e6),
        "tables": await _taking_rows(asked),
        "files": [import_data_of(asked, imports, one) for one in mine],
    }


async def upload_context(
    asked: ImportContext, imports: Imports, mine: list[Import], error: ExportError | None
) -> dict[str, Any]:
    """Return the template variables of the page with the upload form."""
    words = words_of(asked.http)
    base = import_url(asked.datasette, asked.database.name)
    return {
        "database": asked.database.name,
        "action": base,
        "limit": words.number.size(int(asked.settings.import_mb * 1e6)),
        "address": asked.datasette.absolute_url(asked.http, f"{base}.json"),
        "waiting": [
            (import_url(asked.datasette, one.database, one.id), one.file, waiting_sentence(words, one)) for one in mine
        ],
        "hours": f"{asked.settings.retention_hours:g}",
        "error": in_words(str(error), "page") if error is not None else None,
        "status": error.status if error is not None else None,
    }


async def _taking_rows(asked: ImportContext) -> list[str]:
    """Return the tables into which this person may import rows: no views, and no parts of virtual tables."""
    return _open_to(asked, (await asyncio.to_thread(_schema, asked))[0])


def _open_to(asked: ImportContext, schema: Schema) -> list[str]:
    taking = {table.name for table in schema.values() if takes_rows(table)}
    return sorted(taking & asked.rights.visible & (asked.rights.insert | asked.rights.update))


async def import_context(asked: ImportContext, imports: Imports, one: Import) -> dict[str, Any]:
    """Return the template variables of the page of one file."""
    words = words_of(asked.http)
    raw = ImportReport.model_validate(one.report) if one.report is not None else None
    report = raw.in_words("page") if raw is not None else None
    data = import_data_of(asked, imports, one)
    news, said = asked.http.args.get("news") or "", None
    if one.state in ("looking", "previewed") and news in NEWS:
        said = words(f"import.news.{news}")
    return {
        "one": {**data, "error": in_words(one.error, "page") if one.error is not None else None},
        "state": state_sentence(words, one),
        "said": said,
        "active": one.active,
        "stages": {name: words(f"import.stage.{name}") for name in STAGES},
        "number": words.number,
        "report": report,
        "what": what_it_is(words, one, report, await asyncio.to_thread(_title, asked, report)),
        "whole": whether_whole(words, report) if report is not None else None,
        "counts": counted(words, report) if report is not None else [],
        "differing": differing(words, report) if report is not None else [],
        "changes": report.total("insert") + report.total("update") if report is not None else 0,
        "columns_said": {key: words(f"import.head.{key}") for key in _COLUMNS},
        "links": await _links(asked, report) if report is not None else {},
        "import_page": import_url(asked.datasette, one.database),
        "lacking": [words.known(said) for said in data["lacking"]] if one.state == "previewed" else [],
        **(_told(words, one, report) if report is not None else {}),
        **(await _choices(asked, imports, one, words, raw) if "apply" in data["links"] else {}),
    }


def _told(words: Words, one: Import, report: ImportReport) -> dict[str, Any]:
    """Return the template variables of what was found: sentences, and the messages of the core behind them."""
    problems = [finding for finding in report.findings if finding.kind != "conflict"]
    aside = report.left_out[:_ASIDE]
    layout = words.translated(report.layout) if report.layout is not None else None
    return {
        "problems": findings_told(words, problems),
        "notes": notes_told(words, report.notes),
        "aside": findings_told(words, aside),
        "more_aside": len(report.left_out) > _ASIDE,
        "messages": list(dict.fromkeys(finding.message for finding in [*problems, *report.notes, *aside])),
        "read_as": ", ".join(filter(None, (layout or report.format, report.compression, words.size(one.bytes)))),
    }


async def _choices(
    asked: ImportContext, imports: Imports, one: Import, words: Words, report: ImportReport | None
) -> dict[str, Any]:
    """Return the template variables of the choices: which are asked about, and the lists to choose from."""
    schema, secret = await asyncio.to_thread(_schema, asked)
    path = imports.place(one.id) / one.stored
    chosen = ImportChoices.of(one.choices)
    first = await asyncio.to_thread(first_rows_of, path, chosen, one.file)
    taking = _open_to(asked, schema)
    name, created = target_of(report, one.choices, schema, one.file, asked.rights.visible)
    table = schema.find(name) if name is not None and not created else None
    table = table if table is not None and takes_rows(table) and table.name in asked.rights.visible else None
    with_header = chosen.header is not False and not (report and " without a header" in (report.layout or ""))
    shown = first is not None and (table is not None or created) and with_header
    columns = columns_of(words, first, table, report, one.choices, secret) if first is not None and shown else []
    into = [n for n in report.tables if n in asked.rights.visible] if report is not None else []
    uniques = unique_columns(schema, into)
    questions = asked_about(report, one.error, "delimiter" if knows_no_column(columns, table) else None)
    return {
        "choices": one.choices,
        "questions": questions,
        "further": [n for n in FIELDS if n not in questions and fits(n, report, first)],
        "of_rows": OF_ROWS,
        "of_effects": OF_EFFECTS,
        "lists": lists_of(words, one.choices, first),
        "first": first,
        "columns": columns,
        "rest": rest_of_columns(one.choices, columns),
        "new_types": any(column["types"] for column in columns),
        "kinds": KINDS,
        "policies": POLICIES,
        "tables": taking,
        "likely": likely_table(schema, taking, first) if "table" in questions else None,
        "uniques": [*uniques, *(m for m in one.choices.get("match", ()) if m not in uniques)],
        "to_leave_out": _in_file(one, report),
        "new_columns": [c for t in report.tables.values() if t.created for c in t.new_columns] if report else [],
    }


def _title(asked: ImportContext, report: ImportReport | None) -> str | None:
    """Return the title of the one record that the file exports, if it is here and this person may see it."""
    request = report.export.get("request") if report is not None else None
    records = request.get("records") if isinstance(request, dict) else None
    if not isinstance(request, dict) or not isinstance(records, list) or len(records) != 1:
        return None
    try:
        named = Request(table=request.get("table"), records=records)
        with closing(Snapshot(host.source_for(asked.datasette, asked.database, asked.settings))) as snapshot:
            known = annotate(snapshot.schema, asked.settings, visible=asked.rights.visible)
            return scope_of(snapshot, known, named, visible=asked.rights.visible).title()
    except (ExportError, ValueError):  # it is another database's, or new
        return None


def _schema(asked: ImportContext) -> tuple[Schema, set[str]]:
    """Return the database's schema, and the names of all columns that hold secrets in one of its tables, folded."""
    with closing(Snapshot(host.source_for(asked.datasette, asked.database, asked.settings))) as snapshot:
        schema = snapshot.schema
        known = annotate(schema, asked.settings, visible=asked.rights.visible)
    return schema, {fold(name) for table in schema.values() for name in known.secret_columns(table)}


def _in_file(one: Import, report: ImportReport | None) -> list[str]:
    """Return the tables of the file that can be left out: those that come in, cannot, or are left out already."""
    if report is None:
        return []
    refused = [f.table for f in report.findings if f.kind in ("table", "column") and f.table]
    return list(dict.fromkeys([*report.tables, *refused, *one.choices.get("without", [])]))


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
