"""Draws the parts of a wheel: signs, houses, axes, points, aspects, and a key to the lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .chart import ASPECTS, SIGNS, Aspect, Chart, Point, known
from .face import (
    CORE,
    GLYPH_AT,
    HOUSES,
    LABEL_AT,
    NUMBER_AT,
    POINTER,
    RIM,
    SCALE,
    SIGNS_AT,
    Face,
    circle,
    letters,
    number,
    path,
    spiral,
    stroke,
    symbol,
    wedge,
)
from .glyphs import glyph
from .spreading import spread
from .telling import angle_text, told
from .text import escaped, initials
from .words import Words

_ELEMENTS = ("fire", "earth", "air", "water")
_APART = 8.2  # degrees that a label takes, with letters of full size
_LINE = 2.4  # degrees that a cusp takes, beside labels
# Of each aspect: the group that gives the colour, the width, the dashes
_ASPECT_LINES = {
    "conjunction": ("ink", 1.4, ""),
    "opposition": ("hard", 1.6, ""),
    "square": ("hard", 1.1, "7 3"),
    "trine": ("soft", 1, ""),
    "sextile": ("soft", 1.1, "3.5 3"),
}
_MINOR = ("minor", 0.9, "1 3")


def signs(face: Face) -> Iterator[str]:
    """Yield the ring of the signs, with a mark for each degree."""
    yield circle(RIM, 1.2) + circle(SCALE, 0.8)
    # dashes are the marks: of a circle that is 360 long, turned so that Aries begins where it lies
    turned = f'transform="rotate({number(face.left - 180)})" pathLength="360"'
    for every, length, width, strength in ((1, 3, 0.25, 0.55), (5, 5, 0.3, 0.75)):
        yield (
            f'<circle r="{SCALE - length / 2:g}" {turned} stroke-width="{length}" stroke-opacity="{strength}" '
            f'stroke-linecap="butt" stroke-dasharray="{width} {every - width:g}" stroke-dashoffset="{width / 2:g}"/>'
        )
    yield stroke("".join(face.line(30.0 * sign, SCALE, RIM) for sign in range(12)), 0.8)
    for place, sign in enumerate(SIGNS):
        drawn = symbol(sign, face.at(30 * place + 15, SIGNS_AT), 1.02, 1.5)
        area = wedge(30.0 * place, 30.0 * place + 30, face)
        yield f'<g class="wheel-{_ELEMENTS[place % 4]}" stroke="currentColor">{area}{drawn}</g>'


def houses(face: Face, chart: Chart) -> Iterator[str]:
    """Yield the cusps that are stored, with the numbers of their houses."""
    yield circle(CORE, 0.8)
    if not chart.cusps:
        return
    yield circle(HOUSES, 0.6, 0.6)
    axes = _axes(chart)
    for place, cusp in enumerate(chart.cusps):
        if cusp is None:
            continue
        if not any(abs((cusp - axis + 180) % 360 - 180) < 0.05 for axis in axes):
            yield stroke(face.line(cusp, CORE, SCALE), 0.7, 0.45)
        after = chart.cusps[(place + 1) % 12]
        # a house is at most half of the circle; beyond that the cusps are in no order
        wide = (after - cusp) % 360 if after is not None else 0
        middle = cusp + wide / 2 if 0 < wide < 180 else cusp + 4
        yield letters(str(place + 1), face.at(middle, NUMBER_AT), 10.5, strength=0.8, halo=False)


def _axes(chart: Chart) -> list[float]:
    """Return both ends of the stored Ascendant and Midheaven."""
    ends = [angle.longitude for kind in ("ascendant", "midheaven") if (angle := chart.angle(kind)) is not None]
    return ends + [(end + 180) % 360 for end in ends]


def axes(face: Face, chart: Chart, words: Words) -> Iterator[str]:
    """Yield the axes of the stored Ascendant and Midheaven, with their degrees outside of the ring."""
    for kind, other in (("ascendant", "descendant"), ("midheaven", "ic")):
        angle = chart.angle(kind)
        if angle is None:
            continue
        there, opposite = angle.longitude, angle.longitude + 180
        yield stroke(face.line(there, CORE, SCALE) + face.line(opposite, CORE, SCALE), 1.5)
        yield stroke(face.line(there, RIM, RIM + 4) + face.line(opposite, RIM, RIM + 4), 1.5)
        name = f"{words(f'angle_short.{kind}')} {angle_text(*angle.in_sign)}"
        yield letters(name, face.at(there, LABEL_AT), 12.5, turn=face.along(there), bold=True)
        yield letters(words(f"angle_short.{other}"), face.at(opposite, LABEL_AT), 12.5, turn=face.along(opposite))


def points(face: Face, chart: Chart, shown: Sequence[Point], words: Words) -> Iterator[str]:
    """Yield the points, spread where they crowd, each with a thin line to its true place."""
    scale = min(1, 360 / len(shown) / _APART) if shown else 1
    lines = {*_axes(chart), *(cusp for cusp in chart.cusps if cusp is not None)}
    places = spread([point.longitude for point in shown], _APART, sorted(lines), _LINE)
    for point, place in zip(shown, places):
        x, y = map(number, face.at(point.longitude, CORE))
        drawn = [
            stroke(path((point.longitude, SCALE), (point.longitude, POINTER), face=face), 1.6),
            stroke(spiral((point.longitude, POINTER), (place, GLYPH_AT + 12.5), face), 0.7, 0.8),
            f'<circle cx="{x}" cy="{y}" r="1.7" fill="currentColor" stroke="none"/>',
        ]
        if glyph(point.kind):
            drawn.append(symbol(point.kind, face.at(place, GLYPH_AT), 0.98 * scale, 1.6 * scale, halo=True))
        else:
            drawn.append(letters(initials(point.name), face.at(place, GLYPH_AT), 14 * scale, bold=True))
        degrees, minutes = point.in_sign
        drawn.append(letters(f"{degrees}°", face.beneath(place, 22, 25), 12.8 * scale))
        drawn.append(letters(f"{minutes:02d}′", face.beneath(place, 38, 46), 11 * scale, strength=0.85))
        if point.retrograde:
            drawn.append(symbol("retrograde", face.beneath(place, 51, 61), 0.42 * scale, 1.1 * scale, halo=True))
        yield f"<g><title>{escaped(told(point, words))}</title>{''.join(drawn)}</g>"


def aspect_line(face: Face, aspect: Aspect, ends: tuple[Point, Point]) -> str:
    """Return the line of an aspect in the middle of the wheel."""
    drawn = path(*((end.longitude, CORE) for end in ends), face=face)
    return stroke(drawn, *_look(aspect.kind))


def _look(kind: str) -> tuple[float, float, str]:
    group, width, dashes = _ASPECT_LINES.get(kind, _MINOR)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return width, 1, f' class="wheel-{group}" stroke="currentColor"{dashed}'


def key_to_lines(drawn: Sequence[Aspect], words: Words, top: float) -> Iterator[str]:
    """Yield a sample of each kind of line that is drawn, with its name, in rows of three from ``top``."""
    kinds = {aspect.kind for aspect in drawn}
    shown = [kind for kind in (*ASPECTS, "") if kind in kinds]
    for place, kind in enumerate(shown):
        x, y = -240 + place % 3 * 165, top + place // 3 * 20
        yield stroke(f"M{x} {y:g}h26", *_look(kind))
        yield (
            f'<text x="{x + 33}" y="{y:g}" dy=".35em" font-size="13" text-anchor="start" fill="currentColor" '
            f'stroke="none">{escaped(words(f"aspect.{kind}" if kind else "chart.other_aspects"))}</text>'
        )


def ends_of(aspect: Aspect, there: dict[str, Point]) -> tuple[Point, Point] | None:
    """Return the two points of an aspect; None if one of them is not in the drawing."""
    first, second = (there.get(known(name) or name) for name in (aspect.first, aspect.second))
    return (first, second) if first is not None and second is not None else None
