"""README.txt: describes a package to the person who receives it."""

from __future__ import annotations

from collections.abc import Sequence

from ...options.request import DEFAULT_MEMBER
from ..dataset import Dataset
from ..description.file_text import files_in_all
from ..description.readme_text import kept_back_lines, opening
from ..registry import get_format
from .datapackage import KEY, Resource

NAME = "README.txt"
_BLOBS = """Pictures, documents and other large values are files of their own, under
files/<table>/<column>/, called by the key of their row; the cell holds the file's name."""
_FILES = """files/<table>/<column>/; which cell names which stands in datapackage.json, under
named_files, with the SHA-256 of each."""
_SPREADSHEET = """Tables to be opened in a spreadsheet such as Excel or LibreOffice. What a spreadsheet
would take for a formula, a number or a date, and is a text, is guarded; no value and an
empty text are both empty cells. They are not made to be loaded into a database again."""


def readme(
    dataset: Dataset, resources: Sequence[Resource], kept_back: Sequence[str], importable: bool, blobs: int
) -> str:
    """Return the text. ``kept_back`` are sentences about what is missing; not ``importable``: for a spreadsheet.

    ``blobs`` is the number of BLOBs that are files of their own."""
    counts = {name: table.rows for name, table in dataset.integrity().tables.items()}
    rows = sum(counts.values())
    member = get_format(resources[0].form if resources else DEFAULT_MEMBER).member
    assert member is not None
    width = max((len(r.path) for r in resources), default=0)
    lines = [
        *opening(dataset.head, rows, len(resources)),
        "",
        *(f"  {r.path:<{width}}  {counts[r.table]:>10,}  {r.table}" for r in resources),
        "",
        *kept_back_lines(kept_back, "these files"),
        "",
        "How to read them",
        "",
        *(member.readme if importable else _SPREADSHEET).splitlines(),
        *(_BLOBS.splitlines() if blobs else ()),
        *((f"{told}, are under", *_FILES.splitlines()) if (told := files_in_all(dataset.coverage().files)) else ()),
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
