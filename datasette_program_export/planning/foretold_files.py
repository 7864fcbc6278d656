"""The files that the planned rows name: how many, how large, which are missing. They are looked up, not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ..database.schema import quote
from ..exporting.file_columns import FilePlaces
from ..exporting.named_files import MOST_NAMES
from ..files.rooted.reading import FileStore
from ..files.rooted.walking import Why, parts_of
from ..formats.description.coverage import ColumnFiles, FileGap
from ..formats.dossier.page.files import MOST_OF_ONE, MOST_TOGETHER
from ..selection.scopes.base import Scope
from ..selection.table_rows import TableRows

_AT_ONCE = 500  # values
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


class ForetoldFiles:
    """Counts the files of a plan's rows, within the limits that an export has. Raises what the snapshot raises."""

    def __init__(self, scope: Scope, stores: Mapping[str, FileStore]) -> None:
        self._scope, self._settings = scope, scope.annotated.settings
        self._places = FilePlaces(self._settings.files, stores, scope.snapshot.source.path)
        self._bytes = self._cells = 0
        self._known: set[tuple[str, tuple[str, ...]]] = set()
        self.pictures = 0  # bytes of those that a page shows in their rows, as far as names tell

    def all(self) -> Iterator[ColumnFiles]:
        """Yield what the coverage of the export will say, as far as no file changes."""
        for chosen in self._scope.tables:
            for column, store in self._places.of(chosen).items():
                found = self._column(chosen, column, store)
                if found.named:
                    yield found

    def _column(self, chosen: TableRows, column: str, store: FileStore) -> ColumnFiles:
        snapshot = self._scope.snapshot
        limited = chosen.limit is not None or bool(chosen.offset)
        values = chosen.select(f"{chosen.alias}.{quote(column)} AS v", ordered=limited)
        sql = f"SELECT DISTINCT v COLLATE BINARY FROM ({values}) WHERE v NOT IN ('', x'')"
        named = inside = size = 0
        gaps: Counter[Why] = Counter()
        names: dict[Why, list[str]] = {}
        sizes = iter(lambda: _AT_ONCE, 0)
        for rows in snapshot.batches(sql, chosen.params, guard=chosen.guard, repeatable=False, sizes=sizes):
            for (one,) in rows:
                named += 1
                found = self._looked_up(store, one)
                if isinstance(found, int):
                    inside, size = inside + 1, size + found
                    continue
                gaps[found] += 1
                if len(told := names.setdefault(found, [])) < MOST_NAMES and isinstance(one, str):
                    told.append(one.encode("utf-8", "replace").decode()[:200])
            snapshot.raise_if_stopped()
        told_gaps = tuple(FileGap(why, gaps[why], tuple(names[why])) for why in sorted(gaps))
        return ColumnFiles(chosen.table.name, column, named, inside, size, told_gaps)

    def _looked_up(self, folder: FileStore, value: object) -> int | Why:
        """Return a file's size, 0 where it was named before; or why it will not be included."""
        settings, parts = self._settings, parts_of(value)
        if parts is None:
            return "outside"
        full = self._cells >= settings.files_most
        if (folder.path, parts) in self._known:
            self._cells += not full
            return "full" if full else 0
        size = folder.size(parts)
        if not isinstance(size, int):
            return size
        if size > settings.file_mb * 1e6:
            return "large"
        if full or self._bytes + size > settings.files_mb * 1e6:
            return "full"
        self._cells += 1
        self._known.add((folder.path, parts))
        self._bytes += size
        if folder.name(parts).lower().endswith(_PICTURES) and size <= min(MOST_OF_ONE, MOST_TOGETHER - self.pictures):
            self.pictures += size
        return size
