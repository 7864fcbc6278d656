"""Progress on a terminal: click's bar on standard error, nowhere else, and not when it is not wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

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
    with bar_of(chunks, lambda: f"{made.rows:,} rows, now {printable(made.table or '')[:_LONGEST]}") as bar:
        yield from bar


@contextmanager
def ticking(what: str, quiet: bool) -> Iterator[Callable[[], None] | None]:
    """Yield a function to call often while something goes on: it moves a bar. None where nobody looks."""
    if not is_shown(quiet):
        yield None
        return
    with bar_of(nothing(), lambda: what, moving=True) as bar:
        yield lambda: bar.update(1)


def nothing() -> Iterator[None]:
    """Yield nothing; a generator, so that click does not know its length: an empty bar would be full."""
    yield from ()


def bar_of(items: Iterator[Any], told: Callable[[], str], moving: bool = False) -> Any:
    """Return click's bar over these items, with what ``told`` says; its end is not known."""
    return click.progressbar(
        items,
        file=sys.stderr,
        show_eta=False,
        show_percent=False,
        item_show_func=lambda _: told(),
        bar_template="%(bar)s  %(info)s" if moving else "%(info)s",
    )
