"""Which choices of an import are asked about because of its file, and the lists to choose from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from ...database.schema import Schema, Table, fold
from ...importing.choices import COLUMN_KINDS, KINDS, POLICIES
from ...importing.other_files.destination import called_as
from ...importing.other_files.first_rows import FirstRows
from ...importing.report import ImportReport
from ...importing.writing.samples import HIDDEN
from ..words import Words

FIELDS = (  # all choices, in the order in which they are offered; some stand in one list together
    "on_conflict", "skip_bad", "table", "columns", "create", "alter", "pk", "sheet", "header", "skip_lines",
    "delimiter",
    "encoding", "decimal", "dates", "nan", "rows_at", "without", "on_conflict_for", "keys", "match", "allow_dangling",
    "allow_stale_indexes", "triggers",
)  # fmt: skip
OF_ROWS = ("on_conflict", "skip_bad", "without", "on_conflict_for", "keys", "match")
OF_EFFECTS = ("allow_dangling", "allow_stale_indexes", "triggers")
_LAID_OUT = re.compile(r"csv|xlsx")  # with lines and cells
_OF_ONE_TABLE = re.compile(r"csv|json|ndjson|xlsx|parquet|yaml")  # files of other programs that name no table
_PLAIN = re.compile(r"csv|json|ndjson|yaml")  # files of other programs that are texts
_VALUES = re.compile(r"json|ndjson|yaml")  # whose values say themselves what they are
_IN_COLUMNS = ("map", "cells", "types")
_WIDEST = 200  # columns that have a line each
_ARGUMENT = re.compile(r"\bthe argument (\w+)")
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "iso-8859-15", "shift_jis", "gb18030", "big5", "euc_kr")
_WORDS = {  # choices that are one of a few words
    "delimiter": ("comma", "semicolon", "tab", "pipe"),
    "decimal": ("point", "comma"),
    "dates": ("day-first", "month-first", "text"),
    "nan": ("null",),
}


def asked_about(report: ImportReport | None, error: str | None, unknown: str | None) -> list[str]:
    """Return the choices that stand against the import, or decide what happens to rows that are there already.

    ``unknown`` is asked about beside the columns, where no column of the file is known."""
    found = {"columns", unknown} if unknown is not None else set()
    messages = [error or ""]
    if report is not None:
        messages += [finding.message for finding in report.findings]
        if any(report.total(count) for count in ("conflict", "update", "skip")):
            found.add("on_conflict")
        faults = [f for f in report.findings if f.kind != "conflict"]
        if report.set_aside or (faults and all(f.row or f.line for f in faults)):
            found.add("skip_bad")
        if any(finding.kind == "column" for finding in report.findings):
            found |= {"columns", "alter"}
        if any(finding.kind == "table" for finding in report.findings):
            found.add("without")
    for message in messages:
        named = set(_ARGUMENT.findall(message))
        found |= {"columns" if name in _IN_COLUMNS else name for name in named}
    return [name for name in FIELDS if name in found]


def knows_no_column(columns: Sequence[Mapping[str, Any]], table: Table | None) -> bool:
    """Return whether no column of the file is one of the table, so that it is asked how they are meant."""
    if table is None or not columns:
        return False
    unsaid = [column for column in columns if column["to"][0][2]]
    return len(unsaid) == len(columns) and all(table.column(column["name"]) is None for column in columns)


def likely_table(schema: Schema, tables: Sequence[str], first: FirstRows | None) -> str | None:
    """Return the table that has the most columns of a plain file, if it has one."""
    if first is None:
        return None

    def known(name: str) -> int:
        table = schema.find(name)
        return sum(table.column(column) is not None for column in first.columns) if table is not None else 0

    found = max(tables, key=known, default=None)
    return found if found is not None and known(found) else None


def target_of(
    report: ImportReport | None, choices: Mapping[str, Any], schema: Schema, file: str, visible: Set[str]
) -> tuple[str | None, bool]:
    """Return the one table that a plain file goes into, and whether it is made for it; None for several, or none."""
    if report is not None and report.tables:
        name, table = next(iter(report.tables.items()))
        return (name, table.created) if len(report.tables) == 1 else (None, False)
    if choices.get("table"):
        found = schema.find(choices["table"])
    else:
        found = called_as(file, [table for table in schema.values() if table.name in visible])
    return (found.name if found is not None else None), False


def columns_of(
    words: Words,
    first: FirstRows,
    table: Table | None,
    report: ImportReport | None,
    choices: Mapping[str, Any],
    secret: Set[str],
) -> list[dict[str, Any]]:
    """Return for each column of a plain file its first values, and what it can be in the table.

    Values of ``secret`` columns, named folded, are not shown."""
    made = {}
    if report is not None and len(report.tables) == 1:
        made = next(iter(report.tables.values())).new_columns
    targets = [c.name for c in table.columns if not c.generated and c.hidden == 0] if table is not None else []
    named = {fold(name): to for name, to in choices.get("map", {}).items()}
    kinds = {fold(name): kind for name, kind in choices.get("cells", {}).items()}
    unplaced = words("import.new_column" if choices.get("alter") or choices.get("create") else "import.no_place")
    offered: tuple[str, ...] = KINDS if first.kind == "csv" else ("number",)
    found = []
    for name in [n for n in first.columns if "\n" not in n and "\r" not in n][:_WIDEST]:
        same = next((t for t in [*targets, *made] if fold(t) == fold(name)), None)
        mapped, to = fold(name) in named, named.get(fold(name))
        options = [("", words("import.same_name", name=same) if same else unplaced, not mapped)]
        options += [(f"{name}={t}", t, mapped and to is not None and fold(t) == fold(to)) for t in targets if t != same]
        if mapped and to is not None and not any(chosen for *_, chosen in options):
            options.append((f"{name}={to}", to, True))
        options.append((f"{name}=", words("import.left_away"), mapped and to is None))
        kind = kinds.get(fold(name))
        cells = [("", words("import.cells.found"), kind is None)]
        cells += [(f"{name}={k}", words(f"import.cells.{k}"), kind == k) for k in offered]
        found.append(
            {
                "name": name,
                "examples": [HIDDEN] if {fold(name), fold(to or "")} & secret else first.columns[name],
                "to": options,
                "cells": cells,
            }
            | {"types": _types(words, to if to else name, made, choices)}
        )
    return found


def _types(
    words: Words, name: str, made: Mapping[str, str], choices: Mapping[str, Any]
) -> list[tuple[str, str, bool]] | None:
    """Return the types that a new column can have; None for one that is there."""
    column = next((c for c in made if fold(c) == fold(name)), None)
    if column is None:
        return None
    chosen = {fold(n): kind for n, kind in choices.get("types", {}).items()}.get(fold(column))
    found = [("", words("import.type_found", type=made[column]), chosen is None)]
    return found + [(f"{column}={kind}", kind, kind == chosen) for kind in COLUMN_KINDS]


def rest_of_columns(choices: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the choices about columns that have no line of their own, such as those of one table of several."""
    listed = {fold(column["name"]) for column in columns}
    typed = {fold(value.rpartition("=")[0]) for c in columns for value, *_ in c["types"] or ()}
    return {
        "map": {name: to for name, to in choices.get("map", {}).items() if fold(name) not in listed},
        "cells": {name: kind for name, kind in choices.get("cells", {}).items() if fold(name) not in listed},
        "types": {name: kind for name, kind in choices.get("types", {}).items() if fold(name) not in typed},
    }


def unique_columns(schema: Schema, tables: Sequence[str]) -> list[str]:
    """Return ``table.column`` for every single column by which rows of these tables can be told, but their keys."""
    found = []
    for table in filter(None, map(schema.find, tables)):
        found += [f"{table.name}.{c.name}" for c in table.columns if c.pk == 0 and table.is_unique((c.name,))]
    return found[:_WIDEST]


def lists_of(words: Words, choices: Mapping[str, Any], first: FirstRows | None) -> dict[str, Any]:
    """Return the options of the choices that are one of a few words: the value, its words, whether it is chosen."""
    found: dict[str, Any] = {}
    for name, values in _WORDS.items():
        chosen = choices.get(name)
        guess = first.delimiter if first is not None and name == "delimiter" else None
        unsaid = words("import.found", what=_told(words, name, guess)) if guess else words("import.find_out")
        unsaid = unsaid if name == "delimiter" else words("import.ask")
        options = [("", unsaid, chosen is None)]
        options += [(value, words(f"import.form.{name}.{value}"), value == chosen) for value in values]
        found[name] = options + ([(chosen, chosen, True)] if chosen and chosen not in values else [])
    said, guess_header = choices.get("header"), first.header if first is not None else None
    unsaid = words("import.find_out")
    if guess_header is not None and said is None:
        unsaid = words("import.found", what=words("import.yes" if guess_header else "import.no"))
    found["header"] = [("", unsaid, said is None), ("1", words("import.yes"), said is True)]
    found["header"] += [("0", words("import.no"), said is False)]
    found["on_conflict"] = [
        (policy, words(f"import.policy.{policy}"), choices.get("on_conflict", "fail") == policy) for policy in POLICIES
    ]
    found["encodings"] = _ENCODINGS
    return found


def _told(words: Words, name: str, value: str) -> str:
    return words(f"import.form.{name}.{value}") if value in _WORDS[name] else value


def fits(name: str, report: ImportReport | None, first: FirstRows | None) -> bool:
    """Return whether a choice is for the kind of file at hand."""
    kind = first.kind if first is not None else (report.format if report is not None else None)
    if name == "sheet":
        return kind == "xlsx"
    if name in ("header", "skip_lines", "decimal", "dates"):
        return kind is None or _LAID_OUT.fullmatch(kind) is not None
    if name == "delimiter":
        return kind in ("csv", None)
    if name == "nan" and kind == "parquet":
        return True
    if name in ("nan", "rows_at"):
        return kind is None or _VALUES.fullmatch(kind) is not None
    if name == "encoding":
        return kind is None or _PLAIN.fullmatch(kind) is not None
    if name in ("table", "columns", "create"):
        return kind is None or _OF_ONE_TABLE.fullmatch(kind) is not None
    if name == "pk":
        return report is not None and any(table.created for table in report.tables.values())
    return True
