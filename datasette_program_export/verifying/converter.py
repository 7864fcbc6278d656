"""``Conversion``: a file of this program in another format, with the same rows and the same description.

The file is verified first, from its beginning to its end; then it is read once more and written row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BrokenExportError, UnreadableError, UnsupportedError
from ..exporting.row_spool import RowSpool
from ..exporting.table_reading import Progress
from ..files.compression import compressed
from ..files.input_file import open_input
from ..files.reading_limits import CAREFUL, TRUSTING, Limits
from ..formats.dataset import Dataset, TableStream
from ..formats.description.column_facts import ColumnFacts, survey
from ..formats.description.coverage import EMPTY, Coverage
from ..formats.description.digest import TableDigest
from ..formats.description.integrity import Announced, AnnouncedTable
from ..formats.description.moments import parse_moment
from ..formats.description.schema import DocumentTable
from ..formats.registry import Format, Options, check_choices, detect, get_format
from ..options.request import OF_THE_FILE, PACKAGE, Request
from .given_files import GivenFiles
from .verifier import verify


class Conversion:
    """The bytes of ``file`` as ``request`` says: its format, layout, dialect, delimiter, compression.

    ``limits`` are as in ``verify``; ``folder`` is for temporary files. ``form`` is the format that it becomes;
    ``alone``: it is a table's rows and nothing else. ``progress`` counts what is written; ``coverage`` is set last.
    Raises NotFoundError; UnreadableError for a file that is not complete and unchanged; UnsupportedError for what
    cannot be read back, or cannot be written."""

    def __init__(
        self,
        file: Path,
        request: Request,
        *,
        trusted: bool = False,
        limits: Limits = CAREFUL,
        folder: str | None = None,
    ) -> None:
        self._file, self._request, self._folder = file, request, folder
        self._limits = replace(TRUSTING, go_on=limits.go_on) if trusted else limits
        asked = get_format(request.format)
        check_choices(asked, request)
        report = verify(file, limits=self._limits)
        if report.status != "complete":
            problem = report.problems[0] if report.problems else "It is not complete."
            raise UnreadableError(f"{report.file} is not converted. {problem}", report.status)
        self._announced = {name: (table.rows, table.sha256) for name, table in report.tables.items()}
        self.private = report.export.get("request", {}).get("secrets") == "include"
        self.form = self._chosen(asked)
        several = len(self._announced) != 1
        whole = several or self.form.one_table or self.form.encode_table is None or request.layout != "rows"
        self.alone = self.form.encode is None or not whole
        self.progress = Progress()
        self.coverage: Coverage = EMPTY

    def __iter__(self) -> Iterator[bytes]:
        with ExitStack() as stack:
            content = stack.enter_context(open_input(self._file))
            name, _, content, _ = detect(content, self._limits)
            form = get_format(name or "")
            assert form.decode is not None
            dataset = stack.enter_context(form.decode(content, self._limits))
            if not dataset.readable:
                raise UnsupportedError(
                    f"{self._file.name} was made for a spreadsheet: its values were changed, so it is not converted."
                )
            given = _Given(dataset, self._request, self._folder, self._saw, stack)
            if form.makes_database and not self.form.makes_database:
                given.leave_computed_out()
            chunks = self._written(given.dataset())
            yield from chunks if self._request.compress is None else compressed(chunks, self._request.compress)
            self.coverage = given.coverage()
            if {n: (d.rows, d.hexdigest()) for n, d in given.digests.items()} != self._announced:
                raise BrokenExportError(f"{self._file.name} changed while it was read.")

    def _chosen(self, asked: Format) -> Format:
        several = len(self._announced) != 1
        if several and asked.holds_one:
            if asked.member is None:
                raise UnsupportedError(f"{asked.name} holds one table, and these are several: take {PACKAGE}.")
            self._request = self._request.model_copy(update={"format": PACKAGE, "members": asked.name})
            asked = get_format(PACKAGE)
        if self._request.compress is not None and asked.compressed:
            raise UnsupportedError(f"{asked.name} is compressed already: leave out compress.")
        return asked

    def _written(self, dataset: Dataset) -> Iterator[bytes]:
        form, request = self.form, self._request
        if not self.alone:
            assert form.encode is not None
            moment = parse_moment(dataset.head["created_at"])
            yield from form.encode(dataset, Options(request, self._folder, self._file.name.partition(".")[0], moment))
            return
        assert form.encode_table is not None
        for table in dataset.tables:
            yield from form.encode_table(table, request)

    def _saw(self, table: str, rows: int) -> None:
        self._limits.go_on()
        self.progress.table, self.progress.rows = table, self.progress.rows + rows


class _Given:
    """What a file holds, with digests of what is read of it and what its new format says about that."""

    def __init__(
        self,
        read: Dataset,
        request: Request,
        folder: str | None,
        saw: Callable[[str, int], None],
        stack: ExitStack,
    ) -> None:
        self._read, self._request, self._folder, self._saw, self._stack = read, request, folder, saw, stack
        self._warnings: list[str] = []
        self.digests: dict[str, TableDigest] = {}
        self.coverage = cache(self._covered)
        self._files = GivenFiles()

    def dataset(self) -> Dataset:
        """Return it as the new format reads it: with its head, which asks for this format now, and its coverage."""
        said = {k: v for k, v in self._read.head.get("request", {}).items() if k not in OF_THE_FILE}
        now = {k: v for k, v in self._request.as_recorded().items() if k in OF_THE_FILE}
        head: dict[str, Any] = {k: v for k, v in self._read.head.items() if k != "proven"}  # that was the other file
        tables = map(self._table, self._read.tables)
        head |= {"request": said | now}
        names_files = self._read.names_files
        return Dataset(head, self._read.schema, tables, self.coverage, self._integrity, names_files=names_files)

    def leave_computed_out(self) -> None:
        """Take the columns that SQLite computes out of the schema: the file makes them anew, and holds no values."""
        schema = self._read.schema
        tables = {name: _without_computed(table) for name, table in schema.tables.items()}
        for name, table in schema.tables.items():
            computed = [f"{name}.{column.name}" for column in table.columns if column.generated]
            self._warnings += [f"{one}: SQLite computes it; its values are not in the file." for one in computed]
        self._read = replace(self._read, schema=replace(schema, tables=tables))

    def _covered(self) -> Coverage:
        known = self._read.coverage()
        files = tuple(map(self._files.covered, known.files))
        return replace(known, warnings=(*known.warnings, *self._warnings), files=files)

    def _integrity(self) -> Announced:
        tables = {name: AnnouncedTable(d.rows, d.hexdigest()) for name, d in self.digests.items()}
        return Announced(sum(d.rows for d in self.digests.values()), tables)

    def _table(self, table: TableStream) -> TableStream:
        computed = [place for place, field in enumerate(table.fields) if field.generated]
        digest = self.digests[table.name] = TableDigest(len(table.fields), computed)
        kept: list[RowSpool] = []

        def facts() -> tuple[ColumnFacts, ...]:
            kept.append(self._stack.enter_context(closing(RowSpool(self._folder))))
            return survey(kept[0].taken(table.batches), len(table.fields))

        def batches() -> Iterator[list[Any]]:
            for rows in kept[0].given() if kept else table.batches:
                digest.add(rows)
                self._saw(table.name, len(rows))
                yield rows

        return TableStream(
            table.name, table.fields, batches(), facts=facts, warnings=self._warnings, files=self._files.of(table)
        )


def _without_computed(table: DocumentTable) -> DocumentTable:
    gone = {column.name for column in table.columns if column.generated}
    return replace(
        table,
        columns=tuple(column for column in table.columns if column.name not in gone),
        foreign_keys=tuple(key for key in table.foreign_keys if not gone & set(key.columns)),
        unique_keys=tuple(key for key in table.unique_keys if not gone & set(key)),
    )
