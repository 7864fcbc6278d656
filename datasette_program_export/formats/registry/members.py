"""What a package must know about a format whose files it holds, and how to read such a file back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from ...files.reading_limits import Limits
from ..dataset import Field, Row


@dataclass(frozen=True)
class Column:
    """A column of a member. ``kind`` as in ``ColumnFacts``; ``null`` is how NULL is written, or None without NULLs."""

    name: str
    kind: str
    null: str | None


@dataclass(frozen=True)
class MemberFile:
    """One table's file in a package: its content, and what the package's description says about it.

    ``columns`` are given for formats that are ``described``, ``delimiter`` for formats that have one."""

    content: IO[bytes]
    path: str
    table: str
    fields: Sequence[Field]
    limits: Limits
    columns: Sequence[Column] = ()
    delimiter: str = ""


@dataclass(frozen=True)
class Member:
    """How a format's files are read from a package; a format without it cannot be in one.

    ``readme`` are the lines of README.txt that explain the files; ``read`` yields the rows, and raises
    UnreadableError for anything that this program would not have written. ``keeps_line_ends``: other programs
    keep CR LF when they read such a file, so that texts which differ only in it stay different. ``names_files``:
    BLOBs may be files of their own; ``read`` then gives an ``InFile`` in place of such a BLOB, and ``encode_table``
    writes it as JSON, or if the format is ``described`` gets a text in its place."""

    readme: str
    read: Callable[[MemberFile], Iterator[list[Row]]]
    keeps_line_ends: bool = False
    names_files: bool = False
