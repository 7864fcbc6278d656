"""``verify(file)``: is the file complete and unchanged, and what does it hold? Bounded memory, no database needed."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ValidationError

from ..database.library import sqlite3
from ..errors import UnreadableError
from ..files.beside import Beside
from ..files.input_file import check_is_file, open_input
from ..files.reading_limits import CAREFUL, TRUSTING, Limits
from ..formats.dataset import Dataset, PackedRows, TableStream, packed_rows
from ..formats.description.coverage import Coverage, ReferenceKey
from ..formats.description.coverage_text import coverage_sentences
from ..formats.description.digest import TableDigest
from ..formats.description.integrity import Announced
from ..formats.description.phrases import ENGLISH, Say
from ..formats.document import Head
from ..formats.registry import detect, get_format, is_cut_beginning
from ..formats.registry.other_programs import kind_of, refuse
from ..options.arguments import path_of
from .named_files import FilesNamed
from .reference_check import References, refused
from .report import DanglingReference, Report, VerifiedTable

_log = logging.getLogger(__package__)
_log.addHandler(logging.NullHandler())  # a program that sets up no log has none printed


def verify(file: str | Path, *, trusted: bool = False, limits: Limits = CAREFUL, say: Say = ENGLISH) -> Report:
    """Read a whole file and return a report: whether it is complete and unchanged, and what it holds.

    ``trusted`` lifts the limits that protect from files which unpack without end or fill the memory;
    ``limits`` are those that apply otherwise; ``say`` gives the sentences on what was left out. Example::

        report = verify("client-3.programjson")
        print(report.status, report.problems)

    What is wrong with the file is in the report. Raises NotFoundError, OSError, BusyError, SpoolFullError, and what
    ``limits.go_on`` raises."""
    path = path_of("file", file)
    check_is_file(path)
    report = Report(file=os.fsencode(path.name).decode("utf-8", "replace"), status="unknown", bytes=path.stat().st_size)
    started = time.monotonic()
    with open_input(path) as detect:
        try:
            examine(detect, report, TRUSTING if trusted else limits, say=say)
        except UnreadableError as error:
            limits.go_on()  # an interrupted statement is no fault of the file
            report.status = error.reason  # type: ignore[assignment]
            report.problems.append(str(error))
    seconds = time.monotonic() - started
    _log.info("A file was verified: %s, %s, %s rows, %.3f seconds.", report.status, report.format, report.rows, seconds)
    return report


def examine(
    file: IO[bytes],
    report: Report,
    limits: Limits,
    through: Callable[[Dataset], Dataset] = lambda dataset: dataset,
    say: Say = ENGLISH,
) -> None:
    """Read an opened file to its end and put the findings into ``report``.

    ``through`` may wrap the dataset to look at its rows while they are read. Raises UnreadableError."""
    with Beside() as beside:
        _examine(file, report, replace(limits, beside=beside), through, say)


def _examine(file: IO[bytes], report: Report, limits: Limits, through: Callable[[Dataset], Dataset], say: Say) -> None:
    report.format, report.compression, content, start = detect(file, limits)
    if report.bytes == 0:
        raise UnreadableError("The file is empty.", "cut")
    if report.format is None:
        if (kind := kind_of(start)) is not None:
            raise refuse(kind)
        raise UnreadableError(_cannot_tell(start), "unknown")
    form = get_format(report.format)
    if report.compression is not None and form.compressed:
        raise UnreadableError(
            f"The format {form.name} inside another compression is not looked into: unpack it once.", "unknown"
        )
    assert form.decode is not None
    with form.decode(content, limits) as dataset:
        _check_form(Head, dataset.head)
        report.export = dict(dataset.head)
        _check(through(dataset), report, limits, say)


def _check_form(model: type[BaseModel], found: Any) -> None:
    try:
        model.model_validate(found)
    except (ValidationError, RecursionError):
        raise UnreadableError("What the file says of itself is not as this program writes it.") from None


def _cannot_tell(start: bytes) -> str:
    if is_cut_beginning(start):
        return "The file is cut: there is only its beginning."
    return (
        "This file cannot prove itself: it is no programjson, ndjson with its envelope, package, workbook, "
        "XML, YAML, SQLite file or SQL script of this program. A single CSV file, or rows alone, cannot tell "
        "whether some are missing; a package of the same data can."
    )


def _check(dataset: Dataset, report: Report, limits: Limits, say: Say) -> None:
    """Read every row, and compare everything that can be computed with what the file announces."""
    files = FilesNamed(dataset.files)
    with References(dataset.schema, limits) as references:
        for table in dataset.tables:
            report.tables[table.name] = _table(replace(table, batches=files.seen(table)), references, limits)
            report.rows += report.tables[table.name].rows
        announced = dataset.integrity()
        coverage = dataset.coverage()
        if not dataset.readable:
            _believe(report, announced)
        report.left_out = coverage_sentences(coverage, say=say)
        report.files = files.check(coverage, dataset.readable)
        report.status = "complete"
        _compare(report, announced)
        if not dataset.readable:
            return
        try:
            found = references.dangling()
            report.references_checked = not references.unchecked
        except sqlite3.Error as error:
            if "collation" not in str(error):
                raise refused(error) from None
            found = {}
            report.problems.append("Not all references could be checked: a collation is not known here.")
        _compare_references(report, found, coverage, references.unchecked)


def _table(table: TableStream, references: References, limits: Limits) -> VerifiedTable:
    computed = [i for i, field in enumerate(table.fields) if field.generated]
    digest = TableDigest(len(table.fields), computed, limits.beside)
    references.begin(table.name, table.fields)
    for rows in packed_rows(table.batches, references.places(table.name)):
        references.go_on()
        if isinstance(rows, PackedRows):
            digest.add_packed(rows.packed, rows.rows)
            references.add_columns(table.name, rows.columns)
            continue
        try:
            digest.add(rows)
        except (OverflowError, TypeError, ValueError):
            raise UnreadableError(f"{table.name} holds a value that SQLite cannot.") from None
        references.add(table.name, rows)
        del rows  # otherwise the last batch is held while the next is read
    return VerifiedTable(rows=digest.rows, sha256=digest.hexdigest())


def _believe(report: Report, announced: Announced) -> None:
    """Copy the announced counts and digests into the report, for files whose values were changed for a spreadsheet."""
    if announced.tables.keys() != report.tables.keys():
        raise UnreadableError("The announced tables are not those of the schema.")
    for name, table in report.tables.items():
        table.rows, table.sha256 = announced.tables[name].rows, announced.tables[name].sha256
    report.rows = sum(table.rows for table in report.tables.values())


def _compare(report: Report, announced: Announced) -> None:
    for name, table in report.tables.items():
        said = announced.tables.get(name)
        if said is None:
            raise UnreadableError("The end is not as this program writes it.")
        table.announced_rows, table.sha256_as_exported = said.rows, said.sha256_as_exported
        table.same = (said.rows, said.sha256) == (table.rows, table.sha256)
        if table.rows != said.rows:
            report.problems.append(f"{name}: {table.rows:,} rows, but {said.rows:,} are announced.")
        elif not table.same:
            report.problems.append(f"{name}: its rows are not those that were written; their digest is another.")
    if announced.tables.keys() != report.tables.keys() or announced.rows != report.rows:
        report.problems.append("The announced tables and counts do not fit what is in the file.")
    if report.problems:
        report.status = "changed"


def _compare_references(
    report: Report, found: Mapping[ReferenceKey, int], coverage: Coverage, unchecked: Set[ReferenceKey]
) -> None:
    announced = coverage.dangling_by_reference
    for key in sorted((found.keys() | announced.keys()) - unchecked):
        table, columns, other = key
        rows, said = found.get(key, 0), announced.get(key, 0)
        report.dangling.append(
            DanglingReference(table=table, columns=list(columns), other_table=other, rows=rows, announced=said)
        )
        if rows != said and (report.references_checked or unchecked):
            report.problems.append(
                f"{table}.{', '.join(columns)}: {rows:,} rows refer to {other} that is not in the file, "
                f"but {said:,} are announced."
            )
            report.status = "damaged"
