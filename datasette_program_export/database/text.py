"""Text that is not UTF-8: read with surrogateescape, so that its bytes can be had back, and written by its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .library import sqlite3

_UNDECODABLE = "Could not decode to UTF-8"  # SQLite's library goes on with the column and the value
Rows = list[tuple[Any, ...]]


class UndecodableError(Exception):
    """A text is not UTF-8. Told without the value, which the library's own message has."""

    def __init__(self) -> None:
        super().__init__(_UNDECODABLE)


def is_undecodable(error: Exception) -> bool:
    """Whether an error says that a text is not UTF-8."""
    return str(error).startswith(_UNDECODABLE)


def decode_text(data: bytes) -> str:
    """Any bytes as a text, as a ``text_factory``: those that are not UTF-8 become surrogates."""
    return data.decode("utf-8", "surrogateescape")


def undecoded(text: str) -> bytes | None:
    """The bytes of a text that is not valid UTF-8; None for any other text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return None


def decoded_rows(
    connection: sqlite3.Connection, run: Callable[[], Iterator[Rows]], *, repeatable: bool = True
) -> Iterator[Rows]:
    """The rows that ``run`` reads from the connection, in lists.

    Text is decoded as UTF-8. At the first text that is none, a ``repeatable`` statement (its order is fixed)
    is run again from its start, past the rows already given; text is then decoded with ``decode_text``. Any other
    statement is decoded so from the beginning."""
    given = 0
    if repeatable:
        try:
            for rows in run():
                yield rows
                given += len(rows)
            return
        except Exception as error:
            if not is_undecodable(error):
                raise
            # the cursor that failed must not be touched again: on Python 3.10 it reads as finished
    connection.text_factory = decode_text
    try:
        for rows in run():
            fresh = rows[given:]
            given -= len(rows) - len(fresh)
            if fresh:
                yield fresh
    finally:
        connection.text_factory = str


def odd_text(text: str, encoding: str) -> bytes | None:
    """The bytes to be cast to TEXT, in the database's encoding, where the text itself would not arrive as it is."""
    raw = undecoded(text)
    if encoding == "UTF-8":
        return raw
    if raw is None:  # these two are replaced when SQLite makes UTF-16 of UTF-8
        return text.encode(encoding) if "\ufffe" in text or "\uffff" in text else None
    try:
        return raw.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass")
    except UnicodeError:
        return raw


def insert_odd(
    connection: sqlite3.Connection, start: str, row: Sequence[Any], odd: Callable[[str], bytes | None]
) -> None:
    """Insert a row, of whose texts some are written by their bytes: those for which ``odd`` gives any.

    ``start`` is the INSERT up to and with VALUES. The bytes are a literal, as SQLite takes bytes that are bound
    for UTF-8 in any database."""
    slots, values = [], []
    for value in row:
        raw = odd(value) if isinstance(value, str) else None
        if raw is None:
            slots.append("?")
            values.append(value)
        else:
            slots.append(f"CAST(X'{raw.hex()}' AS TEXT)")
    connection.execute(f"{start} ({', '.join(slots)})", values)
