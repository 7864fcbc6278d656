"""Shows how a plain file begins, for whom is asked how it is meant: its columns, and the first of its values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ...errors import ExportError
from ...files.input_file import open_input
from ...files.reading_limits import CAREFUL
from ...formats.registry import detect
from ...formats.registry.other_programs import kind_of
from ...options.delimiters import word_of
from ..choices import ImportChoices
from .csv.beginning import beginning_with_new_columns, first_rows
from .csv.reading import text_at_the_beginning
from .json.source import as_utf8
from .json.yaml import is_yaml
from .sql.reading import is_script

_START = 1 << 18  # bytes in which the first rows are looked for
_ROWS = 3
_LONGEST = 40  # characters of a value that are shown
_LIST_OF_ROWS = re.compile(r"\[\s*(?=\{)")
_BETWEEN = re.compile(r"[\s,]*")
_MOST = 2_000  # columns


@dataclass(frozen=True)
class FirstRows:
    """How a file begins. ``columns`` maps its columns to the first of their values, as they stand there, cut.

    ``encoding``, ``delimiter`` and ``header`` are what is taken for it, where it is CSV."""

    kind: str
    columns: dict[str, list[str]]
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None


def first_rows_of(path: Path, choices: ImportChoices, name: str = "") -> FirstRows | None:
    """Return how a plain file begins, which a person calls ``name``.

    None for a file of this program, and for one of which that cannot be told."""

    @contextmanager
    def content() -> Iterator[IO[bytes]]:
        with open_input(path) as file:
            yield detect(file, CAREFUL)[2]

    try:
        with open_input(path) as file:
            found, _, inside, start = detect(file, CAREFUL)
            start += inside.read(_START) if found is None else b""
        called = name or path.name
        if found is not None or kind_of(start) is not None or is_script(start, called) or is_yaml(called):
            return None
        opened, encoding = as_utf8(content, choices)
        with opened() as file:
            text = file.read(_START).decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        if text[:1] in ("{", "["):
            return FirstRows("json", _examples(_objects(text, choices)), encoding)
        return _of_csv(*text_at_the_beginning(content, choices), choices)
    except (ExportError, OSError, UnicodeError, ValueError, RecursionError):  # told by who reads it as a whole
        return None


def _of_csv(text: str, encoding: str, choices: ImportChoices) -> FirstRows:
    begins = beginning_with_new_columns(text, None, choices)
    rows = first_rows(text, begins.delimiter)[begins.skip :]
    names = [name.strip() for name in begins.names][:_MOST]
    examples = _examples([dict(zip(names, row)) for row in rows[:_ROWS]]) if rows else {}
    columns = {name: examples.get(name, []) for name in names if name}
    return FirstRows("csv", columns, encoding, word_of(begins.delimiter), begins.header)


def _examples(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.items():
            if len(found) < _MOST or name in found:
                told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                found.setdefault(name, []).extend([_cut(told)] if told and value is not None else [])
    return found


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _objects(text: str, choices: ImportChoices) -> list[dict[str, Any]]:
    """Return the first rows of JSON that holds one list of them, or one behind the other."""
    at = 0
    if text.startswith("["):
        at = 1
    elif choices.rows_at is not None or not _begins_with_row(text):
        listed = _LIST_OF_ROWS.search(text)
        at = listed.end() if listed else len(text)
    found: list[dict[str, Any]] = []
    decoder = json.JSONDecoder()
    while len(found) < _ROWS:
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        try:
            row, at = decoder.raw_decode(text, at)
        except ValueError:  # the rest was not read, or is no JSON
            break
        if not isinstance(row, dict):
            break
        found.append(row)
    return found


def _begins_with_row(text: str) -> bool:
    try:
        row, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return False
    return not any(isinstance(v, dict) or (isinstance(v, list) and v and isinstance(v[0], dict)) for v in row.values())
