"""Takes the values at secret paths out of JSON texts; all else in a text stays as it is, to the last blank.

A path names keys from the outermost object inwards: ``("login", "password")``. ``*`` is any key or element, and a name
goes through lists: it means that key in each of their elements. Of a key that is there twice, both values go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..database.snapshot import Row

Path = tuple[str, ...]
WITHHELD = "null"  # in place of a value that cannot be looked into; it is JSON, and no NULL

_STRING = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_TOKEN = re.compile(rf"[ \t\n\r]*(?:({_STRING})|({_NUMBER}|true|false|null)|([\[\]{{}}:,])|\Z)")


class NotJSONError(ValueError):
    """A text is not JSON as RFC 8259 has it, so nobody can say what is in it."""


@dataclass
class SecretPaths:
    """The secret paths in the columns of one table, by the column's place; counts the values that it withholds."""

    paths: dict[int, tuple[Path, ...]]
    withheld: dict[int, int] = field(default_factory=dict)

    def cut(self, rows: list[Row]) -> list[Row]:
        """Return the rows without the secret values."""
        found = []
        for row in rows:
            values = list(row)
            for place, paths in self.paths.items():
                values[place] = self._cut(place, row[place], paths)
            found.append(tuple(values))
        return found

    def _cut(self, place: int, value: Any, paths: tuple[Path, ...]) -> Any:
        if value is None or isinstance(value, (int, float)) or value == "":
            return value
        try:
            if isinstance(value, str):  # a BLOB may be JSON in SQLite's own form
                return without(value, paths)
        except NotJSONError:
            pass
        self.withheld[place] = self.withheld.get(place, 0) + 1
        return WITHHELD


def without(text: str, paths: Iterable[Path]) -> str:
    """Return a JSON text without the values at these paths, and without their keys.

    Raises NotJSONError, also for a text whose whole is one string that holds JSON itself."""
    return _Cutting(text).done(frozenset(paths))


@dataclass(frozen=True)
class _Token:
    start: int
    kind: int  # 1: a string, 2: a number or a name, 3: punctuation, 0: the end
    text: str


@dataclass
class _Open:
    """An object or list that has begun. ``paths`` go on inside it; ``cut`` says that it is cut as a whole.

    ``first`` is where its members begin, ``end`` where the last kept one ended. ``begun``: all members so far are
    cut; ``cuts_member``: the current one is."""

    is_object: bool
    paths: frozenset[Path]
    cut: bool
    first: int
    end: int | None = None
    begun: bool = False
    cuts_member: bool = False
    expected: str = "member or end"  # then "comma or end", then "member"

    def inside(self, key: str | None) -> frozenset[Path]:
        if key is None:
            return self.paths | {path[1:] for path in self.paths if path[0] == "*"}
        return frozenset(path[1:] for path in self.paths if path[0] in ("*", key))


class _Cutting:
    """One pass over a text, without recursion: JSON may be nested to any depth."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.stack: list[_Open] = []
        self.cuts: list[tuple[int, int]] = []

    def done(self, paths: frozenset[Path]) -> str:
        token = self._next()
        if _is_secret(token, paths):
            raise NotJSONError
        self._value(token, paths, False)
        while self.stack:
            self._step(self.stack[-1])
        if self._next().kind:
            raise NotJSONError
        kept, last = [], 0
        for start, end in self.cuts:
            kept.append(self.text[last:start])
            last = end
        return "".join([*kept, self.text[last:]])

    def _next(self) -> _Token:
        found = _TOKEN.match(self.text, self.place)
        if found is None:
            raise NotJSONError
        self.place = found.end()
        kind = found.lastindex
        return _Token(self.place, 0, "") if kind is None else _Token(found.start(kind), kind, found[kind])

    def _value(self, token: _Token, paths: frozenset[Path], cut: bool) -> bool:
        """Take a value, and return whether that was all of it."""
        if token.text in ("{", "["):
            self.stack.append(_Open(token.text == "{", paths, cut, self.place))
            return False
        if token.kind not in (1, 2):
            raise NotJSONError
        return True

    def _step(self, top: _Open) -> None:
        token = self._next()
        if token.text == ("}" if top.is_object else "]") and top.expected != "member":
            self._close(top, token.start)
        elif top.expected == "comma or end":
            if token.text != ",":
                raise NotJSONError
            top.expected = "member"
        else:
            self._member(top, token)

    def _member(self, top: _Open, token: _Token) -> None:
        start, key = token.start, None
        if top.is_object:
            if token.kind != 1 or self._next().text != ":":
                raise NotJSONError
            key, token = json.loads(token.text), self._next()
        paths = top.inside(key)
        top.cuts_member = _is_secret(token, paths)
        top.expected = "comma or end"
        if top.cuts_member:
            top.begun = top.begun or top.end is None
        elif top.begun and not top.cut:
            self.cuts.append((top.first, start))
            top.begun = False
        if self._value(token, paths - {()}, top.cut or top.cuts_member):
            self._ended(top)

    def _ended(self, top: _Open) -> None:
        if not top.cuts_member:
            top.end = self.place
        elif top.end is not None and not top.cut:
            if self.cuts and self.cuts[-1][0] == top.end:
                self.cuts.pop()
            self.cuts.append((top.end, self.place))

    def _close(self, top: _Open, start: int) -> None:
        if top.begun and not top.cut:
            self.cuts.append((top.first, start))
        self.stack.pop()
        if self.stack:
            self._ended(self.stack[-1])


def _is_secret(token: _Token, paths: frozenset[Path]) -> bool:
    """Return whether a value is cut: a path ends here, or would lead into a text that holds JSON itself."""
    if () in paths:
        return True
    if not paths or token.kind != 1:
        return False
    return str(json.loads(token.text)).lstrip("\ufeff \t\r\n")[:1] in ("{", "[", '"')
