"""Checks the files that rows name, in a file that holds them: as many as it says, each named by a row in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..errors import UnreadableError
from ..formats.dataset import PackagedFile, Row, TableStream
from ..formats.description.coverage import Coverage
from .report import VerifiedFiles


class FilesNamed:
    """The files of which no row was seen yet that names them."""

    def __init__(self, files: Sequence[PackagedFile]) -> None:
        self._files = files
        self._left: dict[str, dict[str, set[str]]] = {}
        for one in files:
            self._left.setdefault(one.table, {}).setdefault(one.column, set()).add(one.value)

    def seen(self, table: TableStream) -> Iterator[list[Row]]:
        """Return the rows of a table, which are looked at when they are read."""
        wanted = self._left.get(table.name, {})
        places = [(place, wanted[f.name]) for place, f in enumerate(table.fields) if f.name in wanted]
        return self._looked_at(table, places) if places else table.batches

    def _looked_at(self, table: TableStream, places: list[tuple[int, set[str]]]) -> Iterator[list[Row]]:
        for rows in table.batches:
            for place, values in places:
                if values:
                    values.difference_update([v for row in rows if isinstance(v := row[place], str)])
            yield rows
            del rows  # otherwise it is held while the next is read

    def check(self, coverage: Coverage, readable: bool) -> VerifiedFiles | None:
        """Return how many there are, None if rows name none. Raises UnreadableError if they are not as they should be.

        Where rows are not ``readable``, nobody has seen which files they name."""
        here = Counter((one.table, one.column) for one in self._files)
        if here != {(one.table, one.column): one.inside for one in coverage.files if one.inside}:
            raise UnreadableError("The files that rows name are not as many as the file says.", "changed")
        left = [(table, column) for table, found in self._left.items() for column, values in found.items() if values]
        if left and readable:
            raise UnreadableError(f"No row names a file that the file has for {'.'.join(left[0])}.", "changed")
        named = sum(one.named for one in coverage.files)
        size = sum({one.path: one.bytes for one in self._files}.values())
        return VerifiedFiles(named=named, inside=len(self._files), bytes=size) if named else None
