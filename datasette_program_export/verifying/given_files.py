"""The files that rows name, passed on from one file to the next: what is not asked for, the new file says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ..formats.dataset import NamedFile, TableStream
from ..formats.description.coverage import ColumnFiles, FileGap


class GivenFiles:
    """Counts the files that a format takes from the tables of a file."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], list[int]] = {}

    def of(self, table: TableStream) -> Callable[[], Iterator[NamedFile]] | None:
        """Return what yields a table's files, and counts them; None if it has none."""
        files = table.files
        if files is None:
            return None

        def given() -> Iterator[NamedFile]:
            for one in files():
                self._given.setdefault((table.name, one.column), []).append(one.size if one.content else 0)
                yield one

        return given

    def covered(self, said: ColumnFiles) -> ColumnFiles:
        """Return what the new file says of a column, from what the old one ``said``."""
        given = self._given.get((said.table, said.column), [])
        left = said.inside - len(given)
        if not left:
            return said
        gaps = {gap.why: gap for gap in said.gaps}
        before = gaps.get("form", FileGap("form", 0))
        gaps["form"] = replace(before, files=before.files + left)
        return replace(said, inside=len(given), bytes=sum(given), gaps=tuple(gaps[why] for why in sorted(gaps)))
