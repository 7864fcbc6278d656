"""The tokens of an SQL text, as SQLite's own tokenizer tells them (https://sqlite.org/src/file/src/tokenize.c).

One pass, each character looked at once. What SQLite might read otherwise is not guessed at:
``SQLTextError``. So a quote or comment without its end is met once, and ends the pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..schema import fold

_CHARACTER = r"A-Za-z0-9_$\x80-\U0010ffff"  # of a name; SQLite takes every character beyond ASCII for one
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\n\v\f\r\ufeff]+)
    |(?P<comment>--[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*\*/)
    |(?P<quoted>(?:'[^']*')+|(?:"[^"]*")+|(?:`[^`]*`)+|\[[^]]*\])
    |(?P<word>[A-Za-z_\x80-\ufefe\uff00-\U0010ffff][{_CHARACTER}]*)
    |(?P<number>[0-9][{_CHARACTER}.]*)
    |(?P<variable>\?[0-9]*|[@:$#][{_CHARACTER}:]+(?![{_CHARACTER}:(]))
    |(?P<sign>/(?!\*)|-(?!-)|[(),;.*+%=<>|&~!])
    """,
    re.VERBOSE,
)


class SQLTextError(ValueError):
    """A text that cannot be read as tokens: a quote or comment without an end, a character outside of SQL."""


class Token(NamedTuple):
    """``kind``: ``word`` (a keyword or name), ``quoted``, ``comment``, ``number``, ``variable``, ``sign``;
    ``at``: where it begins."""

    kind: str
    text: str
    at: int

    @property
    def name(self) -> str | None:
        """What the token names, folded; None where it is no name. A text in single quotes may be one, too."""
        if self.kind == "word":
            return fold(self.text)
        if self.kind != "quoted":
            return None
        quote, inner = self.text[0], self.text[1:-1]
        return fold(inner if quote == "[" else inner.replace(quote * 2, quote))


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of a text, without white space. Raises SQLTextError where it comes to what it cannot read."""
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
    """Everything in a text that could be a name, folded. Raises SQLTextError."""
    return frozenset(name for token in tokens(sql) if (name := token.name) is not None)


def names_defined(sql: str) -> frozenset[str]:
    """The names that a text gives to common tables (WITH) and windows, folded. Raises SQLTextError.

    Each stands before AS and a parenthesis, with at most a list of columns between: nothing else in SQL does."""
    found = set()
    before: list[Token] = []  # the last tokens, as far as they matter
    opened: list[Token | None] = []  # what stood before each open parenthesis
    closed: Token | None = None  # what stood before the parenthesis that was closed last
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
    """Whether the tokens end in AS, with or without [NOT] MATERIALIZED; these words are taken off, then."""
    words = [fold(token.text) if token.kind == "word" else "" for token in before]
    for ending in (["as"], ["as", "materialized"], ["as", "not", "materialized"]):
        if len(words) > len(ending) and words[-len(ending) :] == ending:
            del before[-len(ending) :]
            return True
    return False
