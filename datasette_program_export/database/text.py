"""Text that is not valid UTF-8: decoded with surrogateescape to preserve its bytes, and written as those bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .library import sqlite3

_UNDECODABLE = "Could not decode to UTF-8"  # the sqlite3 module's message continues with the column and the value
Rows = list[tuple[Any, ...]]


class UndecodableError(Exception):
    """A text is not valid UTF-8. The message leaves out the value, which the sqlite3 module's own message contains."""

    def __init__(self) -> None:
        super().__init__(_UNDECODABLE)


def is_undecodable(error: Exception) -> bool:
    """Return whether an error says that a text is not valid UTF-8."""
    return str(error).startswith(_UNDECODABLE)


def decode_text(data: bytes) -> str:
    """Decode any bytes, as a ``text_factory``: bytes that are not valid UTF-8 become surrogates."""
    return data.decode("utf-8", "surrogateescape")


def undecoded(text: str) -> bytes | None:
    """Return the bytes of a text that is not valid UTF-8; None for any other text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return None


def decoded_rows(
    connection: sqlite3.Connection, run: Callable[[], Iterator[Rows]], *, repeatable: bool = True
) -> Iterator[Rows]:
    """Yield the rows that ``run`` reads from the connection, in lists.

    Text is decoded as UTF-8. At the first text that is not valid UTF-8, a ``repeatable`` statement (whose order is
    fixed) is run again from the start, skipping the rows already yielded; its text is then decoded with
    ``decode_text``. The text of any other statement is decoded with ``decode_text`` from the beginning."""
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
            # do not use the failed cursor again: on Python 3.10 it looks exhausted
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
    """Return the bytes to cast to TEXT, in the database's encoding, if binding the text itself would change it.

    Returns None for a text that can be bound."""
    raw = undecoded(text)
    if encoding == "UTF-8":
        return raw
    if raw is None:  # SQLite replaces these two characters when it converts UTF-8 to UTF-16
        return text.encode(encoding) if "\ufffe" in text or "\uffff" in text else None
    try:
        return raw.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass")
    except UnicodeError:
        return raw


def insert_odd(connection: Any, start: str, row: Sequence[Any], odd: Callable[[str], bytes | None]) -> None:
    """Insert a row, writing the texts for which ``odd`` returns bytes as those bytes.

    ``start`` is the INSERT up to and including VALUES. The bytes are a literal, because SQLite takes bound bytes
    to be UTF-8 in any database."""
    slots, values = [], []
    for value in row:
        raw = odd(value) if isinstance(value, str) else None
        if raw is None:
            slots.append("?")
            values.append(value)
        else:
            slots.append(f"CAST(X'{raw.hex()}' AS TEXT)")
    connection.execute(f"{start} ({', '.join(slots)})", values)
