"""The events of a JSON text, read as a stream (ijson), with the place of its first fault."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import DecimalException
from itertools import islice
from typing import IO, Any

from ....errors import UnreadableError, UnsupportedError
from ....files.reading_limits import LARGE, TRUSTING, Limits
from .surrogates import ShortTokens, WholeCharacters

Event = tuple[str, Any]
_DEEPEST = 10_000
_MOST_KEYS = 10_000
_MOST_EVENTS = 150_000  # in one row: as objects, each takes some hundred bytes
DEPTH = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_HINTS = {
    b"N": 'a bare NaN or Infinity is none: use the argument nan="null" to read it as no value',
    b"I": 'a bare NaN or Infinity is none: use the argument nan="null" to read it as no value',
    b"]": "a comma is followed by nothing, or something is missing before",
    b"}": "a comma is followed by nothing, or something is missing before",
    b"'": "texts and keys stand in double quotes",
    b"/": "it has no comments",
    b"T": "it is written true",
    b"F": "it is written false",
}


class JsonFault(Exception):
    """A fault of the text; ``what`` says which, ``key`` is the key that an object has twice."""

    def __init__(self, what: str, key: str | None = None) -> None:
        super().__init__(what)
        self.what, self.key = what, key


class JsonText:
    """A JSON text that can be opened again from its start; ``encoding`` is that of the file, for its messages."""

    def __init__(
        self, opened: Callable[[], AbstractContextManager[IO[bytes]]], limits: Limits, encoding: str = "utf-8"
    ) -> None:
        self._opened, self._limits, self._encoding = opened, limits, encoding

    def events(self) -> Iterator[Event]:
        """Yield ijson's events, also of several values one behind the other.

        Raises JsonFault, UnreadableError, UnsupportedError without ijson."""
        with self._opened() as file:
            yield from _events(ShortTokens(file, self._limits))

    def told(self, fault: JsonFault) -> UnreadableError:
        """Return an error that says where the fault is: the text is read again, the last block byte by byte."""
        if fault.what == "encoding":
            line, column = self._bad_byte()
            place = f"line {line:,}, column {column:,}"
            return UnreadableError(
                f"The file is not {self._encoding}, as JSON is ({place}): use the argument encoding.", "unknown"
            )
        coarse = _Counted(self._opened, None)
        self._until(coarse, fault)
        fine = _Counted(self._opened, coarse.before)
        self._until(fine, fault)
        place = f"line {fine.line:,}, column {fine.column:,}"
        if fault.key is not None:
            return UnreadableError(f"The file has {fault.key} twice in one object ({place}).")
        if fault.what == "number":
            return UnreadableError(f"The file holds a number too large or too small for any program ({place}).")
        hint = _HINTS.get(fine.last)
        return UnreadableError(f"The file is not JSON ({place}){f': {hint}' if hint else ''}.")

    def _bad_byte(self) -> tuple[int, int]:
        """Return the line and the column of the first byte that is not UTF-8."""
        decoder, line, column = codecs.getincrementaldecoder("utf-8")(), 1, 0
        with self._opened() as file:
            more = True
            while more:
                block = file.read(1 << 16)
                more = bool(block)
                try:
                    text = decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    text, more = error.object[: error.start].decode("utf-8", "ignore"), False
                line += text.count("\n")
                column = len(text) - text.rfind("\n") - 1 if "\n" in text else column + len(text)
        return line, column + 1

    def _until(self, counted: _Counted, fault: JsonFault) -> None:
        keys: list[set[str]] = []
        try:
            with counted as file:
                for event, value in _events(ShortTokens(file, self._limits)):  # type: ignore[arg-type]
                    if event == "start_map":
                        keys.append(set())
                    elif event == "end_map":
                        keys.pop()
                    elif event == "map_key" and fault.key is not None:
                        if value == fault.key and value in keys[-1]:
                            return
                        keys[-1].add(value)
        except (JsonFault, UnreadableError):
            return


class _Counted:
    """Counts lines and columns of what was read; from ``fine_from`` on, each reading returns one byte."""

    def __init__(self, opened: Callable[[], AbstractContextManager[IO[bytes]]], fine_from: int | None) -> None:
        self._opened, self._fine_from = opened, fine_from
        self.line, self.column, self._read, self.before, self.last = 1, 0, 0, 0, b""

    def __enter__(self) -> _Counted:
        self._context = self._opened()
        self._file = self._context.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._context.__exit__(*exc)

    def read(self, size: int = -1) -> bytes:
        """Read as a file does."""
        if self._fine_from is not None and size != 0:
            size = 1 if self._read >= self._fine_from else min(max(size, 1), self._fine_from - self._read)
        data = self._file.read(size)
        if data:
            whole = self.last + data if self.last == b"\n" else data  # a line's end is its last column
            self.last = data[-1:]
            if self.last == b"\n":
                whole = whole[:-1]
            if b"\n" in whole:
                self.line += whole.count(b"\n")
                self.column = 0
            self.column += sum(byte & 0xC0 != 0x80 for byte in data[data.rfind(b"\n", 0, len(data) - 1) + 1 :])
            self.before = self._read
            self._read += len(data)
        return data


def _events(file: ShortTokens) -> Iterator[Event]:
    try:
        import ijson
    except ImportError:
        raise UnsupportedError(
            "To read JSON of other programs the package ijson is needed: pip install datasette-program-export[import]."
        ) from None
    try:
        yield from ijson.basic_parse(WholeCharacters(file), use_float=False, multiple_values=True)
    except ijson.IncompleteJSONError as error:
        said = str(error).lower()
        if "premature" in said or "incomplete" in said:
            raise UnreadableError("The file is cut: it ends within its JSON.", "cut") from None
        raise JsonFault("encoding" if "utf8" in said or "utf-8" in said else "syntax") from None
    except UnicodeDecodeError:
        raise JsonFault("encoding") from None
    except (DecimalException, OverflowError):  # a huge exponent
        raise JsonFault("number") from None
    except (ijson.JSONError, ValueError):
        raise JsonFault("syntax") from None


def counted(events: Iterator[Event], number: int, limits: Limits) -> Iterator[Event]:
    """Yield the events of one row. Raises UnreadableError if it is too large to be held as objects."""
    if limits is TRUSTING:
        yield from events
        return
    size = 0
    for event, value in islice(events, _MOST_EVENTS):
        if isinstance(value, str):
            size += len(value)
            if size > LARGE:
                limits.fits(size * 2, f"Row {number:,}")
        yield event, value
        del value
    raise UnreadableError(
        f"Row {number:,} has far too many parts. If you know where the file is from, give the argument trusted."
    )


def keys_of(events: Iterator[Event]) -> Iterator[Event]:
    """Yield the keys of an object; take each value before the next key. Raises JsonFault for a repeated key."""
    seen: set[str] = set()
    for event, value in events:
        if event == "end_map":
            return
        if value in seen:
            raise JsonFault("twice", value)
        if len(seen) >= _MOST_KEYS:
            raise UnreadableError("The file has far too many keys in one object.")
        seen.add(value)
        yield event, value


def skip(events: Iterator[Event]) -> None:
    """Skip the rest of an object or list that holds no rows."""
    depth = 1
    for event, _ in events:
        depth += DEPTH.get(event, 0)
        if depth == 0:
            return
        if depth > _DEEPEST:
            raise UnreadableError("The file is nested far too deeply.")


def elements(events: Iterator[Event]) -> Iterator[Event]:
    """Yield the first event of each element of a list; take the rest of it before the next one."""
    for event, value in events:
        if event == "end_array":
            return
        yield event, value


def object_of(events: Iterator[Event]) -> dict[str, Any]:
    """Return the object whose start was read. Raises JsonFault for a repeated key."""
    found: dict[str, Any] = {}
    key = ""
    for event, value in events:
        if event == "map_key":
            if value in found:
                raise JsonFault("twice", value)
            key = value
        elif event == "end_map":
            return found
        else:
            found[key] = value_from(events, event, value)
    return found


def value_from(events: Iterator[Event], event: str, value: Any) -> Any:
    """Return the value that begins with this event."""
    if event == "start_map":
        return object_of(events)
    if event == "start_array":
        return [value_from(events, e, v) for e, v in elements(events)]
    return value
