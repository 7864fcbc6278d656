"""Proposals and checks as sentences, for the page and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..formats.description.coverage_text import counted
from .proposal import Example, Found, Proposal

_HEADINGS = {
    "persons": "People",
    "subjects": "What rows are called",
    "virtual_foreign_keys": "References that are not declared",
    "secrets": "Secrets",
    "json_columns": "Texts that hold JSON",
    "caches": "Caches and logs",
}
_NOTHING = {
    "persons": "No table looks like people.",
    "virtual_foreign_keys": "None was found.",
    "secrets": "None was found.",
}
_MOST_TABLES = 12
_MOST_LINES = 40  # under one heading


def sections(made: Proposal) -> Iterator[tuple[str, list[str]]]:
    """Yield headings, each with a line for everything that was found under it, and why."""
    for setting, heading in _HEADINGS.items() if made.tables else ():
        lines = [_line(f) for f in made.found if f.setting == setting]
        if setting == "secrets" and made.secret_by_name:
            lines.insert(0, f"Left out already, by their names: {listed(made.secret_by_name)}")
        if not lines and setting in _NOTHING and made.preset is None:
            lines = [_NOTHING[setting]]
        if len(lines) > _MOST_LINES:
            lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES:,} more"]
        if lines:
            yield heading, lines


def introduction(made: Proposal, where: str = "on this computer; nothing left it") -> str:
    """Return the sentence that says what was looked at, and where."""
    tables = f"{made.tables:,} table{'' if made.tables == 1 else 's'}"
    if not made.tables:
        return f"{made.database} has no tables, so there is nothing to propose."
    if made.rows_looked_at is None:
        return f"{made.database}: {tables}. Names and types were looked at, no row."
    rows = f"{made.rows_looked_at:,} row{'' if made.rows_looked_at == 1 else 's'}"
    known = f" It was recognised by the preset {made.preset}, which knows most of it." if made.preset else ""
    return f"{made.database}: {tables}. {rows} were looked at, {where}.{known}"


def example_lines(example: Example) -> list[str]:
    """Return what an export of the example would hold, with the settings and, if that differs, without them."""
    title = f" ({example.title})" if example.title else ""
    least = "" if example.complete else "at least "
    lines = [f"{example.table} {example.key}{title}: {least}{_rows(example.rows, example.labels)}"]
    if example.rows_without != example.rows:
        lines.append(f"Without these settings: {least}{_rows(example.rows_without, example.labels)}")
    return lines


def listed(names: list[str]) -> str:
    """Return names with commas between them, the first ones of many."""
    more = f" and {len(names) - _MOST_TABLES} more" if len(names) > _MOST_TABLES else ""
    return ", ".join(names[:_MOST_TABLES]) + more


def _rows(rows: dict[str, int], labels: dict[str, tuple[str, str]]) -> str:
    total = sum(rows.values())
    parts = [counted(table, count, labels) for table, count in rows.items()]
    return f"{total:,} row{'' if total == 1 else 's'}: {listed(parts)}." if rows else "no rows."


def _line(found: Found) -> str:
    told = "" if found.written else "perhaps, not written: "
    return f"{told}{_what(found)} ({found.why})"


def _what(found: Found) -> str:
    value: Any = found.value
    if found.setting == "virtual_foreign_keys":
        where = "".join(f" where {c} is {' or '.join(map(str, v))}" for c, v in value.get("where", {}).items())
        ends = (
            f"{value['table']}.{', '.join(value['columns'])}",
            f"{value['other_table']}.{', '.join(value['other_columns'])}",
        )
        return f"{ends[0]} refers to {ends[1]}{where}"
    if found.setting == "subjects":
        title = f", named by {' and '.join(value['title'])}" if "title" in value else ""
        apart = f", told apart by {' and '.join(value['told_apart_by'])}" if "told_apart_by" in value else ""
        return f"{found.table}: {value.get('label', 'a row')}{title}{apart}"
    if found.setting in ("secrets", "json_columns"):
        return ", ".join(f"{found.table}.{column}" for column in value)
    return found.table
