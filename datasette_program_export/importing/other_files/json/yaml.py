"""Reads YAML of other programs as JSON, so that all that can be asked and told of JSON holds for it.

PyYAML parses it as a stream. What YAML 1.1 and 1.2 both take for a number, true, false or null is that; any other word
(``no``, ``010``, ``12:30``, a date) stays the text that it is.
"""

from __future__ import annotations

import codecs
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Any

import msgspec
import yaml

from ....errors import UnreadableError
from ....files.reading_limits import TRUSTING, Limits
from ....files.temporary.folder import TemporaryFolder
from ....files.temporary.room import room_in
from ...choices import ImportChoices
from ..workbook import content_of
from .source import Content

_MOST_PARTS = 150_000  # of one row, aliases written out: as objects, each takes some hundred bytes
_TAG = "tag:yaml.org,2002:"
_PARSER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_integer = re.compile(r"[-+]?(0|[1-9][0-9]*)").fullmatch
_real = re.compile(r"([-+]?)(0|[1-9][0-9]*)\.([0-9]*)([eE][-+][0-9]+)?").fullmatch
_infinity = re.compile(r"([-+]?)\.(inf|Inf|INF)").fullmatch
_WORDS = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_json = msgspec.json.Encoder().encode


def is_yaml(name: str) -> bool:
    """Return whether a file is YAML by its name: any text may be."""
    return not {".yaml", ".yml"}.isdisjoint(suffix.lower() for suffix in PurePath(name).suffixes)


@contextmanager
def as_json(opened: Content, choices: ImportChoices, limits: Limits) -> Iterator[Content]:
    """Yield a function that opens the file's content as JSON. Raises UnreadableError."""
    with room_in():
        folder = TemporaryFolder(limits.folder)
    with folder:
        copy = folder.path / "rows.json"
        with opened() as file:
            _write(file, copy, choices, limits)
        yield content_of(copy)


def _write(file: IO[bytes], copy: Path, choices: ImportChoices, limits: Limits) -> None:
    source = _Source(file, choices.encoding, limits)
    values = _Values(source, choices.nan == "null", limits)
    written = 0
    try:
        with copy.open("xb") as made:
            for piece in values.written():
                with room_in():
                    written += made.write(piece)
                limits.check(source.size, written)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1:,}, column {mark.column + 1:,})" if mark is not None else ""
        raise UnreadableError(f"The file is not YAML{place}.") from None
    except (yaml.YAMLError, UnicodeError):
        raise UnreadableError("The file is not YAML, or not UTF-8: use the argument encoding.", "unknown") from None


class _Source:
    """The file as PyYAML reads it. Raises UnreadableError for one value that is far too large."""

    def __init__(self, file: IO[bytes], encoding: str | None, limits: Limits) -> None:
        self._read = (codecs.getreader(encoding)(file) if encoding else file).read
        self._limits = limits
        self.size = self.since = 0

    def read(self, size: int = -1, /) -> Any:
        """Read as a file does."""
        self._limits.go_on()
        data = self._read(size)
        self.size += len(data)
        self.since += len(data)
        self._limits.fits(3 * self.since, "A value in the file")
        return data


class _Values:
    """Makes JSON of the events of YAML. ``anchors`` are the values that aliases mean, with their parts and size."""

    def __init__(self, source: _Source, nan_is_null: bool, limits: Limits) -> None:
        self._source, self._nan_is_null, self._limits = source, nan_is_null, limits
        self._events: Iterator[Any] = yaml.parse(source, Loader=_PARSER)
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._parts = self._size = 0

    def written(self) -> Iterator[bytes]:
        """Yield the documents as JSON, one behind the other, a row at a time."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                event = next(self._events)
                if isinstance(event, yaml.MappingStartEvent):
                    yield from self._members()
                else:
                    yield from self._member(event)
                yield b"\n"

    def _members(self) -> Iterator[bytes]:
        """Yield a mapping at the top; lists in it are not held."""
        seen = set[str]()
        yield b"{"
        for event in self._until(yaml.MappingEndEvent):
            key = self._key(event, seen)
            if len(seen) > 1:
                yield b",\n"
            yield self._encoded(key) + b":"
            yield from self._member(next(self._events))
        yield b"}"

    def _member(self, event: Any) -> Iterator[bytes]:
        if not isinstance(event, yaml.SequenceStartEvent):
            yield self._row(event)
            return
        comma = b""
        yield b"["
        for item in self._until(yaml.SequenceEndEvent):
            yield comma + self._row(item)
            comma = b",\n"
        yield b"]"

    def _row(self, event: Any) -> bytes:
        self._parts = self._size = 0
        return self._encoded(self._value(event))

    def _encoded(self, value: Any) -> bytes:
        try:
            return _json(value)
        except UnicodeEncodeError:
            raise UnreadableError("The file has half a character (a lone surrogate) in its YAML.") from None

    def _until(self, end: Any) -> Iterator[Any]:
        for event in self._events:
            self._source.since = 0
            if isinstance(event, end):
                return
            yield event

    def _count(self, parts: int, size: int) -> None:
        self._parts += parts
        self._size += size
        if self._parts > _MOST_PARTS and self._limits is not TRUSTING:
            raise UnreadableError("A row of the file has far too many parts, with what its aliases mean.")
        self._limits.fits(3 * self._size, "A row of the file")

    def _value(self, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise UnreadableError(f"{_line(event)} has an alias of a value that is not known.")
            value, parts, size = self._anchors[event.anchor]
            self._count(parts, size)
            return value
        parts, size = self._parts, self._size
        value = self._new_value(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._parts - parts, self._size - size
            if len(self._anchors) > self._limits.members:
                raise UnreadableError("The file has far too many anchors.")
        return value

    def _new_value(self, event: Any) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, len(event.value))
            return self._scalar(event)
        self._count(1, 0)
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            raise _unknown(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(item) for item in self._until(yaml.SequenceEndEvent)]
        found, seen = {}, set[str]()
        for item in self._until(yaml.MappingEndEvent):
            key = self._key(item, seen)
            self._count(1, len(key))
            found[key] = self._value(next(self._events))
        return found

    def _key(self, event: Any, seen: set[str]) -> str:
        where = _line(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise UnreadableError(f"{where} has a key that is no word, so it can be no name.")
        key: str = event.value
        if key == "<<" and event.implicit[0]:
            raise UnreadableError(f"{where} has a merge key (<<), which is not followed: write the row out.")
        if key in seen:
            raise UnreadableError(f"{where} has {key} for the second time in one mapping.")
        seen.add(key)
        return key

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.tag == f"{_TAG}binary":
            try:
                data = b64decode("".join(text.split()), validate=True)
            except ValueError:
                raise _unknown(event) from None
            return {"$base64": True, "encoded": b64encode(data).decode()}
        if event.tag not in (None, "!", *(_TAG + kind for kind in ("str", "int", "float", "bool", "null"))):
            raise _unknown(event)
        if event.tag in ("!", f"{_TAG}str") or (event.tag is None and not event.implicit[0]):
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _integer(text):
            return msgspec.Raw(text.lstrip("+").encode())
        if found := _real(text):
            sign, whole, digits, exponent = found.groups(default="")
            return msgspec.Raw(f"{sign.strip('+')}{whole}.{digits or 0}{exponent}".encode())
        if found := _infinity(text):
            return {"$real": f"{found[1].strip('+')}Infinity"}
        if text.lower() == ".nan" and self._nan_is_null:
            return None
        return text


def _line(event: Any) -> str:
    return f"Line {event.start_mark.line + 1:,}"


def _unknown(event: Any) -> UnreadableError:
    return UnreadableError(
        f"{_line(event)} has a value with a tag of its own, which says another program how to make it; nothing is made "
        "by a file's word."
    )
