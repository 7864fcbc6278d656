"""Draws a plan as an SVG of tables and references that needs no script and no style sheet.

Pure: from a Plan to text. The plan's tables contain the same facts; they are the picture's text alternative.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ...database.schema import ForeignKey
from ...formats.description.phrases import ENGLISH, Say
from ...selection.graph import Graph
from ..plan import Plan, PlannedReference
from .svg import Arrow, Box, drawing

MOST = 40  # boxes; the other tables share one more box


def picture(plan: Plan, say: Say = ENGLISH) -> str:
    """Return the plan as an SVG element; empty for a query or a plan without tables.

    ``say`` gives its words."""
    if plan.scope == "query" or not plan.tables:
        return ""
    boxes = _boxes(plan, say)
    shown = _shown(plan, boxes)
    lines = [r for r in plan.references if r.table in shown and r.other_table in shown and _worth_a_line(r)]
    folded = [name for name in boxes if name not in shown]
    inside = {t.table: t.rows for t in plan.tables}
    rest = None
    if folded:
        rows = sum(inside.get(name, 0) for name in folded)
        rest = Box(say("picture.more_tables", count=say.number(len(folded))), say("rows", rows), "rest")
    ordered = _parents_first([n for n in boxes if n in shown], lines)
    arrows = [_arrow(r, say) for r in lines]
    what = say("picture.what", source=plan.source) + (f": {plan.title}" if plan.title else "")
    told = say("picture.told", tables=say.number(len(inside)))
    return drawing({name: boxes[name] for name in ordered}, arrows, rest, what, told)


def _boxes(plan: Plan, say: Say) -> dict[str, Box]:
    """Return a box for every table that could be drawn: those in the export, and those beside it, with the reason."""
    found = {}
    for t in plan.tables:
        name = plan.labels[t.table][1] if t.table in plan.labels else t.table
        kind = "subject" if t.table == plan.subject else "needed" if t.needed and not t.belongs else "in"
        kind = kind if t.rows or kind == "subject" or not plan.complete else "none"
        told = say("rows" if plan.complete else "picture.at_least", t.rows)
        if kind in ("subject", "needed"):
            told = say(f"picture.{kind}", rows=told)
        found[t.table] = Box(name, told, kind, t.table)
    around: dict[str, str] = {}
    for r in plan.references:
        for name in (r.table, r.other_table):
            if name not in found and _worth_a_line(r):
                left_out = (r.why_not or "").startswith("left out")
                around[name] = "left_out" if left_out else around.get(name, "not_in_it")
                if r.why_not and "see" in r.why_not:
                    around[name] = "not_seen"
    for name, why in around.items():
        found[name] = Box(plan.labels[name][1] if name in plan.labels else name, say(f"picture.{why}"), "out", name)
    return found


def _worth_a_line(reference: PlannedReference) -> bool:
    """Return whether a reference is worth drawing: rows came along it, were withheld, or a choice stopped it."""
    return bool(
        reference.followed or reference.stopped or reference.withheld or reference.dangling or reference.why_not
    )


def _shown(plan: Plan, boxes: dict[str, Box]) -> set[str]:
    """Return the tables to draw: all, or the MOST that have rows and are nearest to the subject."""
    if len(boxes) <= MOST:
        return set(boxes)
    beside: dict[str, set[str]] = {name: set() for name in boxes}
    for r in plan.references:
        if r.table in beside and r.other_table in beside:
            beside[r.table].add(r.other_table)
            beside[r.other_table].add(r.table)
    start = [plan.subject] if plan.subject in boxes else sorted(boxes, key=lambda n: -len(beside[n]))[:1]
    far = _distances([name for name in start if name], beside)
    rows = {t.table: t.rows for t in plan.tables}
    ranked = sorted(boxes, key=lambda n: (n not in start, not rows.get(n), far.get(n, len(boxes)), -rows.get(n, 0)))
    return set(ranked[:MOST])


def _distances(start: Iterable[str], beside: dict[str, set[str]]) -> dict[str, int]:
    found = dict.fromkeys(start, 0)
    queue = deque(found)
    while queue:
        here = queue.popleft()
        for name in sorted(beside[here] - found.keys()):
            found[name] = found[here] + 1
            queue.append(name)
    return found


def _parents_first(names: list[str], lines: list[PlannedReference]) -> tuple[str, ...]:
    """Return the tables in parents-first order; cycles are broken as an import breaks them."""
    edges = [ForeignKey(r.table, tuple(r.columns), r.other_table, ()) for r in lines]
    return Graph(tuple(names), tuple(edges)).parents_first()


def _arrow(reference: PlannedReference, say: Say) -> Arrow:
    note = ""
    if reference.withheld:
        note = say("picture.kept_back", count=say.number(reference.withheld))
    elif reference.stopped:
        note = say("picture.stopped")
    dashed = not reference.followed or bool(reference.withheld)
    told = say("picture.points", along=reference.name, table=reference.other_table)
    if reference.why_not:
        told += f": {say.known(reference.why_not)}"
    return Arrow(reference.table, reference.other_table, ", ".join(reference.columns), dashed, told, note)
