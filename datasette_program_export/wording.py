"""Plans and coverage in sentences, for the page and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .planner import Plan


def as_text(made: Plan) -> str:
    """A plan as text."""
    about = f" ({made.title})" if made.title else ""
    lines = [f"{made.subject}{about} in {made.source}" + (f", by the preset {made.preset}" if made.preset else "")]
    least = "" if made.complete else "at least "
    for group, edge in (("belongs", "because"), ("needed", "needed_because")):
        title = "Belongs to it:" if group == "belongs" else "Needed by these, so that they can be loaded elsewhere:"
        rows = [t for t in made.tables if getattr(t, group) or (group == "belongs" and not t.needed)]
        lines += [title] if rows else []
        for planned in rows:
            why = getattr(planned, edge)
            label = f"  {planned.label}" if planned.label != planned.table else ""
            lines.append(
                f"  {least}{getattr(planned, group):>8,}  {planned.table}{label}" + (f"  (by {why})" if why else "")
            )
    size = f", about {made.bytes:,} bytes as JSON" if made.bytes is not None else ""
    lines.append(f"In all {least}{made.rows:,} rows{size}.")
    return "\n".join([*lines, *told(made.coverage, made.labels), *made.notes])


Labels = Mapping[str, tuple[str, str]]


def counted(table: str, rows: int, labels: Labels) -> str:
    """``3 charts``; ``3 rows of charts`` where nobody said what they are called."""
    if table in labels:
        return f"{rows:,} {labels[table][rows != 1]}"
    return f"{rows:,} row{'s' if rows != 1 else ''} of {table}"


def told(coverage: Mapping[str, Any], labels: Labels | None = None) -> list[str]:
    """What was left and why, and what points out of the file, in sentences."""
    names = labels or {}
    found = [
        f"{counted(w['table'], w['rows'], names)} of somebody else: not included ({w['along']})."
        for w in coverage.get("withheld", [])
    ]
    for hidden in coverage.get("no_permission", []):
        found.append(f"{hidden['table']}: not included, as you may not see that table ({hidden['along']}).")
    found += [f"{s['table']}.{s['column']}: not included, {s['why']}." for s in coverage.get("secret", [])]
    found += [f"{'.'.join(part.values())}: not included, as you asked." for part in coverage.get("left_out", [])]
    for d in coverage.get("dangling", []):
        verb = "refers" if d["rows"] == 1 else "refer"
        parent = f"a {names[d['other_table']][0]}" if d["other_table"] in names else d["other_table"]
        who = counted(d["table"], d["rows"], names)
        found.append(f"{who} {verb} to {parent} that is not included ({', '.join(d['columns'])}).")
    return [*found, *coverage.get("warnings", [])]
