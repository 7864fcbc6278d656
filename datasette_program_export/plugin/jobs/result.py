"""Which part of a job's result is sent, and with which headers; an interrupted download can be resumed."""

from __future__ import annotations

import re
from base64 import b64encode

from ..http.sending import disposition
from ..server.job_runner import Job

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
_LONGEST_RANGE = 100  # characters; the pattern is slow on very many blanks


class UnsatisfiableError(Exception):
    """The requested range begins after the end of the file."""


def part_of(size: int, range_: str | None, condition: str | None, tag: str) -> tuple[int, int] | None:
    """Return the requested part as a half-open range of bytes; None for the whole file.

    ``condition`` is If-Range: a part of another version of the file is of no use. Multiple ranges
    and unreadable ones are answered with the whole file. Raises UnsatisfiableError."""
    found = _RANGE.fullmatch(range_) if range_ and len(range_) <= _LONGEST_RANGE else None
    if found is None or (condition is not None and condition.strip() != tag):
        return None
    first, last = found.groups()
    if first and last and int(first) > int(last):
        return None
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    if start >= end:
        raise UnsatisfiableError
    return start, end


def result_headers(job: Job) -> dict[str, str]:
    """Return the headers of a result, whole or in part."""
    assert job.sha256 is not None and job.filename is not None
    return {
        "accept-ranges": "bytes",
        "etag": f'"{job.sha256}"',
        "repr-digest": f"sha-256=:{b64encode(bytes.fromhex(job.sha256)).decode()}:",
        "content-disposition": disposition(job.filename),
    }
