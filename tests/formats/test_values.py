"""Every value SQLite can hold, and the two encodings it is written in."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_program_export.formats.dataset import Field
from datasette_program_export.formats.description.digest import TableDigest, pack_rows
from datasette_program_export.formats.json.embedding import depth_is_at_most, embeddable
from datasette_program_export.formats.json.writing import RowLines
from datasette_program_export.formats.values import is_plain, json_value
from tests.support.databases.strategies import VALUES

MAX = sys.float_info.max
BAD = b"a\xff\xfe".decode("utf-8", "surrogateescape")

# The digest's form of rows, byte by byte: MessagePack as its specification writes it.
# https://github.com/msgpack/msgpack/blob/master/spec.md
GOLDEN = [
    ((), "90"),
    ((1, None, "a", b"a", 1.0), "9501c0a161c40161cb3ff0000000000000"),
    ((0, -1, 127, 128, -32, -33), "9600ff7fcc80e0d0df"),
    (
        (0, -1, 127, 128, -32, -33, 2**63 - 1, -(2**63)),
        "9800ff7fcc80e0d0dfcf7fffffffffffffffd38000000000000000",
    ),
    ((0.0, -0.0, 0.1), "93cb0000000000000000cb8000000000000000cb3fb999999999999a"),
    (
        (5e-324, MAX, math.inf, -math.inf),
        "94cb0000000000000001cb7fefffffffffffffcb7ff0000000000000cbfff0000000000000",
    ),
    (("", "\0", "é", "😀", "a" * 32), "95a0a100a2c3a9a4f09f9880d920" + "61" * 32),
    ((b"", b"\0", bytes(range(8))), "93c400c40100c4080001020304050607"),
    ((b"\xff".decode("utf-8", "surrogateescape"), BAD, "a"), "93d401ffc7030161fffea161"),
]


@pytest.mark.parametrize(("row", "packed"), GOLDEN)
def test_golden_rows_of_the_digest(row: tuple, packed: str) -> None:
    assert pack_rows([row]).hex() == packed


def test_golden_digest_of_a_table() -> None:
    rows = [row for row, _ in GOLDEN]
    digest = TableDigest(5)
    digest.add(rows[:3])
    digest.add(rows[3:])
    by_hand = hashlib.sha256(b"".join(bytes.fromhex(packed) for _, packed in GOLDEN)).hexdigest()
    assert digest.hexdigest() == by_hand == "1b9166346f7fc80df133aa6e499e6899673ec49425a29194ca38c28678f57073"
    assert TableDigest(1).hexdigest() == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("rows", [0, 1, 15, 16, 17, 65_535, 65_536])
def test_the_digest_does_not_depend_on_how_rows_came(rows: int) -> None:
    assert pack_rows([(1, "a")] * rows) == pack_rows([(1, "a")]) * rows


def test_columns_that_sqlite_computes_are_no_part_of_the_digest() -> None:
    with_computed, without = TableDigest(3, left_out=[1]), TableDigest(2)
    with_computed.add([(1, "x", 2)])
    without.add([(1, 2)])
    assert with_computed.hexdigest() == without.hexdigest()


@given(st.lists(st.tuples(VALUES, VALUES), max_size=5))
def test_plain_means_that_msgspec_says_it_as_it_is(rows: list[tuple]) -> None:
    plain = not any(isinstance(v, bytes) or (isinstance(v, float) and math.isinf(v)) for row in rows for v in row)
    assert is_plain(rows) == plain


@given(VALUES)
def test_a_value_survives_json(value: object) -> None:
    text = msgspec.json.encode(json_value(value))
    read = json.loads(text)
    if isinstance(value, bytes):
        assert read["$base64"] is True
        read = base64.b64decode(read["encoded"], validate=True)
    elif isinstance(value, float) and math.isinf(value):
        read = float(read["$real"])
    assert (type(read), repr(read)) == (type(value), repr(value))
    if isinstance(value, float) and not math.isinf(value):
        assert b"." in text or b"e" in text  # a REAL never looks like an INTEGER


def test_text_that_is_no_utf8_is_tagged() -> None:
    assert msgspec.json.encode(json_value(BAD)) == b'{"$base64":true,"encoded":"Yf/+","type":"text"}'


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", '{"a": [1, 2.50, -0, 1E5], "b" : {"$real": 1}}', '[{"$base64": 1}]', '{"a":1,"a":2}', '{"€":"\u2028"}']
    + ["[" * 64 + "]" * 64, '{"a":"' + "[" * 100 + '"}', '{"a":"\\"["}', '["\\\\", {"x": []}]', f"[{'9' * 299}]"],
)
def test_texts_that_can_be_embedded(text: str) -> None:
    assert embeddable(text) == text.encode()
    json.loads(text)


@pytest.mark.parametrize(
    "text",
    ["", "1", '"a"', "null", " {}", "{} ", "{}\n", "[1,\n2]", "[\r1]", "{broken", '{"a":1', "[1,]", "{'a':1}", "[NaN]"]
    + ["[Infinity]", "[01]", "[1e400]", f"[{'9' * 300}]", '["\\ud800"]', '["\x01"]', "[1] // x", "{}{}", '{"$a":1}']
    + [
        '{"\\u0024real": "Infinity"}',
        "[" * 65 + "]" * 65,
        '{"a":' * 65 + "1" + "}" * 65,
        "[" * 100_000,
        "{}\0",
        "\ufeff{}",
    ]
    + [b'["\xff"]'.decode("utf-8", "surrogateescape")],
)
def test_texts_that_stay_strings(text: str) -> None:
    assert embeddable(text) is None


nested = st.recursive(
    st.none() | st.integers() | st.text('[]{}"\\,: a'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[]{}"\\,: a'), inner, max_size=4),
    max_leaves=60,
)


@given(nested, st.integers(1, 6), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_depth_is_what_walking_it_says(value: object, limit: int, separators: tuple[str, str]) -> None:
    def depth(part: object) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    data = json.dumps(value, separators=separators).encode()
    assert depth_is_at_most(data, limit) == (depth(value) <= limit)


def test_a_text_that_is_not_embedded_is_counted_once() -> None:
    """Also beside a text that is not UTF-8, which makes the rows be written a second time."""
    lines = RowLines((Field("a", "TEXT"), Field("j", "TEXT", holds_json=True)))
    lines([(BAD, "no JSON"), ("b", "{}")])
    assert lines.not_embedded == {1: 1}
