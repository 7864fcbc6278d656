"""Progress on a terminal: click's bar on standard error, nowhere else, and not when it is not wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ...importing.progress import ImportProgress, Stage
from .terminal import printable

if TYPE_CHECKING:
    from ...exporting.exporter import Export
    from ...verifying.converter import Conversion

_LONGEST = 40  # of a table's name that is shown


def is_shown(quiet: bool) -> bool:
    """Return whether somebody sees the progress and has not asked for silence."""
    return not quiet and sys.stderr.isatty()


def watched(export: Export | Conversion, chunks: Iterator[bytes], quiet: bool) -> Iterator[bytes]:
    """Yield the chunks of an export and show how many rows are written, and which table it is."""
    if not is_shown(quiet):
        yield from chunks
        return
    made = export.progress
    with _bar(chunks, lambda: f"{made.rows:,} rows, now {printable(made.table or '')[:_LONGEST]}") as bar:
        yield from bar


@contextmanager
def ticking(what: str, quiet: bool) -> Iterator[Callable[[], None] | None]:
    """Yield a function to call often while something goes on: it moves a bar. None where nobody looks."""
    if not is_shown(quiet):
        yield None
        return
    with _bar(_nothing(), lambda: what, moving=True) as bar:
        yield lambda: bar.update(1)


@contextmanager
def import_shown(quiet: bool) -> Iterator[ImportProgress | None]:
    """Yield what shows the stages and rows of an import; None where nobody looks."""
    if not is_shown(quiet):
        yield None
        return
    shown = _Shown()
    with _bar(_nothing(), lambda: f"{shown.stage}, {shown.rows:,} rows") as bar:
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


def _nothing() -> Iterator[None]:
    """Yield nothing; a generator, so that click does not know its length: an empty bar would be full."""
    yield from ()


def _bar(items: Iterator[Any], told: Callable[[], str], moving: bool = False) -> Any:
    return click.progressbar(
        items,
        file=sys.stderr,
        show_eta=False,
        show_percent=False,
        item_show_func=lambda _: told(),
        bar_template="%(bar)s  %(info)s" if moving else "%(info)s",
    )
