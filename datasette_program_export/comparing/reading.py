"""Reads the two sides of a comparison: a file of this program as an import does, a database as an export does."""

from __future__ import annotations

from collections.abc import Set
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from ..database.library import Prepare
from ..database.source import Source
from ..errors import NotFoundError, UnreadableError, UnsupportedError
from ..exporting.coverage import kept_back
from ..exporting.exporter import Export
from ..files.input_file import is_database, open_input
from ..files.reading_limits import Limits
from ..formats.dataset import Dataset
from ..formats.sqlite.reading import check_document, decode
from ..formats.sqlite.statements import DESCRIPTION
from ..options.request import Request
from ..options.settings import Settings
from ..selection.scopes.base import Scope
from ..verifying.report import Report
from ..verifying.verifier import examine
from .side import Side


def is_a_file(given: Any) -> bool:
    """Return whether this is the path of a file that is no database. Raises NotFoundError if there is none."""
    if not isinstance(given, (str, Path)) or (isinstance(given, str) and given.startswith("file:")):
        return False
    path = Path(given)
    if not path.exists():
        raise NotFoundError(f"There is no file {path.name}.")
    return not is_database(path)


def read_file(side: Side, path: Path, settings: Settings, limits: Limits, prepare: Prepare | None) -> None:
    """Store the rows of a file of this program. Raises UnreadableError if it is not complete and unchanged."""
    about = Report(file=path.name, status="unknown", bytes=path.stat().st_size)
    with open_input(path) as file:
        try:
            examine(file, about, limits, lambda dataset: side.through(dataset, settings, prepare))
        except UnreadableError as error:
            limits.go_on()
            raise UnreadableError(f"{side.name}: {error}", error.reason) from None
    if about.status != "complete":
        problem = about.problems[0] if about.problems else "The file is not complete."
        raise UnreadableError(f"{side.name} cannot be compared: {problem}", about.status)
    if side.others and not side.tables:
        raise UnsupportedError(f"{side.name} holds what a query or view gave, which is no table to find again.")


def read_database(
    side: Side,
    source: Source,
    settings: Settings,
    *,
    secrets: bool,
    visible: Set[str] | None = None,
    cancelled: Event | None = None,
) -> None:
    """Store the rows of a whole database, of one moment. Raises what an export raises."""
    request = Request(secrets="include" if secrets else "withhold")
    scopes: list[Scope] = []

    def use(dataset: Dataset) -> None:
        side.clear()
        scope = scopes[-1]
        side.known = replace(scope.annotated, with_secrets=False)
        side.limited = visible is not None and scope.annotated.holds_unseen(visible)
        for stream in dataset.tables:
            side.take(stream, scope.schema[stream.name])
        dataset.integrity()  # that it was one moment
        side.cover(kept_back(scope))

    how: dict[str, Any] = {"visible": visible, "cancelled": cancelled}
    with Export(source, request, settings=settings, tell=False, **how) as export:
        export.read(use, scopes.append)
    if side.described:
        for name in [name for name in side.tables if DESCRIPTION.fullmatch(name)]:
            del side.tables[name]


def note_description(side: Side, source: Source, limits: Limits) -> None:
    """Take over what a SQLite file of this program says that it leaves out, if it is still as it was written."""
    if source.path is None:
        return
    with suppress(UnreadableError):
        dataset = decode(source.path, limits)
        if check_document(source.path, limits) is None:
            side.described = True
            side.note_request(dataset.head)
            side.cover(dataset.coverage())
