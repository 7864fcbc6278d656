"""Records of CSV with fields of any size.

Python's reader accepts fields of up to ``csv.field_size_limit()``. This is one number for the whole
process, so a library must not change it; and the reader holds a field twice, at four bytes a character.
So this module splits large records itself.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import IO, Any, AnyStr

from ...files.reading_limits import LARGE, Limits

_BLOCK = 1 << 17  # Python's default limit: a field in a block is hardly ever larger


def split(data: AnyStr, delimiter: AnyStr, most: int) -> Iterator[list[AnyStr]]:
    """Yield the records of a text or of its bytes. Raises csv.Error for bad CSV or more than ``most`` fields."""
    quote: Any
    line_ends: Any
    if isinstance(data, bytes):
        quote, line_ends, sign = b'"', (b"\r\n", b"\n", b"\r"), b"[\r\n%b]"
        ends: Any = re.compile(sign % re.escape(delimiter))
    else:
        quote, line_ends = '"', ("\r\n", "\n", "\r")
        ends = re.compile(f"[\r\n{re.escape(delimiter)}]")
    place = 0
    row: list[AnyStr] = []
    while place < len(data) or row:
        if data.startswith(quote, place):
            field, place = _unquoted(data, place, quote)
        else:
            found = ends.search(data, place)
            stop = found.start() if found else len(data)
            field, place = data[place:stop], stop
        row.append(field)
        if len(row) > most:
            raise csv.Error("too many fields")
        if data.startswith(delimiter, place):
            place += 1
            continue
        if place < len(data):
            end = next((end for end in line_ends if data.startswith(end, place)), None)
            if end is None:
                raise csv.Error("something behind a quote")
            place += len(end)
        yield row
        row = []


def _unquoted(data: AnyStr, place: int, quote: AnyStr) -> tuple[AnyStr, int]:
    """Return the quoted field that begins at ``place``, and the place after it."""
    start = place = place + 1
    while True:
        end = data.find(quote, place)
        if end < 0:
            raise csv.Error("a quote is not closed")
        if not data.startswith(quote, end + 1):
            break
        place = end + 2
    if place == start:
        return data[start:end], end + 1
    if isinstance(data, bytes) and end - start > LARGE:
        return _replaced(data, start, end), end + 1
    return data[start:end].replace(quote + quote, quote), end + 1


def _replaced(data: bytes, start: int, end: int) -> bytes:
    """Return this part of ``data`` with doubled quotes replaced by single ones, without a second copy."""
    field = io.BytesIO()
    while start < end:
        stop = min(start + LARGE, end)
        ahead = data[start:stop]
        stop += (len(ahead) - len(ahead.rstrip(b'"'))) % 2  # do not split a doubled quote
        field.write(data[start:stop].replace(b'""', b'"'))
        start = stop
    return field.getvalue()


def records(file: IO[bytes], delimiter: str, fields: int, limits: Limits) -> Iterator[tuple[int, list[list[Any]]]]:
    """Yield lists of records, each with the number of its first line. The file is UTF-8, and only quoted fields
    contain quotes. Fields are str; a large record comes alone, and its fields are bytes.

    Raises csv.Error, UnicodeDecodeError, and UnreadableError for a record larger than the limits allow."""
    line = 1
    for block in _whole(file, limits):
        begins, line = line, line + block.count(b"\n")
        found = _divided(block, delimiter, fields)
        del block
        yield begins, found


def _divided(block: bytes, delimiter: str, fields: int) -> list[list[Any]]:
    if len(block) > LARGE:
        return list(split(block, delimiter.encode(), fields))
    text = block.decode()
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:  # perhaps a field is too large for Python's reader; ``split`` also raises for bad CSV
        return list(split(text, delimiter, fields))


def _whole(file: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield blocks of whole records; a large record comes alone."""
    rest = b""
    while block := file.read(_BLOCK):
        rest += block
        if end := _last_end(rest):
            whole, rest = rest[:end], rest[end:]
            yield whole
            del whole
        elif len(rest) > LARGE:
            gathered = [rest]
            rest = _gather(file, gathered, limits)
            yield gathered.pop()
    if rest:
        yield rest


def _last_end(data: bytes) -> int:
    """Return the place after the last line end with an even number of quotes before it; 0 if there is none."""
    end, even = len(data), data.count(b'"') % 2 == 0
    while True:
        quote = data.rfind(b'"', 0, end)
        if even and (found := data.rfind(b"\n", quote + 1, end)) >= 0:
            return found + 1
        if quote < 0:
            return 0
        end, even = quote, not even


def _gather(file: IO[bytes], begun: list[bytes], limits: Limits) -> bytes:
    """Complete the large record that begins in ``begun``, in place; return the bytes that follow it."""
    record, inside = io.BytesIO(), False
    block = begun.pop()
    while block:
        pieces = block.split(b'"')
        ended = next((i for i in range(inside, len(pieces), 2) if b"\n" in pieces[i]), None)
        if ended is not None:
            end = sum(map(len, pieces[:ended])) + ended + pieces[ended].index(b"\n") + 1
            record.write(block[:end])
            block = block[end:]
            break
        inside ^= not len(pieces) % 2
        record.write(block)
        limits.fits(record.tell(), "A record")
        block = file.read(_BLOCK)
    limits.fits_row(record.getvalue(), "A record")
    begun.append(record.getvalue())
    return block
