"""What a package needs to know of a format whose files it holds, and how such a file is read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from ..files.limits import Limits
from .dataset import Field, Row


@dataclass(frozen=True)
class Column:
    """``kind`` as in ``ColumnFacts``; ``null`` is how NULL is written, None where the column has none."""

    name: str
    kind: str
    null: str | None


@dataclass(frozen=True)
class MemberFile:
    """One table's file in a package: its content, and what the package's description says of it.

    ``columns`` are told of formats that are ``described``, ``delimiter`` of those that have one."""

    content: IO[bytes]
    path: str
    table: str
    fields: Sequence[Field]
    limits: Limits
    columns: Sequence[Column] = ()
    delimiter: str = ""


@dataclass(frozen=True)
class Member:
    """That a format's files can be in a package.

    ``readme`` are the lines that tell the reader of README.txt how to read them; ``read`` gives the rows
    back, and raises UnreadableError for anything else than was written. ``keeps_line_ends``: other programs
    that read a text of it leave CR LF alone, so that texts which differ in it stay apart."""

    readme: str
    read: Callable[[MemberFile], Iterator[list[Row]]]
    keeps_line_ends: bool = False
