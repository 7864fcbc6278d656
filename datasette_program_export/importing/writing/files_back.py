"""Puts the files that the rows of a file name back below their folders: all of them or none, none over another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from ...database.schema import fold
from ...errors import BrokenExportError, RequestError
from ...files.input_file import open_input
from ...files.reading_limits import TRUSTING, Limits
from ...files.rooted.walking import NotReadError, Parts, parts_of
from ...files.rooted.writing import NewFiles, state_of
from ...formats.dataset import PackagedFile
from ...formats.registry import detect, get_format
from ..choices import ImportChoices
from ..report import FilesReport, FindingCollector, ImportReport
from ..staging.columns import ColumnMapping
from ..staging.database import StagingDatabase

_SHA256 = len("sha256:")
_PIECE = 1 << 20
_KIND = "files"  # of findings
_WHY = {
    "outside": "is no path within the folder",
    "link": "would be written through a link",
    "denied": "cannot be looked at",
    "database": "is a database there",
    "changed": "changed while it was compared",
}


class FilesBack:
    """The files of one import: ``prepare``, then ``publish`` and ``keep``. A context manager; what is not kept goes."""

    def __init__(self, file: Path, choices: ImportChoices, limits: Limits) -> None:
        self._file, self._asked, self._limits = file, choices, replace(TRUSTING, go_on=limits.go_on)
        self._new = NewFiles()
        self._todo: dict[tuple[str, Parts], PackagedFile] = {}
        self._met: dict[tuple[str, Parts], str] = {}
        self._named_by: dict[tuple[str, Parts], set[tuple[str, str, str]]] = {}
        self._findings = FindingCollector()

    def __enter__(self) -> FilesBack:
        return self

    def __exit__(self, *exc: object) -> None:
        self._new.discard()

    def prepare(self, intake: ColumnMapping, report: ImportReport, findings: FindingCollector) -> None:
        """Compare the files with what is in their folders, and write the new ones under names of their own.

        A file that is there with other bytes is a finding. A preview writes nothing. Raises RequestError for folders
        or columns that there are not, UnreadableError, OSError."""
        if findings.errors:
            return
        self._findings = findings
        tables = set(map(fold, intake.staging.tables))
        found = [one for one in intake.files if fold(one.table) in tables]
        folders = _folders(self._asked.files, found)
        if not found:
            return
        sizes = {one.path: one.bytes for one in found}
        report.files = FilesReport(packaged=len(sizes), bytes=sum(sizes.values()))
        left = {one.path for one in found if f"{one.table}.{one.column}" not in folders}
        for one in found:
            if (folder := folders.get(f"{one.table}.{one.column}")) is not None:
                self._compare(one, folder, report.files)
        report.files.left = len(left)
        if left:
            findings.add(_KIND, _not_written(len(left)), error=False)
        if not findings.errors and not self._asked.preview:
            self._write()

    def only_of(self, staging: StagingDatabase, connection: Any, schema: str, report: ImportReport) -> None:
        """Give up the new files that no staged row names any more; ``schema`` is how ``connection`` calls ``staging``.

        Raises BrokenExportError where a file that waits cannot be removed."""
        named = {by for key in self._todo for by in self._named_by[key]}
        still: set[tuple[str, str, str]] = set()  # of these only: there may be any number of rows
        for table, column in {by[:2] for by in named}:
            values = _values(staging, connection, schema, table, column)
            still |= {by for by in ((table, column, value) for value in values) if by in named}
        gone = [key for key in self._todo if not still & self._named_by[key]]
        for key in gone:
            del self._todo[key]
            try:
                self._new.drop(*key)
            except (OSError, NotReadError) as error:
                raise _broken(error) from None
        if gone and report.files is not None:
            report.files.new -= len(gone)
            report.files.aside = len(gone)

    def publish(self) -> None:
        """Give the new files their names. Raises BrokenExportError if that cannot be."""
        try:
            self._new.publish()
        except (OSError, NotReadError) as error:
            raise _broken(error) from None

    def keep(self) -> None:
        """Leave them there."""
        self._new.keep()

    def _write(self) -> None:
        if not self._todo:
            return
        with open_input(self._file) as content:
            name, _, content, _ = detect(content, self._limits)
            form = get_format(name or "")
            assert form.decode is not None
            with form.decode(content, self._limits) as dataset:
                self._add(dataset.opened)

    def _add(self, opened: Callable[[PackagedFile], IO[bytes]] | None) -> None:
        assert opened is not None
        for (folder, parts), one in self._todo.items():
            try:
                self._new.add(folder, parts, _pieces(opened, one, self._limits.go_on))
            except (OSError, NotReadError) as error:
                raise _broken(error) from None

    def _compare(self, one: PackagedFile, folder: str, report: FilesReport) -> None:
        parts, digest = parts_of(one.value), one.hash[_SHA256:]
        if parts is None:
            self._refuse(one, "outside")
            return
        self._named_by.setdefault((folder, parts), set()).add((fold(one.table), fold(one.column), one.value))
        if (met := self._met.get((folder, parts))) is not None:  # two names of one file
            if met != one.hash:
                self._different(one, report)
            return
        self._met[folder, parts] = one.hash
        state = state_of(folder, parts, one.bytes, digest)
        if state == "new":
            self._todo[folder, parts] = one
            report.new += 1
        elif state == "equal":
            report.equal += 1
        elif state in ("different", "special"):
            self._different(one, report)
        else:
            self._refuse(one, state)

    def _different(self, one: PackagedFile, report: FilesReport) -> None:
        report.different += 1
        told = f"{_short(one.value)} is there already with other bytes ({one.table}.{one.column}). No file is replaced."
        self._findings.add(_KIND, told, one.table, one.column)

    def _refuse(self, one: PackagedFile, why: str) -> None:
        told = f"{_short(one.value)} {_WHY.get(why, 'cannot be written')} ({one.table}.{one.column})."
        self._findings.add(_KIND, told, one.table, one.column)


def _folders(asked: object, files: Sequence[PackagedFile]) -> dict[str, str]:
    """Return the folder of each column that has files. Raises RequestError."""
    if asked is None:
        return {}
    columns = dict.fromkeys(f"{one.table}.{one.column}" for one in files)
    given = dict.fromkeys(columns, asked) if not isinstance(asked, Mapping) else asked
    by_name = {fold(name): name for name in columns}
    found = {}
    for name, folder in given.items():
        if fold(name) not in by_name:
            known = f" It has files for {', '.join(columns)}." if columns else " It has none."
            raise RequestError(f"The file holds no files for {name}, which the argument files names.{known}")
        if not Path(str(folder)).is_dir():
            raise RequestError(f"{folder} is no folder, to put files into.")
        found[by_name[fold(name)]] = str(folder)
    return found


def _values(staging: StagingDatabase, connection: Any, schema: str, table: str, column: str) -> Iterator[str]:
    """Yield the texts that the staged rows have in a column; names are folded."""
    staged = next(one for name, one in staging.tables.items() if fold(name) == table)
    for place, name in enumerate(staged.columns):
        if fold(name) == column:
            query = f"SELECT CAST({staged.raw[place]} AS BLOB) FROM {schema}.{staged.holder(place)}"
            for (value,) in connection.execute(query):
                if value is not None:
                    yield bytes(value).decode(staging.encoding, "replace")


def _not_written(files: int) -> str:
    if files == 1:
        return "1 file is in this file and was not written: the command import, with --files, puts it into its folder."
    return (
        f"{files:,} files are in this file and were not written: the command import, with --files, puts them into "
        "their folder."
    )


def _broken(error: Exception) -> BrokenExportError:
    if isinstance(error, FileExistsError):
        why = "one of them was put there meanwhile by somebody else"
    elif isinstance(error, NotReadError):
        why = "a folder on the way became something else meanwhile"
    else:
        why = (error.strerror if isinstance(error, OSError) else None) or "unknown"
    return BrokenExportError(f"The files that rows name cannot be written: {why}. Nothing was imported.")


def _pieces(
    opened: Callable[[PackagedFile], IO[bytes]], one: PackagedFile, go_on: Callable[[], None]
) -> Iterator[bytes]:
    with opened(one) as content:
        while piece := content.read(_PIECE):
            go_on()
            yield piece


def _short(name: str) -> str:
    visible = "".join(c if c.isprintable() else "?" for c in name)
    return visible if len(visible) <= 80 else f"{visible[:79]}…"
