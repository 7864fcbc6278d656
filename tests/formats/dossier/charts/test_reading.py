"""A stored chart is read in every known layout; what cannot be read is named, and nothing is made up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasette_program_export.formats.dossier.charts import is_chart, read_chart
from datasette_program_export.formats.dossier.charts.reading import MOST

from .samples import KNOWN, chart, demo_charts


@pytest.mark.parametrize(("layout", "stored"), demo_charts().items())
def test_every_layout_is_read_whole(layout: str, stored: str) -> None:
    found = read_chart(stored)
    assert found is not None and found == read_chart(stored.encode())
    assert is_chart(stored) and is_chart(stored.encode())
    assert len(found.points) == (10 if layout in ("A", "synastry") else 13)
    assert len(found.aspects) == len(found.points) - 1 and all(a.kind and a.orb is not None for a in found.aspects)
    assert found.left_out == () and found.unread_aspects == found.unread_cusps == 0
    assert not any(point.doubtful for point in found.points)
    if layout == "synastry":
        assert found.compares and found.cusps == found.angles == ()
    else:
        assert len(found.cusps) == 12 and not found.compares
        assert found.angle("ascendant").longitude == found.cusps[0]
        assert found.angle("midheaven").longitude == found.cusps[9]
        assert [point.house for point in found.points][:12] == [*range(1, 13)][: len(found.points)]
    if layout not in ("A", "synastry"):
        assert {point.retrograde for point in found.points} == {True, False}


def test_values_are_as_stored() -> None:
    found = chart(KNOWN)
    sun, moon, mercury, node, spirit = found.points
    assert (sun.sign, sun.in_sign, sun.house, sun.retrograde) == (2, (16, 30), 12, False)
    assert (moon.in_sign, moon.house, moon.retrograde) == ((0, 6), 5, None)
    assert mercury.retrograde is True and mercury.stored_sign is None
    assert (node.longitude, node.in_sign, node.retrograde) == (359.75, (29, 45), True)
    assert (spirit.kind, spirit.sign, spirit.in_sign, spirit.doubtful) == ("", 11, (29, 59), False)
    assert {angle.kind for angle in found.angles} == {"ascendant", "midheaven"}  # armc is no longitude
    assert [(a.kind, a.name, a.orb, a.applying) for a in found.aspects] == [
        ("sesquiquadrate", "sesqui-quadrate", 1.4, None),
        ("conjunction", "Conjunction", 3.65, False),
        ("", "nonagon", None, True),
    ]


@pytest.mark.parametrize(
    "longitude", ["NaN", "-Infinity", "1e999", "9" * 400, '"12.5"', "true", "null", "[1]", "{}", "5000", "-361"]
)
def test_a_point_without_a_longitude_is_left_out_and_named(longitude: str) -> None:
    found = read_chart(f'{{"planets": {{"sun": {{"longitude": {longitude}}}, "moon": {{"longitude": 1}}}}}}')
    assert found is not None and [point.name for point in found.points] == ["moon"]
    assert found.left_out == ("sun",)


def test_a_speed_that_is_no_number_says_nothing_of_the_direction() -> None:
    found = read_chart('{"planets": {"sun": {"longitude": 1, "speed": NaN}, "moon": {"longitude": 1, "speed": -1}}}')
    assert found is not None and [point.retrograde for point in found.points] == [None, True]


def test_a_chart_of_which_no_point_can_be_read_names_them() -> None:
    assert chart({"planets": {"sun": {"longitude": None}, "moon": {"longitude": "x"}}}).left_out == ("sun", "moon")


def test_an_angle_that_is_stored_twice_is_read_where_it_can_be() -> None:
    found = chart({**KNOWN, "ascendant": "?", "midheaven": {"longitude": 3}, "vertex": "?"})
    assert found.left_out == ("vertex",) and found.angle("ascendant").longitude == 95.4


@pytest.mark.parametrize("houses", [[0, 1], [*range(13)], {"cusps": "x"}, [{"number": 1, "cusp": 3}] * 12, None, "x"])
def test_cusps_are_never_guessed(houses: object) -> None:
    assert chart({"planets": KNOWN["planets"], "houses": houses}).cusps == ()


def test_cusps_go_by_their_numbers_and_a_broken_one_is_counted() -> None:
    houses = [{"number": n, "cusp": 10.0 * n if n != 3 else "?"} for n in (12, *range(1, 12))]
    found = chart({"planets": KNOWN["planets"], "houses": houses})
    assert found.cusps == (10, 20, None, *(10 * n for n in range(4, 13))) and found.unread_cusps == 1


def test_aspects_that_are_none_are_counted() -> None:
    entries = ["x", None, {"planet1": "sun"}, {"planet1": 1, "planet2": 2, "type": "trine"}, KNOWN["aspects"][0]]
    found = chart({**KNOWN, "aspects": entries})
    assert len(found.aspects) == 1 and found.unread_aspects == 4


def test_a_sign_that_contradicts_the_longitude_is_doubtful() -> None:
    (point,) = chart({"planets": {"sun": {"longitude": 10, "sign": 11}}}).points
    assert point.doubtful and (point.sign, point.stored_sign) == (0, 11)


@pytest.mark.parametrize(
    "value",
    [
        *(None, 1, 1.5, [], {}, "", "{", "[]", "null", "{}", '{"planets": 1}', '{"planets": {}}', '{"planets": [1]}'),
        *('{"planets": {"sun": "in Aries"}}', '{"planets": [{"longitude": 1}]}', '{"planets": {"sun": {"at": 1}}}'),
        *('{"pla', b"\xff\xfe\xfa", b'{"planets"', "[" * 100_000, '{"planets":' * 50_000, '{"a": ' + "9" * 5000 + "}"),
        json.dumps({**KNOWN, "notes": "x" * MOST}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_chart_is_none(value: object) -> None:
    assert read_chart(value) is None and not is_chart(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=50)
@given(st.binary() | st.text() | VALUES)
def test_no_value_raises(value: object) -> None:
    read_chart(value)
    read_chart(json.dumps(value) if not isinstance(value, bytes) else value)
