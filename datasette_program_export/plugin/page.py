"""What the export page shows, put into the words and the order of its template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..formats import NAMES, get_format
from ..planner import Plan
from ..request import PREFIX, Request, format_options
from ..wording import counted, told

_IN_THE_FORM = {f"{PREFIX}format", f"{PREFIX}without", f"{PREFIX}layout"}


@dataclass
class Node:
    """A table in the tree of what belongs to the record, under the table that led to it."""

    table: str
    rows: int
    text: str
    because: str | None
    can_be_left_out: bool
    children: list[Node] = field(default_factory=list)


def record_page(datasette: Any, http: Any, database: str, request: Request, plan: Plan) -> dict[str, Any]:
    """The template's variables."""
    row = datasette.urls.row(database, plan.subject, http.url_vars["pks"])
    base = f"{row}/-/program-export"
    label = plan.labels.get(plan.subject, (plan.subject, plan.subject))[0]
    return {
        "database": database,
        "table": plan.subject,
        "plan": plan,
        "label": label,
        "title": plan.title,
        "row_url": row,
        "page_url": base,
        "download_url": f"{base}/download",
        "json_url": f"{base}.json",
        "document_url": f"{row}.programjson",
        "belongs": tree(plan),
        "needed": [
            Node(t.table, t.needed, counted(t.table, t.needed, plan.labels), t.needed_because, True)
            for t in plan.tables
            if t.needed
        ],
        "left": told(plan.coverage, plan.labels),
        "left_out_tables": request.without,
        "formats": [get_format(name) for name in NAMES],
        "chosen": request,
        "hidden": [(name, value) for name, value in format_options(request) if name not in _IN_THE_FORM],
        "size": readable_size(plan.bytes) if plan.bytes is not None else None,
        "at_least": "" if plan.complete else "at least ",
    }


def tree(plan: Plan) -> list[Node]:
    """The tables that belong to the record, each under the one whose rows led to it."""
    nodes: dict[str, Node] = {}
    for planned in plan.tables:
        if planned.belongs or not planned.needed:
            text = counted(planned.table, planned.belongs, plan.labels)
            leave = planned.table != plan.subject
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
