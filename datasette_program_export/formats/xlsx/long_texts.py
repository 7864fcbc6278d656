"""Texts that are too long for a cell: they wait in a temporary file, and come in parts on a sheet of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from ...files.temporary.room import room_in
from .cells import text_cell

HEADER = ("number", "part", "text")
_PART = 15_000  # characters, each of at most two of Excel's
_ROWS = 20
_MEMORY = 4_000_000


class LongTexts:
    """Keeps texts, and yields the rows of their parts. A context manager; ``folder`` holds its temporary file."""

    def __init__(self, folder: str | None) -> None:
        self._file = tempfile.SpooledTemporaryFile(_MEMORY, dir=folder)  # noqa: SIM115
        self._sizes: list[int] = []

    def __enter__(self) -> LongTexts:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def __bool__(self) -> bool:
        return bool(self._sizes)

    def keep(self, text: str) -> int:
        """Keep a text and return its number, from 1. Raises SpoolFullError if there is no room."""
        with room_in():
            self._sizes.append(sum(self._file.write(text[i : i + _PART].encode()) for i in range(0, len(text), _PART)))
        return len(self._sizes)

    def rows(self) -> Iterator[list[tuple[str, ...]]]:
        """Yield the rows of all parts, after the last text was kept."""
        self._file.seek(0)
        waiting: list[tuple[str, ...]] = []
        for number, size in enumerate(self._sizes, 1):
            for part, text in enumerate(self._parts(size), 1):
                waiting.append((f"><v>{number}</v></c>", f"><v>{part}</v></c>", text_cell(text)))
                if len(waiting) >= _ROWS:
                    yield waiting
                    waiting = []
        yield waiting

    def _parts(self, left: int) -> Iterator[str]:
        rest = b""
        while left:
            data = rest + self._file.read(min(left, _PART))
            left -= len(data) - len(rest)
            text = data.decode("utf-8", "ignore" if left else "strict")  # the end of a piece may cut a character
            rest = data[len(text.encode()) :]
            yield text
