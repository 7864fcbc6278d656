"""Progress of an import on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...importing.progress import ImportProgress, Stage
from . import progress


@contextmanager
def import_shown(quiet: bool) -> Iterator[ImportProgress | None]:
    """Yield what shows the stages and rows of an import; None where nobody looks."""
    if not progress.is_shown(quiet):
        yield None
        return
    shown = _Shown()
    with progress.bar_of(progress.nothing(), lambda: f"{shown.stage}, {shown.rows:,} rows") as bar:
        shown.update = bar.update
        yield shown


class _Shown(ImportProgress):
    update: Callable[[int], None]

    def begin(self, stage: Stage) -> None:
        super().begin(stage)
        self.update(1)

    def count(self, rows: int) -> None:
        super().count(rows)
        self.update(1)
