"""One table as pieces of text, for ``ExportService``: not held in memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from ...database.source import Source
from ...errors import RequestError
from ...exporting.exporter import Export
from ...options.request import Request
from ...options.settings import Settings
from .options import Output
from .results import LeftOut, left_out_of
from .text import pieces


class TableText(Iterator[str]):
    """The pieces of a table's text. ``left_out`` is None until the last has come; it counts no dangling references."""

    def __init__(self, pieces: Generator[str, None, LeftOut]) -> None:
        self._pieces = pieces
        self.left_out: LeftOut | None = None

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            self.left_out = end.value or self.left_out
            raise

    def close(self) -> None:
        """Stop reading and release the database. May be called twice."""
        self._pieces.close()


def streamed(
    source: Source, settings: Settings, request: Callable[[], Request], output: Output, chunk_size: Any
) -> TableText:
    """Return the text of the one table of a request, which is made when the first piece is asked for."""

    def run() -> Generator[str, None, LeftOut]:
        if not isinstance(chunk_size, int) or chunk_size < 1:
            raise RequestError("chunk_size must be 1 or more.")
        form = pieces(output.format, chunk_size, output.delimiter)
        with Export(source, request(), settings=settings, form=form) as made:
            for piece in made:
                yield piece.decode()
                if output.progress is not None and made.progress.table is not None:
                    output.progress(made.progress.table, made.progress.rows)
            return left_out_of(made.coverage, made.labels)

    return TableText(run())
