"""Coverage as sentences, the same for pages, command line and README.txt."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .coverage import Coverage

Labels = Mapping[str, tuple[str, str]]
Number = Callable[[int], str]
plain: Number = "{:,}".format


def counted(table: str, rows: int, labels: Labels, number: Number = plain) -> str:
    """Return a count with a noun: ``3 charts``, or ``3 rows of charts`` if ``labels`` has no name for them."""
    if table in labels:
        return f"{number(rows)} {labels[table][rows != 1]}"
    of = f" of {table}" if table else ""
    return f"{number(rows)} row{'s' if rows != 1 else ''}{of}"


def coverage_sentences(coverage: Coverage, labels: Labels | None = None, number: Number = plain) -> list[str]:
    """Return sentences that say what was left out and why, and which references dangle."""
    names = labels or {}
    found = []
    for w in coverage.withheld:
        whose = "not asked for" if w.why.startswith("a ") else "of a person not asked for"
        found.append(f"{counted(w.table, w.rows, names, number)} {whose}: not included ({w.along}).")
    for hidden in coverage.no_permission:
        found.append(f"{hidden.table}: not included, as you may not see that table ({hidden.along}).")
    found += [f"{s.table}.{s.column}: not included, {s.why}." for s in coverage.secret]
    for part in coverage.left_out:
        name = part.reference or ".".join(n for n in (part.table, part.column) if n is not None)
        found.append(f"{name}: not included, {part.why if part.why is not None else 'as you asked'}.")
    for d in coverage.dangling:
        verb = "refers" if d.rows == 1 else "refer"
        parent = f"a {names[d.other_table][0]}" if d.other_table in names else d.other_table
        who = counted(d.table, d.rows, names, number)
        found.append(f"{who} {verb} to {parent} that is not included ({', '.join(d.columns)}).")
    return [*found, *coverage.warnings]
