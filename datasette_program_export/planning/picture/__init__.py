"""Draws a plan as an SVG of tables and references that needs no script and no style sheet.

Pure: from a Plan to text. The plan's tables contain the same facts; they are the picture's text alternative.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from ...database.schema import ForeignKey
from ...selection.graph import Graph
from ..plan import Plan, PlannedReference
from .svg import Arrow, Box, drawing

MOST = 40  # boxes; the other tables share one more box


def picture(plan: Plan, number: Callable[[int], str] = "{:,}".format) -> str:
    """Return the plan as an SVG element; empty for a query or a plan without tables.

    ``number`` formats counts."""
    if plan.scope == "query" or not plan.tables:
        return ""
    boxes = _boxes(plan, number)
    shown = _shown(plan, boxes)
    lines = [r for r in plan.references if r.table in shown and r.other_table in shown and _worth_a_line(r)]
    folded = [name for name in boxes if name not in shown]
    inside = {t.table: t.rows for t in plan.tables}
    rest = None
    if folded:
        rows = sum(inside.get(name, 0) for name in folded)
        rest = Box(f"… and {number(len(folded))} more tables", f"{number(rows)} row{'' if rows == 1 else 's'}", "rest")
    ordered = _parents_first([n for n in boxes if n in shown], lines)
    arrows = [_arrow(r, number) for r in lines]
    what = f"What is exported from {plan.source}" + (f": {plan.title}" if plan.title else "")
    told = f"{len(inside)} tables as boxes, lines from each table to those that its rows point to. "
    told += "The same facts stand in words below the picture."
    return drawing({name: boxes[name] for name in ordered}, arrows, rest, what, told)


def _boxes(plan: Plan, number: Callable[[int], str]) -> dict[str, Box]:
    """Return a box for every table that could be drawn: those in the export, and those beside it, with the reason."""
    least = "" if plan.complete else "at least "
    found = {}
    for t in plan.tables:
        name = plan.labels[t.table][1] if t.table in plan.labels else t.table
        kind = "subject" if t.table == plan.subject else "needed" if t.needed and not t.belongs else "in"
        kind = kind if t.rows or kind == "subject" or not plan.complete else "none"
        told = f"{least}{number(t.rows)} row{'' if t.rows == 1 else 's'}"
        told += {"subject": ", asked for", "needed": ", added as needed"}.get(kind, "")
        found[t.table] = Box(name, told, kind, t.table)
    around: dict[str, str] = {}
    for r in plan.references:
        for name in (r.table, r.other_table):
            if name not in found and _worth_a_line(r):
                around[name] = "left out" if (r.why_not or "").startswith("left out") else around.get(name, "not in it")
                if r.why_not and "see" in r.why_not:
                    around[name] = "not for you to see"
    for name, why in around.items():
        found[name] = Box(plan.labels[name][1] if name in plan.labels else name, why, "out", name)
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


def _arrow(reference: PlannedReference, number: Callable[[int], str]) -> Arrow:
    note = ""
    if reference.withheld:
        note = f" ({number(reference.withheld)} kept back)"
    elif reference.stopped:
        note = " (stopped)"
    dashed = not reference.followed or bool(reference.withheld)
    told = f"{reference.name} points to {reference.other_table}"
    if reference.why_not:
        told += f": {reference.why_not}"
    return Arrow(reference.table, reference.other_table, ", ".join(reference.columns), dashed, told, note)
