"""Records of CSV, whatever the size of a field.

Python's reader takes fields of up to ``csv.field_size_limit()``, which is one number for the whole
process and so nobody's to change; and it holds a field at four bytes a character, twice. So what is
large is divided here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import IO, Any, AnyStr

from ...files.limits import LARGE, Limits

_BLOCK = 1 << 17  # as large as Python's limit is by default: hardly ever is a field in it larger


def split(data: AnyStr, delimiter: AnyStr, most: int) -> Iterator[list[AnyStr]]:
    """The records of a text or of its bytes. Raises csv.Error for what is none, or has more than ``most`` fields."""
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
    """The field in quotes that begins there, and the place behind it."""
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
    """That part of it with one quote for two, without a copy beside."""
    field = io.BytesIO()
    while start < end:
        stop = min(start + LARGE, end)
        ahead = data[start:stop]
        stop += (len(ahead) - len(ahead.rstrip(b'"'))) % 2  # two quotes are not cut
        field.write(data[start:stop].replace(b'""', b'"'))
        start = stop
    return field.getvalue()


def records(file: IO[bytes], delimiter: str, fields: int, limits: Limits) -> Iterator[tuple[int, list[list[Any]]]]:
    """Records of UTF-8 in which only quoted fields have quotes, in lists, each with the number of its first line.
    The fields are texts; those of a large record, which comes alone, are the bytes of such.

    Raises csv.Error, UnicodeDecodeError; UnreadableError for a record that is larger than the limits allow."""
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
    except csv.Error:  # perhaps a field that is too large for it; what is wrong is found here, too
        return list(split(text, delimiter, fields))


def _whole(file: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """Blocks of whole records; a large one comes alone."""
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
    """Behind the last line's end that has an even number of quotes before it; 0 where there is none."""
    end, even = len(data), data.count(b'"') % 2 == 0
    while True:
        quote = data.rfind(b'"', 0, end)
        if even and (found := data.rfind(b"\n", quote + 1, end)) >= 0:
            return found + 1
        if quote < 0:
            return 0
        end, even = quote, not even


def _gather(file: IO[bytes], begun: list[bytes], limits: Limits) -> bytes:
    """Complete the large record that ``begun`` holds the beginning of, in its place; returns what follows."""
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
