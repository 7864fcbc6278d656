"""Splits SQL text into tokens as SQLite's tokenizer does (https://sqlite.org/src/file/src/tokenize.c).

One pass, each character read once. Text that SQLite might read differently is not guessed at but raises
``SQLTextError``. So an unterminated quote or comment ends the pass where it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..schema import fold

# SQLite accepts every character beyond ASCII in names. Sets are written by the ASCII characters that they do not have:
# Python compiles a set that reaches to U+10FFFF for 30 ms at every start
_NO_CHARACTER = r"\x00-\x23\x25-\x2f:-@\[-^`{-\x7f"
_CHARACTER = f"[^{_NO_CHARACTER}]"
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\n\v\f\r\ufeff]+)
    |(?P<comment>--[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*\*/)
    |(?P<quoted>(?:'[^']*')+|(?:"[^"]*")+|(?:`[^`]*`)+|\[[^]]*\])
    |(?P<word>[^0-9$\ufeff{_NO_CHARACTER}]{_CHARACTER}*)
    |(?P<number>[0-9](?:{_CHARACTER}|\.)*)
    |(?P<variable>\?[0-9]*|[@:$#](?:{_CHARACTER}|:)+(?!{_CHARACTER}|[:(]))
    |(?P<sign>/(?!\*)|-(?!-)|[(),;.*+%=<>|&~!])
    """,
    re.VERBOSE,
)


class SQLTextError(ValueError):
    """The text cannot be split into tokens: an unterminated quote or comment, or a character that SQL does not have."""


class Token(NamedTuple):
    """One token of an SQL text; ``at`` is the position of its first character.

    ``kind`` is ``word`` (a keyword or name), ``quoted``, ``comment``, ``number``, ``variable`` or ``sign``."""

    kind: str
    text: str
    at: int

    @property
    def name(self) -> str | None:
        """The name that the token stands for, folded, or None; a text in single quotes may be a name, too."""
        if self.kind == "word":
            return fold(self.text)
        if self.kind != "quoted":
            return None
        quote, inner = self.text[0], self.text[1:-1]
        return fold(inner if quote == "[" else inner.replace(quote * 2, quote))


def tokens(sql: str) -> Iterator[Token]:
    """Yield the tokens of a text, without white space. Raises SQLTextError at text that it cannot read."""
    at = 0
    while at < len(sql):
        found = _TOKEN.match(sql, at)
        if found is None:
            raise SQLTextError(at)
        kind = found.lastgroup or ""
        if kind != "space":
            yield Token(kind, found[0], at)
        at = found.end()


def names(sql: str) -> frozenset[str]:
    """Return everything in a text that could be a name, folded. Raises SQLTextError."""
    return frozenset(name for token in tokens(sql) if (name := token.name) is not None)


def names_defined(sql: str) -> frozenset[str]:
    """Return the names that a text gives to common tables (WITH) and windows, folded. Raises SQLTextError.

    Each such name precedes AS and a parenthesis, with at most a list of columns in between; nothing else in SQL
    does."""
    found = set()
    before: list[Token] = []  # the last few tokens
    opened: list[Token | None] = []  # the token before each open parenthesis
    closed: Token | None = None  # the token before the parenthesis that was closed last
    for token in tokens(sql):
        if token.kind == "comment":
            continue
        if token.text == "(":
            if _ends_in_as(before):
                named = before[-1] if before[-1].text != ")" else closed
                if named is None or named.name is None:
                    raise SQLTextError
                found.add(named.name)
            opened.append(before[-1] if before else None)
        elif token.text == ")":
            closed = opened.pop() if opened else None
        before = [*before[-3:], token]
    return frozenset(found)


def _ends_in_as(before: list[Token]) -> bool:
    """Return whether the tokens end in AS or AS [NOT] MATERIALIZED, and remove these words if so."""
    words = [fold(token.text) if token.kind == "word" else "" for token in before]
    for ending in (["as"], ["as", "materialized"], ["as", "not", "materialized"]):
        if len(words) > len(ending) and words[-len(ending) :] == ending:
            del before[-len(ending) :]
            return True
    return False
