"""Plans and coverage in sentences, for the page and the command line."""

from __future__ import annotations

from .planned import Plan, PlannedTable
from .sentences import Number, counted, plain, printable, told

__all__ = ["Number", "as_text", "because", "counted", "needed_because", "plain", "told"]


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
    return "\n".join(map(printable, [*lines, *told(made.coverage, made.labels), *made.notes]))


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
