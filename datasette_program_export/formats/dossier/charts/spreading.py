"""Spreads labels around a circle, so that none lies on another or on a line, and each stays near its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_FIXED = 1e6  # how much more a line weighs than a label: labels give way to it


@dataclass
class _Crowd:
    """Neighbours that touch: where the first begins, how much they weigh, how wide they are, who they are.

    ``members`` are the number of a label (None for a line) and where its middle is, from the beginning of the crowd."""

    start: float
    weight: float
    wide: float
    members: list[tuple[int | None, float]]


def spread(places: Sequence[float], wide: float, lines: Sequence[float] = (), line_wide: float = 0) -> list[float]:
    """Return a place in degrees for each label, in the same order: each has ``wide`` degrees to itself.

    Labels stay on their side of ``lines``, which take ``line_wide`` degrees; where there is no room for that, they
    cross them. The order around the circle is kept, and within each crowd the squares of the ways are least. Where
    the circle is too small, labels are narrower, and lines count no more."""
    if not places:
        return []
    if len(places) * wide + len(lines) * line_wide > 360:
        lines, wide = (), min(wide, 360 / len(places))
    middles = [(place, 1, i) for i, place in enumerate(places)] + [(place, 0, -1) for place in lines]
    crowds = []
    for place, is_label, i in sorted(middles):  # a line before a label of the same place: houses begin at their cusp
        half = (wide if is_label else line_wide) / 2
        member = (i if is_label else None, half)
        crowds.append(_Crowd(place - half, 1 if is_label else _FIXED, 2 * half, [member]))
    found = [0.0] * len(places)
    for crowd in _merged(crowds):
        for label, middle in crowd.members:
            if label is not None:
                found[label] = (crowd.start + middle) % 360
    return found


def _merged(crowds: list[_Crowd]) -> list[_Crowd]:
    """Join neighbours around the circle until none touches another."""
    number = untouched = 0
    while untouched < len(crowds) and len(crowds) > 1:
        after = (number + 1) % len(crowds)
        turn = 360 if after == 0 else 0
        first, second = crowds[number], crowds[after]
        if first.start + first.wide > second.start + turn + 1e-9:
            crowds[number] = _joined(first, second, turn)
            del crowds[after]
            number = (number - (1 if after == 0 else 0)) % len(crowds)
            untouched = 0
        else:
            number, untouched = after, untouched + 1
    return crowds


def _joined(first: _Crowd, second: _Crowd, turn: int) -> _Crowd:
    """Return two neighbouring crowds as one: it begins where the ways of all in it are shortest."""
    weight = first.weight + second.weight
    start = (first.start * first.weight + (second.start + turn - first.wide) * second.weight) / weight
    members = first.members + [(label, first.wide + middle) for label, middle in second.members]
    return _Crowd(start, weight, first.wide + second.wide, members)
