"""Writes all differences to a file while they are found: JSON, a JSON object a line, or CSV.

Values are JSON in each, so that 1, 1.0 and "1" look different, and nothing in a spreadsheet is a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..errors import RequestError
from .report import Difference

Write = Callable[[Iterable[Difference]], Iterator[bytes]]
_encode = msgspec.json.Encoder().encode


def writer_for(path: Path) -> Write:
    """Return the function that writes the kind of file that the name tells. Raises RequestError for another name."""
    found = _WRITERS.get(path.suffix.lower())
    if found is None:
        raise RequestError(f"The name of the file of differences ends in {', '.join(_WRITERS)}, not as {path.name}.")
    return found


def _facts(one: Difference) -> dict[str, Any]:
    facts: dict[str, Any] = {"table": one.table, "kind": one.kind}
    if one.key:
        facts["key"] = one.key
    if one.columns:
        facts["columns"] = {name: {"before": v.before, "after": v.after} for name, v in one.columns.items()}
    if one.row:
        facts["row"] = one.row
    if one.times > 1:
        facts["times"] = one.times
    if one.person:
        facts["person"] = one.person
    return facts


def _lines(found: Iterable[Difference]) -> Iterator[bytes]:
    for one in found:
        yield _encode(_facts(one)) + b"\n"


def _json(found: Iterable[Difference]) -> Iterator[bytes]:
    before = b"[\n"
    for one in found:
        yield before + _encode(_facts(one))
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _csv(found: Iterable[Difference]) -> Iterator[bytes]:
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\r\n").writerow
    write(["table", "kind", "key", "column", "before", "after", "times", "person"])
    for one in found:
        key = _text(one.key) if one.key else ""
        person = _text(one.person) if one.person else ""
        for name, value in one.columns.items():
            write([one.table, one.kind, key, name, _text(value.before), _text(value.after), one.times, person])
        if one.kind != "changed":
            row = _text(one.row)
            values = (row, "") if one.kind == "gone" else ("", row)
            write([one.table, one.kind, key, "", *values, one.times, person])
        yield text.getvalue().encode("utf-8", "replace")
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _text(value: Any) -> str:
    return _encode(value).decode()


_WRITERS: dict[str, Write] = {".json": _json, ".ndjson": _lines, ".csv": _csv}
