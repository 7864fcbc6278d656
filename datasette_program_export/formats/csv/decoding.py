"""Reads records of other programs' CSV: in any encoding, and with quotes inside unquoted fields."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator
from functools import partial

from ...files.reading_limits import COPIES, Limits
from .records import split

MOST_FIELDS = 100_000
_PIECE = 1 << 16  # characters: in a shorter record, no field is too large for Python's reader


def read_records(text: io.TextIOWrapper, delimiter: str, limits: Limits) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield the number of each record's first line, its fields, and the pieces of its text. Raises as ``records``."""
    pieces = iter(partial(text.readline, _PIECE), "")
    begins = 1
    while True:
        small = _Small(pieces)
        reader = csv.reader(small, delimiter=delimiter, strict=True)
        before = begins
        try:
            for row in reader:
                yield begins, row, small.held
                small.held.clear()
                begins = before + reader.line_num
        except csv.Error:
            if not small.met_large and csv.field_size_limit() >= _PIECE:  # otherwise somebody lowered the limit
                raise
        else:
            if not small.met_large:
                return
        lines = _complete(small.held, pieces, delimiter, limits, f"The record in line {begins:,}")
        small.held[:] = ["".join(small.held)]
        yield begins, next(split(small.held[0], delimiter, MOST_FIELDS)), small.held
        begins += lines


class _Small(Iterator[str]):
    """Lines for Python's reader, up to a record that is too large for it. ``held`` is the current record's text."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self.held: list[str] = []
        self.met_large = False
        self._pieces = pieces
        self._size = 0

    def __next__(self) -> str:
        piece = next(self._pieces)
        if not self.held:
            self._size = 0
        self.held.append(piece)
        self._size += len(piece)
        if self._size >= _PIECE:
            self.met_large = True
            raise StopIteration
        return piece


def _complete(held: list[str], pieces: Iterator[str], delimiter: str, limits: Limits, where: str) -> int:
    """Add the remaining pieces of one record to ``held``, and return the number of its lines."""
    ends = _Ends(delimiter)
    width, characters, encoded, lines = 1, 0, 0, 0
    gathered = _gathered(held, pieces)
    for piece in gathered:
        if not piece.isascii():
            width = max(width, 1 if (top := ord(max(piece))) < 256 else 2 if top < 65536 else 4)
        characters += len(piece)
        encoded += len(piece.encode("utf-8", "surrogatepass"))
        limits.fits(max(encoded, (characters * width + (width > 1) * COPIES * encoded) // COPIES), where)
        lines += piece.endswith(("\n", "\r"))
        if ends.within(piece):
            break
    gathered.close()
    return lines


def _gathered(held: list[str], pieces: Iterator[str]) -> Generator[str, None, None]:
    yield from tuple(held)
    few: list[str] = []
    try:
        for piece in pieces:
            few.append(piece)
            if len(few) > 1000:  # many short lines are joined: as objects, each would take ten times its size
                held.append("".join(few))
                few.clear()
            yield piece
    finally:
        held += few


class _Ends:
    """Finds the end of a record as Python's reader does: an opening quote counts only at the start of a field."""

    def __init__(self, delimiter: str) -> None:
        self._state = "start"
        self._delimiter = delimiter
        self._signs = re.compile(f'["\r\n{re.escape(delimiter)}]').finditer

    def within(self, piece: str) -> bool:
        """Return whether the record ends with this piece of a line. Raises csv.Error."""
        place = 0
        for found in self._signs(piece):
            sign, between, place = found.group(), found.start() > place, found.end()
            if self._state == "quoted":
                self._state = "closed" if sign == '"' else "quoted"
                continue
            if between:
                self._plain()
            if sign == '"':
                self._state = "plain" if self._state == "plain" else "quoted"
            elif sign == self._delimiter:
                self._state = "start"
            else:
                return True
        if place < len(piece) and self._state != "quoted":
            self._plain()
        return False

    def _plain(self) -> None:
        if self._state == "closed":
            raise csv.Error("something behind a quote")
        self._state = "plain"
