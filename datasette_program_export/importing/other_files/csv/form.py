"""The form of a CSV file: as this program writes it, as it writes one for a spreadsheet, or any other.

Only the beginning of the file is compared: names, line ends, and that no field is quoted without need. What another
program wrote in just our form is read as ours: each text stays as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from ....database.schema import Table
from ....formats.csv.spreadsheet import guarded, is_taken_for_something_else

Form = Literal["exact", "spreadsheet", "other"]
_BEGINNING = 1 << 16  # characters that are compared


def unguarded(cell: str) -> str | None:
    """Return the text that a spreadsheet shows for ``="text"``, or None for any other cell."""
    if len(cell) < 3 or not (cell.startswith('="') and cell.endswith('"')):
        return None
    text = cell[2:-1]
    return text.replace('""', '"') if '"' not in text.replace('""', "") else None


def without_apostrophe(cell: str) -> str | None:
    """Return the text of a cell that our spreadsheet dialect guards with an apostrophe, or None for any other cell."""
    text = cell[1:]
    return text if cell.startswith("'") and is_taken_for_something_else(text) and guarded(text) == cell else None


def form_of(text: str, delimiter: str, names: Sequence[str], table: Table, marked: bool) -> Form:
    """Return the form of the file that begins with ``text``; ``names`` are those of its header, ``marked`` its BOM."""
    known = iter(c.name for c in table.visible_columns)
    if not all(name in known for name in names):  # each behind the one before
        return "other"
    if delimiter not in (",", "\t", *([";"] if marked else [])) or not _is_plain(text, delimiter, len(names), marked):
        return "other"
    return "spreadsheet" if marked else "exact"


def _is_plain(text: str, delimiter: str, columns: int, marked: bool) -> bool:
    sign = re.escape(delimiter)
    field = re.compile(rf'("(?:[^"]|"")*"|[^"\r\n{sign}]*)({sign}|\r\n|\Z)')
    place, end = 0, min(len(text), _BEGINNING)
    while place < end:
        found = field.match(text, place)
        if found is None or (found.end() == len(text) and not found.group(2)):
            return "\r\n" in text[:place] and not re.match(rf'[^"{sign}]*(?<!\r)\n', text[place:end])
        cell = found.group(1)
        if cell.startswith('"') and not _needs_quotes(cell[1:-1], delimiter, columns, marked):
            return False
        place = found.end()
    return True


def _needs_quotes(inner: str, delimiter: str, columns: int, marked: bool) -> bool:
    if not inner:
        return not marked
    return any(sign in inner for sign in (delimiter, '"', "\r", "\n")) or (columns == 1 and inner == "NULL")
