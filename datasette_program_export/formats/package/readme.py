"""README.txt: describes a package to the person who receives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..dataset import Dataset
from .datapackage import KEY, Resource

NAME = "README.txt"
_READ_BACK = {
    "csv": "Tables as text (CSV, RFC 4180, UTF-8). A number is written with all its digits.\n"
    "An empty field is no value (NULL), unless datapackage.json names another word for it\n"
    "in that column (missingValues). The kind of a column tells how a cell is meant:\n"
    "integer, number, text, blob (base64), mixed (each cell is a JSON value).",
    "ndjson": "Tables with one row a line, each a JSON object. What is no text and no number\n"
    'is an object itself: {"$base64": true, "encoded": ...} for bytes, {"$real": ...}\n'
    "for infinities.",
}
_SPREADSHEET = """Tables to be opened in a spreadsheet such as Excel or LibreOffice. What a spreadsheet
would take for a formula, a number or a date, and is a text, is guarded; no value and an
empty text are both empty cells. They are not made to be loaded into a database again."""
_READ_BACK["tsv"] = _READ_BACK["csv"].replace("(CSV, RFC 4180, UTF-8)", "(tabs between the fields, UTF-8)")


def readme(dataset: Dataset, resources: Sequence[Resource], kept_back: Sequence[str], importable: bool) -> str:
    """The text; ``kept_back`` are sentences about what is not in. Not ``importable``: made for a spreadsheet."""
    form = resources[0].form if resources else "csv"
    counts = {name: table.rows for name, table in dataset.integrity().tables.items()}
    rows = sum(counts.values())
    head = dataset.head
    width = max((len(r.path) for r in resources), default=0)
    lines = [
        f"Data from {head['source']}, taken on {head['created_at'].replace('T', ' at ').replace('Z', ' UTC')}",
        f"by {head['generator']}: {_what(head)}.",
        "",
        f"{rows:,} row{'' if rows == 1 else 's'} in {len(resources)} table{'' if len(resources) == 1 else 's'}:",
        "",
        *(f"  {r.path:<{width}}  {counts[r.table]:>10,}  {r.table}" for r in resources),
        "",
        "All were read at the same moment. What is not in these files, and why:",
        "",
        *(f"  - {sentence}" for sentence in kept_back or ["Nothing was left out."]),
        "",
        "How to read them",
        "",
        *(_READ_BACK[form] if importable else _SPREADSHEET).splitlines(),
        "The columns, their types, keys and references stand in datapackage.json, in the",
        f"form of a Data Package (https://datapackage.org); under {KEY!r} also the SQL that",
        "makes the tables anew.",
        "",
        "How to check that all is here and unchanged",
        "",
        "  datasette program-export verify FILE.zip",
        "",
        "or without that program: the SHA-256 of each file stands in datapackage.json",
        "(hash), and the last 64 characters of the zip are the SHA-256 of all before them.",
    ]
    return "\n".join(lines) + "\n"


def _what(head: Mapping[str, Any]) -> str:
    request = head["request"]
    if head["scope"] == "record":
        count = len(request["records"])
        records, them = ("record", "it") if count == 1 else ("records", "them")
        return f"{count} {records} of {request['table']}, with what belongs to {them}"
    if head["scope"] == "table":
        return f"rows of {request['table']}"
    return "the result of a query" if head["scope"] == "query" else "the whole database"
