"""What a workbook says of itself: on its first sheet for people, on a hidden one for programs.

The hidden sheet has one column: the SHA-256 of a JSON text, then that text in parts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import UnreadableError
from ...files.reading_limits import Limits
from ..dataset import Dataset
from ..description.coverage_text import coverage_sentences
from ..description.parsing import dumped
from ..description.readme_text import kept_back_lines, opening
from ..document import description
from .cells import Empty

FORMAT_NAME, VERSION = "xlsx", 1
_PART = 30_000
_ESCAPES = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|(?<=x005F)_")
_HOW = """How to read the tables

Each table is a sheet; where its rows are too many for one, they go on in the next.
A number is a number, and a day or time a date, where a spreadsheet keeps every digit.
A cell that begins with a backslash holds a value as JSON: a number of more than 15
digits, a text with signs that a cell cannot hold, binary data (as base64), an empty
text where an empty cell means no value (NULL). {"$long":7} is text 7 on the sheet
Long texts, in parts. No cell is a formula.

How to check that all is here and unchanged

  program-export verify FILE.xlsx

How to load it, or what you have changed in it, into a database

  program-export import FILE.xlsx DATABASE.db --on-conflict update --preview

Keep the first line of each sheet, the names of the sheets, and the hidden sheet
program_export, which says what the columns are."""


@dataclass(frozen=True)
class WrittenTable:
    """The sheets of one table, in order, and what an empty cell means in each of its columns."""

    table: str
    sheets: Sequence[str]
    empty: Sequence[Empty]


def readme_lines(dataset: Dataset, written: Sequence[WrittenTable]) -> list[str]:
    """Return the lines of the first sheet."""
    counts = {name: table.rows for name, table in dataset.integrity().tables.items()}
    named = [(f"{t.table}: {counts[t.table]:,}", ", ".join(t.sheets)) for t in written]
    return [
        *opening(dataset.head, sum(counts.values()), len(written)),
        "",
        *(f"  {count}" + f" (sheet {sheets})" * (sheets != t.table) for (count, sheets), t in zip(named, written)),
        "",
        *kept_back_lines(coverage_sentences(dataset.coverage()), "this file"),
        "",
        *_HOW.splitlines(),
    ]


def description_lines(dataset: Dataset, written: Sequence[WrittenTable]) -> Iterator[str]:
    """Yield the lines of the hidden sheet."""
    found = {
        "format": FORMAT_NAME,
        "version": VERSION,
        "export": dataset.head,
        "schema": dumped(dataset.schema),
        "sheets": {t.table: {"names": t.sheets, "empty": t.empty} for t in written},
        "coverage": dumped(dataset.coverage()),
        "integrity": {**dumped(dataset.integrity()), "complete": True},
    }
    text = _ESCAPES.sub(r"\\u005f", json.dumps(found, separators=(",", ":")))
    yield hashlib.sha256(text.encode()).hexdigest()
    yield from (text[i : i + _PART] for i in range(0, len(text), _PART))


def parsed_description(lines: Iterator[str], limits: Limits) -> Mapping[str, Any]:
    """Return what the lines of the hidden sheet say. Raises UnreadableError."""
    digest, parts, size = next(lines, ""), list[str](), 0
    for line in lines:
        size += len(line)
        parts.append(line)
        if size > limits.description:
            break  # ``description`` raises for it
    text = "".join(parts).encode("utf-8", "replace")
    found = description(text, "The hidden sheet", limits)
    if found.get("format") != FORMAT_NAME:
        raise UnreadableError("This workbook is none of this program.", "unknown")
    if found.get("version") != VERSION:
        raise UnreadableError(f"This is version {found.get('version')} of xlsx; version {VERSION} is known.")
    if hashlib.sha256(text).hexdigest() != digest:
        raise UnreadableError("The hidden sheet, which says what the workbook holds, was changed.", "changed")
    return found
