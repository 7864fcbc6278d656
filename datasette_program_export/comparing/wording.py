"""A comparison in words: the answer in one sentence, the tables, the details."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .report import ComparedTable, Comparison, Difference, PersonCounts

_TOLD = 4  # tables in the sentence
_WIDEST = 60


def sentence(found: Comparison) -> str:
    """Return the answer in one sentence."""
    compared = [t for t in found.tables.values() if t.status == "compared"]
    skipped = sum(t.status == "skipped" for t in found.tables.values())
    columns = sum(len(t.not_compared) for t in found.tables.values())
    left = [_count(skipped, "table")] if skipped else []
    left += [_count(columns, "column")] if columns else []
    aside = f" Not compared: {' and '.join(left)}." if left else ""
    if not compared and found.complete:
        return f"No table of {found.before} was compared.{aside}"
    new = _new(found)
    added = f" New: {', '.join(new)}." if new else ""
    if found.complete:
        rows = sum(t.unchanged for t in compared)
        told = f"{_count(len(compared), 'table')}, {_count(rows, 'row')}, all unchanged"
        return f"Everything is still there: {told}.{added}{aside}"
    lost = [part for name, table in found.tables.items() for part in _lost(name, table)]
    more = f", and {len(lost) - _TOLD:,} more" if len(lost) > _TOLD else ""
    text = ", ".join(lost[:_TOLD]) + more
    return f"{text[0].upper()}{text[1:]}.{added}{aside}"


def _lost(name: str, table: ComparedTable) -> Iterator[str]:
    if table.status == "gone":
        yield f"the table {name} is gone ({_count(table.before, 'row')})"
        return
    if table.gone:
        yield f"{_count(table.gone, 'row')} of {name} {_are(table.gone)} gone"
    if table.changed:
        yield f"{_count(table.changed, 'row')} of {name} changed"
    for column in table.columns_gone:
        yield f"the column {column} of {name} is gone"


def _new(found: Comparison) -> list[str]:
    tables = [t for t in found.tables.values() if t.status == "new"]
    rows = sum(t.new for t in found.tables.values())
    columns = sum(len(t.columns_new) for t in found.tables.values())
    counts = ((len(tables), "table"), (columns, "column"), (rows, "row"))
    return [_count(number, what) for number, what in counts if number]


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def as_text(found: Comparison) -> str:
    """Return a comparison as text for people."""
    lines = [found.sentence, f"  Before: {found.before}. After: {found.after}."]
    lines += [f"  {note}" for note in found.notes]
    width = min(max(map(len, found.tables), default=0), _WIDEST)
    for name, table in found.tables.items():
        lines.append(f"  {max(table.before, table.after):>9,}  {name:<{width}}  {_told(table)}")
        lines += [f"      {told}" for told in _about(table)]
    for one in found.proposals:
        what = f"the column {one.old} of {one.table}" if one.table else f"the table {one.old}"
        lines.append(
            f"  Perhaps {what} is called {one.new} now: {one.equal:,} of {one.looked_at:,} rows looked at are equal. "
            f"If so: the argument map with {one.map}"
        )
    for name, table in found.tables.items():
        if table.differences:
            lines.append(f"  {name}:")
            lines += [f"    {_difference(one)}" for one in table.differences]
            rest = table.changed + table.gone + table.new - sum(one.times for one in table.differences)
            if rest > 0:
                lines.append(f"    and {rest:,} more (-o FILE writes all)")
    return "\n".join(lines)


def _told(table: ComparedTable) -> str:
    if table.status == "skipped":
        return f"not compared: {table.note}"
    if table.status != "compared":
        return f"the table is {table.status}"
    counts = [f"{getattr(table, c):,} {c}" for c in ("unchanged", "changed", "gone", "new") if getattr(table, c)]
    return ", ".join(counts) or "no rows"


def _about(table: ComparedTable) -> Iterator[str]:
    if table.now is not None:
        yield f"called {table.now} now"
    for old, new in table.columns_renamed.items():
        yield f"{old} is called {new} now"
    if table.columns_gone:
        yield f"gone: {', '.join(table.columns_gone)}"
    if table.columns_new:
        yield f"new: {', '.join(table.columns_new)}"
    for column, why in table.not_compared.items():
        yield f"{column} not compared: {why}"
    if table.people:
        told = "; ".join(f"{_cell_of(one.key)}: {_numbers(one)}" for one in table.people[:_TOLD])
        rest = table.people_count - len(table.people[:_TOLD])
        yield f"by person: {told}{f'; and {rest:,} more people' if rest else ''}"
    if table.status == "compared" and table.note:
        yield table.note


def _numbers(one: PersonCounts) -> str:
    return ", ".join(f"{getattr(one, c):,} {c}" for c in ("changed", "gone", "new") if getattr(one, c))


def _cell_of(key: dict[str, Any]) -> str:
    return ", ".join(f"{column} {_cell(value)}" for column, value in key.items())


def _difference(one: Difference) -> str:
    key = _cell_of(one.key)
    if one.kind == "changed":
        values = (f"{c}: {_cell(v.before)} became {_cell(v.after)}" for c, v in one.columns.items())
        return f"{key}: {', '.join(values)}"
    times = f", {one.times:,} times" if one.times > 1 else ""
    values = (f"{column} {_cell(value)}" for column, value in one.row.items())
    row = ", ".join(values)
    return f"{one.kind}{times}: {row if len(row) <= 3 * _WIDEST else row[: 3 * _WIDEST] + '…'}"


def _cell(value: Any) -> str:
    text = value_text(value)
    return text if len(text) <= _WIDEST else text[:_WIDEST] + "…"


def value_text(value: Any) -> str:
    """Return a value as JSON, so that 1, 1.0 and "1" look different."""
    return json.dumps(value, ensure_ascii=False)
