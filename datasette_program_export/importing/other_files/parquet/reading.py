"""Stages the rows of a Parquet file of another program, or of a single file out of a package of this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from typing import IO, Any

from ....errors import RequestError, UnreadableError
from ....files.local import local
from ....files.reading_limits import Limits
from ....formats.parquet.description import KEY, parsed_description, places_of
from ....formats.parquet.library import pyarrow
from ....formats.parquet.reading import merged
from ....formats.parquet.sealing import MAGIC
from ....formats.parquet.table_file import TableFile, values_of
from ...choices import ImportChoices
from ...report import ImportReport
from ...staging.columns import ColumnMapping
from ..concerns import check_nothing_to_make
from ..destination import destination, table_of
from ..rows import ForeignRows, UnfitError
from ..survey import Survey
from .kinds import Kind

PARQUET = MAGIC
Content = Callable[[], AbstractContextManager[IO[bytes]]]
_NO_TABLES = "The target has no tables: with the argument create one is made as the file's rows need it."


def read_parquet(
    content: Content, intake: ColumnMapping, choices: ImportChoices, report: ImportReport, limits: Limits
) -> None:
    """Stage all rows. Raises UnreadableError, and RequestError if a choice or pyarrow is missing."""
    report.format = "parquet"
    if not intake.schema and not choices.create:
        raise RequestError(_NO_TABLES)
    with content() as file, local(file, limits) as path, closing(TableFile(path, limits)) as found:
        reading = _Reading(found, choices, limits)
        choices = choices.model_copy(update={"table": destination(intake, choices, reading.names)})
        name = str(choices.table)
        if choices.create or choices.alter:
            survey = Survey(intake, choices)
            survey.begin(name)
            for _, row, fault in reading.rows():
                survey.add(name, row if fault is None else {**row, fault[0]: None})
            survey.end()
        else:
            check_nothing_to_make(choices, choices.table)
        table = table_of(intake, choices)
        rows = ForeignRows(intake, choices, limits=limits, own=reading.own)
        for number, row, fault in reading.rows():
            if fault is None:
                rows.add(name, row, number)
                continue
            column, why = fault
            told = f"Row {number:,} of {table.name}: {column} {why}."
            intake.findings.add("value", told, table.name, column, number, "row", held=row)
        rows.begin(name)
        rows.end()
        for sentence, columns in reading.told().items():
            intake.findings.add("read", f"{', '.join(columns)} of {name}: {sentence}.", table.name, error=False)
    report.layout = f"Parquet into {table.name}"


class _Reading:
    """Reads the rows of a file as dicts, as often as they are asked for. ``own``: this program wrote the file."""

    def __init__(self, found: TableFile, choices: ImportChoices, limits: Limits) -> None:
        self._found, self._pa = found, pyarrow()
        self.own = (about := (found.metadata.metadata or {}).get(KEY.encode())) is not None
        if len(set(found.names)) != len(found.names):
            raise UnreadableError("The Parquet file has two columns of one name.")
        self._places: Sequence[tuple[int, int | None]] = [(place, None) for place in range(len(found.names))]
        if self.own:
            try:
                self._places = places_of(parsed_description(about, limits)["columns"], found.names)
            except (KeyError, TypeError, ValueError):
                raise UnreadableError("The description in the Parquet file does not fit its columns.") from None
        self.names = [found.names[own] for own, _ in self._places]
        self._kinds = [
            Kind(self._pa, found.schema.types[own], choices.nan == "null", choices.kind_of(name) == "number")
            for name, (own, _) in zip(self.names, self._places)
        ]

    def told(self) -> dict[str, list[str]]:
        """Return what is made of values, with the columns of which that is told."""
        said: dict[str, list[str]] = {}
        for name, kind in zip(self.names, self._kinds):
            if kind.told is not None:
                said.setdefault(kind.told, []).append(name)
        return said

    def rows(self) -> Iterator[tuple[int, dict[str, Any], tuple[str, str] | None]]:
        """Yield the number of each row, the row, and the first column with a value that SQLite cannot hold, and why."""
        number = 0
        for batch in self._found.batches():
            columns = [self._values(batch, own, beside, kind) for (own, beside), kind in zip(self._places, self._kinds)]
            for values in zip(*columns):
                number += 1
                yield self._row(number, values)

    def _row(self, number: int, values: Sequence[Any]) -> tuple[int, dict[str, Any], tuple[str, str] | None]:
        row: dict[str, Any] = {}
        fault: tuple[str, str] | None = None
        for name, kind, value in zip(self.names, self._kinds, values):
            try:
                row[name] = None if value is None else value if self.own else kind.convert(value)
            except UnfitError as error:
                row[name], fault = str(value), fault or (name, str(error))
        return number, row, fault

    def _values(self, batch: Any, own: int, beside: int | None, kind: Kind) -> Sequence[Any]:
        if self.own:
            return merged(batch, own, beside, "the table")
        try:
            if kind.as_numbers:
                found = batch.column(own)
                whole = self._pa.int32() if found.type.bit_width == 32 else self._pa.int64()
                values: list[Any] = found.cast(whole).to_pylist()
                return values
            return values_of(batch, own)
        except (self._pa.ArrowException, OverflowError, ValueError):
            raise UnreadableError(
                f"The column {self.names[own]} holds a value that cannot be read: perhaps a date outside of the years "
                "1 to 9999."
            ) from None
