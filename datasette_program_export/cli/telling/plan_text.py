"""Write a plan as text for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...formats.description.coverage_text import coverage_sentences, people_sentences
from ...formats.description.file_text import files_in_all
from ...planning.plan import Plan
from .terminal import printable


def as_text(made: Plan, cautions: Sequence[str] = ()) -> str:
    """Return a plan as text for people; ``cautions`` are sentences about the file that would be written."""
    about = f" ({', '.join(filter(None, (made.title, made.told_apart)))})" if made.title else ""
    what = {"database": "All tables", "query": "A query"}.get(made.scope, made.subject)
    lines = [f"{what}{about} in {made.source}" + (f", by the preset {made.preset}" if made.preset else "")]
    lines += people_sentences(made.coverage)
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
    if (files := files_in_all(made.coverage.files)) is not None:
        lines.append(f"In a package or a dossier: {files}.")
    told = replace(made.coverage, people=None)  # said above
    return "\n".join(map(printable, [*lines, *coverage_sentences(told, made.labels), *made.notes, *cautions]))
