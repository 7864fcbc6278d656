"""Check the arguments of ``ExportService`` before anything is read; every error names the argument."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ...errors import RequestError
from ...files.compression import SUFFIXES, compressed
from ...options.delimiters import SERVICE
from ...options.grammar import parse_order

FORMATS = ("json", "csv")
Progress = Callable[[str, int], None]  # the table that is read, and the rows read so far, of all tables
Sort = Iterable[str | tuple[str, bool]]


@dataclass(frozen=True)
class Output:
    """How a result is written. Raises RequestError for a value that is not valid."""

    format: str
    pretty: bool = True
    delimiter: str = ","
    compress: str | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise RequestError(f"Unsupported export format: {self.format}")
        check_delimiter(self.delimiter)
        if self.compress is not None:
            if self.compress not in SUFFIXES:
                raise RequestError(f"compress must be {' or '.join(SUFFIXES)}, not {self.compress}.")
            compressed((), self.compress)  # is its library there?
        if self.progress is not None and not callable(self.progress):
            raise RequestError("progress must be a function of two arguments: the table, and the rows so far.")


def check_delimiter(delimiter: str) -> None:
    """Check the CSV delimiter. Raises RequestError for one that would make an unreadable file."""
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter not in SERVICE:
        raise RequestError("Delimiter must be a single character: a comma, a semicolon, a tab...")


def names(argument: str, given: Any) -> tuple[str, ...]:
    """Return names as a tuple. Raises RequestError for a single text, which would be read as a list of letters."""
    if given is None:
        return ()
    found = None if isinstance(given, (str, bytes)) or not isinstance(given, Iterable) else tuple(given)
    if found is None or not all(isinstance(name, str) for name in found):
        raise RequestError(f"{argument}: a list of names is needed.")
    return found


def order(given: Any) -> tuple[tuple[str, bool], ...]:
    """Return (column, descending) pairs of ``name``, ``name desc`` or pairs. Raises RequestError for anything else."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise RequestError('sort: a list is needed, of columns as "name" or "name desc".')
    found = [parse_order(one) if isinstance(one, str) else one for one in given]
    for one in found:
        if not (isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str) and isinstance(one[1], bool)):
            raise RequestError('sort: a column is given as "name", "name desc" or (name, True).')
    return tuple(found)


def choices(**given: Any) -> dict[str, Any]:
    """Return the fields of a Request for the arguments that were given; their values are checked by the Request."""
    found: dict[str, Any] = {name: given[name] for name in ("secrets", "others") if name in given}
    if given.get("without") is not None:
        found["without"] = names("without", given["without"])
    if given.get("columns") is not None:
        found["columns"] = names("columns", given["columns"])
        if not found["columns"]:
            raise RequestError("columns: at least one is needed; leave it out for all.")
    if given.get("sort") is not None:
        found["sort"] = order(given["sort"])
    return found
