"""Proposals and checks as sentences, for the page and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..formats.description.coverage_text import counted
from ..formats.description.phrases import ENGLISH, Say
from .proposal import Example, Found, Proposal

_SETTINGS = ("persons", "subjects", "virtual_foreign_keys", "secrets", "json_columns", "files", "caches")
_NOTHING = {
    "persons": "No table looks like people.",
    "virtual_foreign_keys": "None was found.",
    "secrets": "None was found.",
}
_MOST_TABLES = 12
_MOST_LINES = 40  # under one heading


def sections(made: Proposal, say: Say = ENGLISH) -> Iterator[tuple[str, list[str]]]:
    """Yield headings, each with a line for everything that was found under it, and why."""
    for setting in _SETTINGS if made.tables else ():
        lines = [_line(f) for f in made.found if f.setting == setting]
        if setting == "secrets" and made.secret_by_name:
            lines.insert(0, f"Left out already, by their names: {listed(made.secret_by_name)}")
        if not lines and setting in _NOTHING and made.preset is None:
            lines = [_NOTHING[setting]]
        if len(lines) > _MOST_LINES:
            lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES:,} more"]
        if lines:
            yield say(f"proposal.{setting}"), lines


def introduction(made: Proposal, where: str = "here", say: Say = ENGLISH) -> str:
    """Return the sentence that says what was looked at, and where: ``here`` or ``on_the_server``."""
    if not made.tables:
        return say("proposal.nothing", database=made.database)
    if made.rows_looked_at is None:
        return say("proposal.by_names", made.tables, database=made.database)
    tables = say("proposal.tables", made.tables)
    place = say(f"proposal.{where}")
    told = [say("proposal.by_rows", made.rows_looked_at, database=made.database, tables=tables, where=place)]
    if made.preset:
        told.append(say("proposal.preset", preset=made.preset))
    return " ".join(told)


def example_lines(example: Example, say: Say = ENGLISH) -> list[str]:
    """Return what an export of the example would hold, with the settings and, if that differs, without them."""
    title = f" ({example.title})" if example.title else ""
    record = f"{example.table} {example.key}{title}"
    lines = [say("proposal.example", record=record, rows=_rows(example.rows, example, say))]
    if example.rows_without != example.rows:
        lines.append(say("proposal.without", rows=_rows(example.rows_without, example, say)))
    return lines


def listed(names: list[str], say: Say = ENGLISH) -> str:
    """Return names with commas between them, the first ones of many."""
    first, more = ", ".join(names[:_MOST_TABLES]), len(names) - _MOST_TABLES
    return first if more <= 0 else say("and_more", first=first, count=say.number(more))


def _rows(rows: dict[str, int], example: Example, say: Say) -> str:
    parts = [counted(table, count, example.labels, say) for table, count in rows.items()]
    told = say("proposal.holds", sum(rows.values()), what=listed(parts, say)) if rows else say("proposal.no_rows")
    return told if example.complete else say("proposal.at_least", rows=told)


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
    if found.setting == "files":
        return ", ".join(f"{found.table}.{column}" for column in value)
    if found.setting in ("secrets", "json_columns"):
        return ", ".join(f"{found.table}.{column}" for column in value)
    return found.table
