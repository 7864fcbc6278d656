"""Plans and coverage in sentences, for the page and the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .planned import Plan, PlannedTable


def as_text(made: Plan) -> str:
    """A plan as text."""
    about = f" ({', '.join(filter(None, (made.title, made.told_apart)))})" if made.title else ""
    what = {"database": "All tables", "query": "A query"}.get(made.scope, made.subject)
    lines = [f"{what}{about} in {made.source}" + (f", by the preset {made.preset}" if made.preset else "")]
    least = "" if made.complete else "at least "
    for group, edge in (("belongs", "because"), ("needed", "needed_because")):
        title = "Belongs to it:" if group == "belongs" else "Needed by these, so that they can be loaded elsewhere:"
        if made.scope in ("database", "query"):
            title = "Holds:"
        rows = [t for t in made.tables if getattr(t, group) or (group == "belongs" and not t.needed)]
        lines += [title] if rows else []
        for planned in rows:
            why = getattr(planned, edge)
            label = f"  {planned.label}" if planned.label != planned.table else ""
            lines.append(
                f"  {least}{getattr(planned, group):>8,}  {planned.table}{label}" + (f"  (by {why})" if why else "")
            )
    size = f", about {made.bytes:,} bytes as JSON" if made.bytes is not None else ""
    lines.append(f"In all {least}{made.rows:,} row{'' if made.rows == 1 else 's'}{size}.")
    return "\n".join([*lines, *told(made.coverage, made.labels), *made.notes])


Labels = Mapping[str, tuple[str, str]]


Number = Callable[[int], str]
plain: Number = "{:,}".format


def counted(table: str, rows: int, labels: Labels, number: Number = plain) -> str:
    """``3 charts``; ``3 rows of charts`` where nobody said what they are called."""
    if table in labels:
        return f"{number(rows)} {labels[table][rows != 1]}"
    of = f" of {table}" if table else ""
    return f"{number(rows)} row{'s' if rows != 1 else ''}{of}"


def because(planned: PlannedTable, plan: Plan) -> str | None:
    """Why a table's rows belong: ``because charts.client_id = this client``."""
    if planned.because is None or planned.under is None:
        return None
    under = next((t for t in plan.tables if t.table == planned.under), None)
    alone = under is not None and under.rows == 1
    label = plan.labels[planned.under][0 if alone else 1] if planned.under in plan.labels else None
    if alone:
        which = f"this {label}" if label else f"this row of {planned.under}"
    else:
        which = f"one of these {label}" if label else f"one of these rows of {planned.under}"
    return f"because {planned.because} = {which}"


def needed_because(planned: PlannedTable, plan: Plan) -> str | None:
    """Why a table's rows were added: ``because charts.birth_data_id points to it``."""
    if planned.needed_because is None:
        return None
    return f"because {planned.needed_because} points to {'it' if planned.needed == 1 else 'them'}"


def told(coverage: Mapping[str, Any], labels: Labels | None = None, number: Number = plain) -> list[str]:
    """What was left and why, and what points out of the file, in sentences."""
    names = labels or {}
    found = []
    for w in coverage.get("withheld", []):
        whose = "not asked for" if w["why"].startswith("a ") else "of a person not asked for"
        found.append(f"{counted(w['table'], w['rows'], names, number)} {whose}: not included ({w['along']}).")
    for hidden in coverage.get("no_permission", []):
        found.append(f"{hidden['table']}: not included, as you may not see that table ({hidden['along']}).")
    found += [f"{s['table']}.{s['column']}: not included, {s['why']}." for s in coverage.get("secret", [])]
    for part in coverage.get("left_out", []):
        name = part.get("reference") or ".".join(part[k] for k in ("table", "column") if k in part)
        found.append(f"{name}: not included, {part.get('why', 'as you asked')}.")
    for d in coverage.get("dangling", []):
        verb = "refers" if d["rows"] == 1 else "refer"
        parent = f"a {names[d['other_table']][0]}" if d["other_table"] in names else d["other_table"]
        who = counted(d["table"], d["rows"], names, number)
        found.append(f"{who} {verb} to {parent} that is not included ({', '.join(d['columns'])}).")
    return [*found, *coverage.get("warnings", [])]
