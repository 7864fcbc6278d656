"""What the export page shows, put into the words and the order of its template."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ..formats import NAMES, get_format
from ..grammar import PREFIX, arguments, format_options, row_path
from ..planner import Plan
from ..wording import counted, told
from .asking import Asked

_IN_THE_FORM = {f"{PREFIX}format", f"{PREFIX}without", f"{PREFIX}layout", f"{PREFIX}cascade"}
# Of a page's parameters: where in its rows it stands and how it looks, not which rows it is of
_NOT_CARRIED = {
    "_next", "_size", "_labels", "_shape", "_extra", "_nofacet", "_nosuggest", "_nocount", "_trace", "_json",
    "_hide_sql", "_show_sql", "_timelimit", "_ttl", "_stream", "_dl", "_nl",
}  # fmt: skip


@dataclass
class Node:
    """A table in the tree of what belongs to the record, under the table that led to it."""

    table: str
    rows: int
    text: str
    because: str | None
    can_be_left_out: bool
    children: list[Node] = field(default_factory=list)


def carried(args: Any) -> list[tuple[str, str]]:
    """Those of a page's parameters that say which rows it shows, as pairs."""
    names = [n for n in args if n not in _NOT_CARRIED and not n.startswith(("_facet", PREFIX))]
    return [(name, value) for name in names for value in args.getlist(name)]


def with_query(url: Any, pairs: Iterable[tuple[str, str]]) -> str:
    """A URL with parameters."""
    query = urlencode(list(pairs))
    return f"{url}?{query}" if query else str(url)


def page_context(asked: Asked, plan: Plan) -> dict[str, Any]:
    """The template's variables."""
    request = asked.request
    what, title = _called(asked, plan)
    return {
        **_addresses(asked),
        "database": asked.database.name,
        "table": request.table,
        "plan": plan,
        "scope": request.scope,
        "what": what,
        "title": title,
        "words": asked.words,
        "sql": request.sql,
        "params": request.told().get("params", {}) if request.scope == "query" else {},
        "belongs": tree(plan),
        "needed": _needed(plan),
        "left": told({**plan.coverage, "left_out": _for_a_reason(plan)}, plan.labels),
        "left_out": request.without,
        "formats": [get_format(name) for name in NAMES],
        "chosen": request,
        "size": readable_size(plan.bytes) if plan.bytes is not None else None,
        "at_least": "" if plan.complete else "at least ",
    }


def _called(asked: Asked, plan: Plan) -> tuple[str, str]:
    """What the subject is, and its name."""
    request = asked.request
    if request.scope == "query":
        return ("the query", request.name) if request.name else ("the result of a query on", asked.database.name)
    if request.table is None:
        return "the database", asked.database.name
    if request.records:
        label = plan.labels.get(request.table, (request.table, request.table))
        return label[len(request.records) > 1], plan.title
    return "rows of", request.table


def _addresses(asked: Asked) -> dict[str, Any]:
    """Where the page's links lead, its filters and choices kept."""
    request, parts = asked.request, asked.http.url_vars
    urls, database = asked.datasette.urls, asked.database.name
    kept, options = [] if request.records else carried(asked.http.args), format_options(request)
    if "pks" in parts:  # the path names the first record
        options.remove((f"{PREFIX}record", row_path(request.records[0])))
        subject = urls.row(database, request.table, parts["pks"])
    else:
        subject = urls.table(database, request.table or request.name) if "table" in parts else urls.database(database)
    unnamed_query = request.scope == "query" and request.name is None
    document = f"{subject}/-/query.programjson" if unnamed_query else f"{subject}.programjson"
    shown = request.model_copy(update={"params": request.told().get("params", {})})  # no cookies and headers
    return {
        "subject_url": with_query(subject, kept),
        "page_url": f"{subject}/-/program-export",
        "download_url": f"{subject}/-/program-export/download",
        "json_url": with_query(f"{subject}/-/program-export.json", [*kept, *options]),
        "document_url": with_query(document, [*kept, *options]),
        "command": shlex.join(["datasette", "program-export", *arguments(shown, f"{database}.db")]),
        "hidden": [*kept, *((name, value) for name, value in options if name not in _IN_THE_FORM)],
    }


def _needed(plan: Plan) -> list[Node]:
    """The tables of which rows were added, as others point to them."""
    shown = {t.table for t in plan.tables if t.belongs or not t.needed}  # these have a box already
    return [
        Node(
            t.table,
            t.needed,
            counted(t.table, t.needed, plan.labels),
            t.needed_because,
            t.table != plan.subject and t.table not in shown,
        )
        for t in plan.tables
        if t.needed
    ]


def _for_a_reason(plan: Plan) -> list[Any]:
    """What is left out for another reason than that it was asked for: that stands in the form."""
    return [part for part in plan.coverage.get("left_out", []) if "why" in part or "reference" in part]


def tree(plan: Plan) -> list[Node]:
    """The tables that belong to the record, each under the one whose rows led to it."""
    nodes: dict[str, Node] = {}
    for planned in plan.tables:
        if planned.belongs or not planned.needed:
            text = counted(planned.table if plan.scope != "query" else "", planned.belongs, plan.labels)
            leave = planned.table != plan.subject and plan.scope != "query"
            nodes[planned.table] = Node(planned.table, planned.belongs, text, planned.because, leave)
    roots = []
    for planned in plan.tables:
        node = nodes.get(planned.table)
        above = nodes.get(planned.under or "")
        if node is None:
            continue
        if above is None or planned.table == plan.subject:
            roots.append(node)
        else:
            above.children.append(node)
    return sorted(roots, key=lambda node: node.table != plan.subject)


def readable_size(size: int) -> str:
    """``about 17 kB``, in powers of 1000 as file managers count."""
    number = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"about {number:,.0f} {unit}" if number >= 10 or unit == "bytes" else f"about {number:,.1f} {unit}"
