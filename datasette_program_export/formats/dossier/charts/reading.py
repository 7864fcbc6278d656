"""Reads a stored chart, in each of the layouts that are known."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from .chart import ANGLES, ASPECTS, PLANETS, SIGNS, Aspect, Chart, Point, known
from .text import shortened

MOST = 1_000_000  # characters or bytes of a chart; those that were seen have 11,000
_MOST_TURNS = 360  # a longitude may be one turn too low or too high
_HOUSES = 12
_Entries = list[tuple[str, dict[str, Any]]]


def read_chart(value: object) -> Chart | None:
    """Read a chart from a stored value, text or bytes of JSON; None where its layout is unknown or it is too large.

    A point without a finite longitude is left out and named; nothing is computed in its place. Never raises."""
    stored = _stored(value)
    entries = _entries(stored) if stored is not None else None
    return _chart(stored, entries) if stored is not None and entries is not None else None


def is_chart(value: object) -> bool:
    """Return whether ``read_chart`` reads a value, without reading all of it."""
    stored = _stored(value)
    return stored is not None and _entries(stored) is not None


def _stored(value: object) -> dict[str, Any] | None:
    if not isinstance(value, (str, bytes)) or len(value) > MOST:
        return None
    try:
        stored = json.loads(value)
    except (ValueError, RecursionError):  # ValueError: no JSON, no UTF-8, a number of too many digits
        return None
    return stored if isinstance(stored, dict) else None


def _chart(stored: dict[str, Any], entries: _Entries) -> Chart:
    left_out: list[str] = []
    points: list[Point] = []
    angles: dict[str, Point] = {}
    for name, entry in entries:
        point = _point(name, entry)
        if point is None:
            left_out.append(shortened(name))
        elif point.kind in ANGLES:
            angles.setdefault(point.kind, point)
        else:
            points.append(point)
    stored_angles = list(_angles(stored))
    for kind, longitude in stored_angles:
        if longitude is not None:
            angles.setdefault(kind, Point(kind, kind, longitude))
    left_out += [kind for kind, _ in stored_angles if kind not in angles]
    aspects, unread = _aspects(stored.get("aspects"))
    return Chart(
        tuple(points),
        tuple(angles.values()),
        _cusps(stored),
        aspects,
        tuple(dict.fromkeys(left_out)),
        unread,
        isinstance(stored.get("partner"), dict),
    )


def _entries(stored: dict[str, Any]) -> _Entries | None:
    """Return the stored points by name; None where this is no chart: they are told in no known way, or there is
    neither a point nor an angle nor a cusp."""
    found = _points(stored.get("planets"))
    return found if found or (found is not None and (any(_angles(stored)) or any(_cusps(stored)))) else None


def _points(planets: object) -> _Entries | None:
    """Return the stored points by name; None unless they are objects by name, or a list of objects with a name."""
    if isinstance(planets, dict):
        pairs = list(planets.items())
    elif isinstance(planets, list):
        pairs = [(entry.get("name"), entry) for entry in planets if isinstance(entry, dict)]
        if len(pairs) < len(planets):
            return None
    else:
        return None
    if not all(isinstance(name, str) and isinstance(entry, dict) for name, entry in pairs):
        return None
    return pairs if not pairs or any("longitude" in entry for _, entry in pairs) else None


def _point(name: str, entry: dict[str, Any]) -> Point | None:
    longitude = _longitude(entry.get("longitude"))
    if longitude is None:
        return None
    kind = known(name)
    house = _number(entry.get("house"))
    return Point(
        shortened(name),
        kind if kind in PLANETS or kind in ANGLES else "",
        longitude,
        int(house) if house is not None and house in range(1, _HOUSES + 1) else None,
        _retrograde(entry),
        _sign(entry),
    )


def _retrograde(entry: dict[str, Any]) -> bool | None:
    for key in ("retrograde", "isRetrograde", "is_retrograde"):
        if (found := _yes_or_no(entry.get(key))) is not None:
            return found
    for key in ("speed_longitude", "speed"):
        if (speed := _number(entry.get(key))) is not None:
            return speed < 0
    return None


def _sign(entry: dict[str, Any]) -> int | None:
    for key in ("sign_name", "sign"):
        found = entry.get(key)
        if isinstance(found, str) and known(found) in SIGNS:
            return SIGNS.index(known(found))
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < len(SIGNS):
            return found
    return None


def _angles(stored: dict[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Yield the angles that are stored beside the houses, among them, or of the chart: kind, longitude if readable."""
    for place in (stored.get("houses_metadata"), stored.get("houses"), stored):
        if isinstance(place, dict):
            for name, at in place.items():
                if known(name) in ANGLES and at is not None:
                    yield known(name), _longitude(at.get("longitude") if isinstance(at, dict) else at)


def _cusps(stored: dict[str, Any]) -> tuple[float | None, ...]:
    """Return the twelve cusps; none unless exactly twelve are stored, as no other number says which is which."""
    houses = stored.get("houses")
    found = houses.get("cusps") if isinstance(houses, dict) else houses
    if isinstance(found, list) and len(found) == _HOUSES:
        if all(isinstance(house, dict) for house in found):
            return _numbered(found)
        return tuple(map(_longitude, found))
    beside = stored.get("houses_metadata")
    if isinstance(beside, dict) and isinstance(beside.get("cusps"), list) and len(beside["cusps"]) == _HOUSES:
        return tuple(map(_longitude, beside["cusps"]))
    return ()


def _numbered(houses: list[dict[str, Any]]) -> tuple[float | None, ...]:
    """Return the cusps in the order of their houses' numbers, or as they stand where no numbers are stored."""
    numbers = [_number(house.get("number")) for house in houses]
    if sorted(n for n in numbers if n is not None) == list(range(1, _HOUSES + 1)):
        houses = [houses[numbers.index(number)] for number in range(1, _HOUSES + 1)]
    elif any("number" in house for house in houses):
        return ()
    return tuple(_longitude(house.get("cusp", house.get("longitude"))) for house in houses)


def _aspects(stored: object) -> tuple[tuple[Aspect, ...], int]:
    """Return the aspects, and how many entries are none."""
    if not isinstance(stored, list):
        return (), 0
    found = [aspect for entry in stored if (aspect := _aspect(entry)) is not None]
    return tuple(found), len(stored) - len(found)


def _aspect(entry: object) -> Aspect | None:
    if not isinstance(entry, dict):
        return None
    first, second = entry.get("planet1"), entry.get("planet2")
    name = next((entry[key] for key in ("type", "aspect_type", "aspect") if isinstance(entry.get(key), str)), None)
    if not isinstance(first, str) or not isinstance(second, str) or name is None:
        return None
    kind = known(name)
    orb = _number(entry.get("orb"))
    return Aspect(
        shortened(first),
        shortened(second),
        shortened(name),
        kind if kind in ASPECTS else "",
        abs(orb) if orb is not None and abs(orb) <= 180 else None,
        next((told for key in ("applying", "isApplying") if (told := _yes_or_no(entry.get(key))) is not None), None),
    )


def _yes_or_no(value: object) -> bool | None:
    return bool(value) if isinstance(value, (bool, int)) and value in (0, 1) else None


def _number(value: object) -> float | None:
    """Return a finite number, None for anything else: a text is no number, and neither is true."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _longitude(value: object) -> float | None:
    number = _number(value)
    if number is None or not -_MOST_TURNS <= number < 2 * _MOST_TURNS:
        return None
    return number % 360 % 360  # the remainder of a tiny negative number is 360 itself
