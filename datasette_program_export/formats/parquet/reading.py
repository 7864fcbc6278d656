"""Reads Parquet files of this program: alone, where they prove themselves, and as files of a package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import IO, Any

import msgspec

from ...errors import ExportError, UnreadableError
from ...files.local import local
from ...files.reading_limits import Limits
from ..dataset import Dataset, Field, Row, TableStream, Value
from ..description.coverage import parsed_coverage
from ..description.integrity import parsed_integrity
from ..description.schema import parsed_schema
from ..document import tables_of
from ..registry.members import Member, MemberFile
from ..values import written_value
from .description import KEY, parsed_description, places_of
from .sealing import check_seal
from .table_file import TableFile, footer_limit, values_of

_README = """Tables in columns (Apache Parquet), for pandas, DuckDB, polars and others. Where a
column holds values of another kind than its own, they stand as JSON in a column
beside it, called after it and __any: where that is not null, it is the value."""
Places = Sequence[tuple[int, int | None]]


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a file. Raises UnreadableError, and RequestError where pyarrow is missing."""
    stack = ExitStack()
    try:
        found, about = _opened(file, limits, stack)
        if "integrity" not in about:
            raise UnreadableError(
                "This Parquet file is a part of a package, which proves it: alone it cannot prove itself.", "unknown"
            )
        schema = parsed_schema(about["schema"])
        ((name, fields),) = tables_of(schema).items()
        if about["integrity"]["complete"] is not True:
            raise ValueError
        places = places_of(about["columns"], found.names)
        if len(places) != len(fields):
            raise ValueError
        told = {part: value for part, value in about["integrity"].items() if part != "complete"}
        return Dataset(
            head=about["export"],
            schema=schema,
            tables=_table(name, fields, found, places, stack),
            coverage=partial(parsed_coverage, dict(about["coverage"])),
            integrity=partial(parsed_integrity, told),
            release=stack.close,
        )
    except ExportError:  # some are also ValueErrors of Python's
        stack.close()
        raise
    except (KeyError, TypeError, AttributeError, ValueError):
        stack.close()
        raise UnreadableError("The description in the Parquet file is not as this program writes it.") from None
    except BaseException:
        stack.close()
        raise


def _opened(file: IO[bytes], limits: Limits, stack: ExitStack) -> tuple[TableFile, Any]:
    path = stack.enter_context(local(file, limits))
    check_seal(path, footer_limit(limits), limits.go_on)
    found = TableFile(path, limits)
    stack.callback(found.close)
    return found, parsed_description((found.metadata.metadata or {}).get(KEY.encode()), limits)


def _table(
    name: str, fields: tuple[Field, ...], found: TableFile, places: Places, stack: ExitStack
) -> Iterator[TableStream]:
    with stack:
        yield TableStream(name, fields, _rows(found, places, name))


def _rows(found: TableFile, places: Places, table: str) -> Iterator[list[Row]]:
    for batch in found.batches():
        yield list(zip(*(merged(batch, own, beside, table) for own, beside in places)))


def merged(batch: Any, own: int, beside: int | None, table: str) -> Sequence[Value]:
    """Return the values of a column with those beside it. Raises UnreadableError."""
    values = values_of(batch, own)
    if beside is None:
        return values
    try:
        others = values_of(batch, beside)
        return [value if other is None else written_value(other) for value, other in zip(values, others)]
    except (ValueError, KeyError, TypeError, msgspec.MsgspecError, RecursionError):
        raise UnreadableError(f"A column beside another of {table} is not as this program writes it.") from None


def _read_member(file: MemberFile) -> Iterator[list[Row]]:
    """Yield the rows of a package's file. Raises UnreadableError."""
    with ExitStack() as stack:
        found, about = _opened(file.content, file.limits, stack)
        try:
            places = places_of(about["columns"], found.names)
            if len(places) != len(file.fields):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise UnreadableError(f"The columns of {file.path} are not those of the description.") from None
        yield from _rows(found, places, file.table)


MEMBER = Member(_README, _read_member)
