"""Lines of a file, read one by one, in runs and in blocks: always the same lines, with the same digest."""

from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_program_export.errors import UnreadableError
from datasette_program_export.files import lines as module
from datasette_program_export.files.lines import DigestingLines
from datasette_program_export.files.reading_limits import TRUSTING

START, END = b"{", b"},"


def read_in_blocks(data: bytes) -> tuple[list[bytes], str]:
    """The lines of blocks, and where there is none the next line; and the digest of all."""
    lines, found = DigestingLines(io.BytesIO(data), TRUSTING), list[bytes]()
    while lines.peek(1):
        block, count = lines.block(START, END)
        if count:
            assert block.count(b"\n") == count
            assert all(line.startswith(START) and line.endswith(END) for line in block[:-1].split(b"\n"))
            found += block.splitlines(keepends=True)
        else:
            found.append(lines.line())
    assert lines.offset == len(data)
    assert lines.number == len(found) + 1
    return found, lines.digest.hexdigest()


@given(st.lists(st.sampled_from([b"{},\n", b'{"a": 1},\n', b"{}\n", b"],\n", b"\n", b"{" + b"x" * 300 + b"},\n"])))
def test_blocks_and_lines_are_the_file(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert read_in_blocks(data) == (parts, hashlib.sha256(data).hexdigest())


def test_a_block_has_no_more_lines_than_a_run() -> None:
    data = b"{},\n" * 20_000
    lines = DigestingLines(io.BytesIO(data), TRUSTING)
    counts = []
    while (found := lines.block(START, END))[1]:
        counts.append(found[1])
    assert sum(counts) == 20_000 and max(counts) <= module._RUN + 1


def test_a_line_larger_than_the_buffer_is_in_no_block() -> None:
    large = b"{" + b"x" * 3_000_000 + b"},\n"
    data = b"{},\n" * 3 + large + b"{},\n" * 3
    found, digest = read_in_blocks(data)
    assert b"".join(found) == data and large in found
    assert digest == hashlib.sha256(data).hexdigest()


def test_a_file_that_ends_within_a_line_is_cut() -> None:
    lines = DigestingLines(io.BytesIO(b"{},\n{}"), TRUSTING)
    assert lines.block(START, END) == (b"{},\n", 1)
    with pytest.raises(UnreadableError, match="cut"):
        lines.block(START, END)
