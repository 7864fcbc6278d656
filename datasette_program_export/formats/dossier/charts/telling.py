"""What a chart says, in words: names, places, and what is not drawn."""

from __future__ import annotations

from collections.abc import Iterable

from .chart import ANGLES, PLANETS, SIGNS, Chart, Point, known
from .words import Words

_NAMED = 30  # points that a sentence names


def name_of(name: str, words: Words) -> str:
    """Return what a stored name of a point is called; the name itself where it is not known."""
    kind = known(name)
    return words(f"planet.{kind}") if kind in PLANETS else words(f"angle.{kind}") if kind in ANGLES else name


def sign_of(point: Point, words: Words) -> str:
    """Return the sign that a point is in, and beside it the sign that is stored, where it is another one."""
    sign = words(f"sign.{SIGNS[point.sign]}")
    if point.stored_sign is None or not point.doubtful:
        return sign
    return f"{sign} ({words('chart.stored_sign')}: {words(f'sign.{SIGNS[point.stored_sign]}')})"


def angle_text(degrees: int, minutes: int) -> str:
    """Return degrees and minutes as text: 6°54′."""
    return f"{degrees}°{minutes:02d}′"


def told(point: Point, words: Words) -> str:
    """Return a point in one line: Sun 6°54′ Aries, house 1, retrograde."""
    parts = [f"{name_of(point.name, words)} {angle_text(*point.in_sign)} {sign_of(point, words)}"]
    if point.house is not None:
        parts.append(f"{words('chart.house')} {point.house}")
    if point.retrograde:
        parts.append(words("chart.retrograde"))
    return ", ".join(parts)


def tell_left_out(chart: Chart, words: Words) -> str:
    """Return sentences on what is stored but cannot be read, or contradicts itself; empty where all is well."""
    doubtful = [point.name for point in chart.points if point.doubtful]
    found = []
    if chart.left_out:
        found.append(f"{words('chart.left_out')}: {_list(chart.left_out, words)}.")
    if chart.unread_cusps:
        found.append(f"{words('chart.unread_cusps')}: {chart.unread_cusps}.")
    if chart.unread_aspects:
        found.append(f"{words('chart.unread_aspects')}: {chart.unread_aspects}.")
    if doubtful:
        found.append(f"{words('chart.other_sign')}: {_list(doubtful, words)}.")
    if chart.compares:
        found.append(words("chart.compares"))
    return " ".join(found)


def _list(names: Iterable[str], words: Words) -> str:
    called = [name_of(name, words) for name in names]
    return ", ".join(called[:_NAMED]) + (f", … ({len(called)})" if len(called) > _NAMED else "")
