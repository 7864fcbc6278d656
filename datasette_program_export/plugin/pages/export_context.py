"""The template variables of the export page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...formats.description.coverage import LeftOut
from ...formats.description.file_text import files_in_all
from ...options.grammar import PREFIX, arguments, format_options, row_path
from ...options.request import Request
from ...options.settings import Settings
from ...planning.picture import picture
from ...planning.plan import Plan
from ...planning.row_picker import Picking
from ...planning.warnings import cautions
from ...planning.wording import counted, coverage_sentences
from ..request.asked import ExportContext
from ..request.form import MARK, Form, chosen_range
from ..words import Words, words_for
from .addresses import carried, with_query
from .file_kinds import chosen_kind, kind_size, kinds, with_kind
from .sample import FileSample
from .tree import Node, connections, limit_boxes, lines, needed, not_in_tree, show_columns, tree
from .who_is_who import who_is_who, with_guess

_MOST_NAMED, _MOST_SWITCHES = 8, 2  # tables in the sentence, and boxes for tables above the button

_TIME = re.compile(r"\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d):\d\d(\.\d+)?\b")  # nobody is told apart by a second


def job_advised(size: int | None, settings: Settings) -> bool:
    """Return whether the export page should suggest a job: if the file is large, or its size is unknown.

    Queries are counted as well; a plan that did not finish in time counts as large."""
    return settings.max_jobs > 0 and (size is None or size >= settings.job_bytes)


_IN_THE_FORM = {
    PREFIX + name
    for name in (
        "format", "without", "layout", "cascade", "compress", "stop", "parents", "others", "person", "dialect",
        "delimiter", "members", "blobs", "guide",
    )
}  # fmt: skip


def page_context(
    asked: ExportContext, plan: Plan, form: Form, picking: Picking | None, begins: FileSample | None
) -> dict[str, Any]:
    """Return the template's variables."""
    words = words_for(asked.http.headers.get("accept-language", ""))
    asked = with_guess(asked, plan)
    if plan.preset:
        plan = plan.model_copy(update={"labels": words.labels(plan.labels)})
    kind = chosen_kind(asked)
    request = with_kind(asked.request, kind)
    ranges = _ranges(asked, plan)
    size = kind_size(plan, kind)
    return {
        **_addresses(asked, [r["column"] for r in ranges], picking, request),
        **_called(asked, plan, words),
        **_tables(request, plan, form, words),
        **who_is_who(asked, plan, words),
        **kinds(request, kind, plan, words),
        "mark": MARK,
        "database": asked.database.name,
        "table": request.table,
        "plan": plan,
        "scope": request.scope,
        "told_apart": _TIME.sub(r"\1 \2", plan.told_apart),
        "filtered": "" if request.records else asked.words,
        "sql": request.sql,
        "params": request.as_recorded().get("params", {}) if request.scope == "query" else {},
        "number": words.number,
        "picture": picture(plan, words),
        "connections": connections(plan, words),
        "left": coverage_sentences(
            replace(plan.coverage, left_out=_for_a_reason(plan), people=None), plan.labels, words
        ),
        "files": files_in_all(plan.coverage.files, words),
        "cautions": cautions(plan, request, words, asked.settings.max_rows),
        "withheld": bool(plan.coverage.withheld) or request.others == "include",
        "linked": _linked(request, plan, words),
        "ranges": ranges,
        "chosen": request,
        "job_advised": job_advised(size if size is not None else plan.bytes, asked.settings),
        "jobs_are_on": asked.settings.max_jobs > 0,
        "picking": picking,
        "begins": begins,
        "save_as": form.save_as,
        "columns_of": form.columns,
        "opened": {*form.opened, "tables" * bool(form.columns), "begins" * bool(begins), "save" * bool(form.save_as)},
        "counted_all": plan.complete,
    }


def _tables(request: Request, plan: Plan, form: Form, words: Words) -> dict[str, Any]:
    """Return the tables with their boxes, and the sentence that sums them up."""
    belongs, added = list(lines(tree(plan, words))), needed(plan, words)
    nodes = [*belongs, *added]
    show_columns(nodes, form.columns)
    out = not_in_tree(request.without, nodes)
    switches = [
        {"table": name, "name": plan.labels[name][1] if name in plan.labels else name, "ticked": name not in out}
        for name in plan.confidential
        if name in out or any(node.table == name and node.box and node.rows for node in nodes)
    ][:_MOST_SWITCHES]
    first = {str(switch["table"]) for switch in switches}
    limit_boxes(nodes, first)
    return {
        "belongs": belongs,
        "needed": added,
        "switches": switches,
        "left_out": out,
        "left_out_boxes": [name for name in out if name not in first],
        "holds": _holds(plan, nodes, words),
    }


def _holds(plan: Plan, nodes: list[Node], words: Words) -> str:
    """Return the sentence that says what is in the file: the tables with the most rows where there are many."""
    filled = [t for t in plan.tables if t.rows]
    if not filled:
        return words("export.holds_nothing") if plan.complete else words("export.holds_unknown", n=plan.rows)
    if len(filled) > _MOST_NAMED:
        filled = sorted(filled, key=lambda t: -t.rows)[: _MOST_NAMED - 1]
    else:
        order = [node.table for node in nodes]
        filled.sort(key=lambda t: order.index(t.table))
    named = [counted(t.table if plan.scope != "query" else "", t.rows, plan.labels, words) for t in filled]
    if more := sum(bool(t.rows) for t in plan.tables) - len(filled):
        named.append(words("export.more_tables", n=more))
    return words("export.holds" if plan.complete else "export.holds_at_least", n=plan.rows, what=", ".join(named))


def _linked(request: Request, plan: Plan, words: Words) -> dict[str, Any] | None:
    """Return the box for what belongs to the rows; None where nothing could."""
    if request.scope not in ("record", "table") or not (plan.can_cascade or len(plan.tables) > 1):
        return None
    one = request.scope == "record" and len(request.records) == 1
    return {
        "without_box": "1" if request.scope == "record" else "0",
        "ticked": request.cascades,
        "title": words("export.linked" if one else "export.linked_several"),
    }


def _called(asked: ExportContext, plan: Plan, words: Words) -> dict[str, str]:
    """Return what the subject is, and its name: the heading, whose second part is a link."""
    request = asked.request
    if request.scope == "query":
        what, title = words("subject.query"), request.name or ""
        if not request.name:
            what, title = words("subject.result_on"), asked.database.name
    elif request.table is None:
        what, title = words("subject.database"), asked.database.name
    elif request.records:
        label = plan.labels.get(request.table, (request.table, request.table))
        what, title = label[len(request.records) > 1], plan.title
    else:
        what, title = words("subject.rows_of"), request.table
    before = words("export.title_of" if request.records else "export.title", what=what)
    return {"before_title": before, "title": title, "heading": f"{before} {title}"}


def _addresses(asked: ExportContext, in_ranges: list[str], picking: Picking | None, chosen: Request) -> dict[str, Any]:
    """Return the page's links, with its filters and choices; the command makes a file of the ``chosen`` kind."""
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
    shown = chosen.model_copy(update={"params": request.as_recorded().get("params", {})})  # not of cookies and headers
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


def _ranges(asked: ExportContext, plan: Plan) -> list[dict[str, str]]:
    """Return the date columns by which a table's rows can be chosen, with the chosen dates."""
    return list(_date_ranges(asked, plan)) if asked.request.scope == "table" else []


def _date_ranges(asked: ExportContext, plan: Plan) -> Iterator[dict[str, str]]:
    table = next((t for t in plan.tables if t.table == plan.subject), None)
    for column in table.sampled.dates if table is not None and table.sampled is not None else []:
        chosen = chosen_range(asked.http, column)
        if chosen is not None and "__" not in column and not column.startswith("_"):
            yield {"column": column, "from": chosen[0], "until": chosen[1]}
