"""The template variables of the export page."""

from __future__ import annotations

import shlex
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from ...formats.description.coverage import LeftOut
from ...formats.registry import NAMES, get_format, member_names
from ...options.delimiters import OFFERED, delimiter_of
from ...options.grammar import DIALECTS, PREFIX, arguments, format_options, row_path
from ...options.request import DEFAULT_MEMBER, PACKAGE, Request
from ...options.settings import Settings
from ...planning.picture import picture
from ...planning.plan import Plan
from ...planning.row_picker import Picking
from ...planning.warnings import cautions
from ...planning.wording import coverage_sentences
from .. import host
from ..http.numbers import numbers_for
from ..request.asked import ExportContext
from ..request.form import MARK, Form, chosen_range
from .addresses import carried, with_query
from .sample import FileSample
from .tree import about, connections, needed, not_in_tree, size, tree
from .who_is_who import who_is_who, with_guess


def job_advised(plan: Plan, settings: Settings) -> bool:
    """Return whether the export page should suggest a job: if the file is large, or its size is unknown.

    Queries are counted as well; a plan that did not finish in time counts as large."""
    return settings.max_jobs > 0 and (plan.bytes is None or plan.bytes >= settings.job_bytes)


_IN_THE_FORM = {
    PREFIX + name
    for name in (
        "format", "without", "layout", "cascade", "compress", "stop", "parents", "others", "person", "dialect",
        "delimiter",
    )
}  # fmt: skip
_LAYOUTS = {
    "pretty": "spread out, easier to read by eye",
    "envelope": "with a first and a last line that prove it complete",
    "data-only": "only the rows, for tables that are there",
}


def page_context(
    asked: ExportContext, plan: Plan, form: Form, picking: Picking | None, begins: FileSample | None
) -> dict[str, Any]:
    """Return the template's variables."""
    number = numbers_for(asked.http.headers.get("accept-language", ""))
    asked = with_guess(asked, plan)
    request = asked.request
    what, title = _called(asked, plan)
    ranges = _ranges(asked, plan)
    belongs, added = tree(plan, number), needed(plan, number)
    connected = connections(plan)
    return {
        **_addresses(asked, [r["column"] for r in ranges], picking, _format(asked, plan)),
        "closes_details": host.CLOSES_DETAILS,
        "mark": MARK,
        "database": asked.database.name,
        "table": request.table,
        "plan": plan,
        "scope": request.scope,
        "what": what,
        "title": title,
        "words": "" if request.records else asked.words,
        "sql": request.sql,
        "params": request.as_recorded().get("params", {}) if request.scope == "query" else {},
        "number": number,
        "picture": picture(plan, number),
        "belongs": belongs,
        "needed": added,
        "sizes": {t.table: size(t, number) for t in plan.tables},
        "connections": connected,
        "left": coverage_sentences(
            replace(plan.coverage, left_out=_for_a_reason(plan), people=None), plan.labels, number
        ),
        **who_is_who(asked, plan, number),
        "left_out": not_in_tree(request.without, [*belongs, *added]),
        "cautions": cautions(plan, request, number, asked.settings.max_rows),
        "withheld": bool(plan.coverage.withheld) or request.others == "include",
        "formats": [get_format(name) for name in NAMES],
        "choices": _choices(request),
        "ranges": ranges,
        "chosen": request,
        "job_advised": job_advised(plan, asked.settings),
        "jobs_are_on": asked.settings.max_jobs > 0,
        "format_chosen": _format(asked, plan),
        "picking": picking,
        "begins": begins,
        "save_as": form.save_as,
        "size": about(plan.bytes, plan.bytes_error or 0, number) if plan.bytes is not None else None,
        "at_least": "" if plan.complete else "at least ",
    }


def _format(asked: ExportContext, plan: Plan) -> str:
    """Return the selected format: the requested one, else the default for one table, or a package for several."""
    said = f"{PREFIX}format" in asked.http.args or asked.request.profile is not None
    return PACKAGE if not said and len(plan.tables) > 1 else asked.request.format


def _called(asked: ExportContext, plan: Plan) -> tuple[str, str]:
    """Return what the subject is, and its name."""
    request = asked.request
    if request.scope == "query":
        return ("the query", request.name) if request.name else ("the result of a query on", asked.database.name)
    if request.table is None:
        return "the database", asked.database.name
    if request.records:
        label = plan.labels.get(request.table, (request.table, request.table))
        return label[len(request.records) > 1], plan.title
    return "rows of", request.table


def _addresses(asked: ExportContext, in_ranges: list[str], picking: Picking | None, form: str) -> dict[str, Any]:
    """Return the page's links, with its filters and choices; the command uses the selected format ``form``."""
    request, parts = asked.request, asked.http.url_vars
    urls, database, table = asked.datasette.urls, asked.database.name, request.table or request.name or ""
    filters = carried(asked.http.args)
    kept, options = [] if request.records else filters, format_options(request)
    if "pks" in parts:  # the path names the first record
        options.remove((f"{PREFIX}record", row_path(request.records[0])))
        subject = urls.row(database, table, parts["pks"])
    else:
        subject = urls.table(database, table) if "table" in parts else urls.database(database)
    unnamed_query = request.scope == "query" and request.name is None
    document = f"{subject}/-/query.programjson" if unnamed_query else f"{subject}.programjson"
    shown = request.model_copy(  # without values from cookies and headers
        update={"params": request.as_recorded().get("params", {}), "format": form}
    )
    ranged = {f"{column}__{lookup}" for column in in_ranges for lookup in ("gte", "lt")}
    # the form has all options of a profile; sending its name as well would undo what the user has unticked
    fields = _IN_THE_FORM | {f"{PREFIX}profile"} | ({f"{PREFIX}record"} if picking is not None else set())
    return {
        "subject_url": with_query(subject, filters if "pks" not in parts else []),
        "page_url": f"{subject}/-/program-export",
        "download_url": f"{subject}/-/program-export/download",
        "job_url": f"{subject}/-/program-export/job",
        "profile_url": f"{subject}/-/program-export/profile",
        "json_url": with_query(f"{subject}/-/program-export.json", [*kept, *options]),
        "document_url": with_query(document, [*kept, *options]),
        "command": shlex.join(["datasette", "program-export", *arguments(shown, f"{database}.db")]),
        "hidden": [
            *((name, value) for name, value in filters if name not in ranged and "pks" not in parts),
            *((name, value) for name, value in options if name not in fields),
        ],
    }


def _for_a_reason(plan: Plan) -> tuple[LeftOut, ...]:
    """Return what is left out for reasons other than the request: the form already shows that."""
    stopped = {r.name for r in plan.references if r.why_not == "not followed, as you asked"}
    return tuple(
        part
        for part in plan.coverage.left_out
        if part.why is not None or (part.reference is not None and part.reference not in stopped)
    )


def _choices(request: Request) -> list[dict[str, Any]]:
    """Return the selects beside the format, each with name, label and (value, words) pairs."""
    compress = [("", "not compressed"), ("gzip", "gzip")] + [("zstd", "zstd")] * (find_spec("zstandard") is not None)
    layouts = [("", "one row a line")]
    for layout, words in _LAYOUTS.items():
        having = [name for name in NAMES if layout in get_format(name).layouts]
        layouts.append((layout, f"{words} ({', '.join(having)} only)"))
    found: list[dict[str, Any]] = [
        {"name": "layout", "label": "Layout", "options": layouts},
        {"name": "compress", "label": "Compression", "options": compress},
    ]
    members = [("" if name == DEFAULT_MEMBER else name, name) for name in member_names()]
    found.append({"name": "members", "label": "Files in a package", "options": members})
    delimiters = [(delimiter_of(word), word) for word in OFFERED]
    found.append({"name": "dialect", "label": "Which csv", "options": list(DIALECTS.items())})
    found.append({"name": "delimiter", "label": "Between the fields of csv", "options": delimiters})
    for choice in found:
        choice["chosen"] = getattr(request, str(choice["name"]), None) or ""
    return found


def _ranges(asked: ExportContext, plan: Plan) -> list[dict[str, str]]:
    """Return the date columns by which a table's rows can be chosen, with the chosen dates."""
    if asked.request.scope != "table":
        return []
    table = next((t for t in plan.tables if t.table == plan.subject), None)
    found = []
    for column in table.sampled.dates if table is not None and table.sampled is not None else []:
        chosen = chosen_range(asked.http, column)
        if chosen is not None and "__" not in column and not column.startswith("_"):
            found.append({"column": column, "from": chosen[0], "until": chosen[1]})
    return found
