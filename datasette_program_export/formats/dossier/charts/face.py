"""The face of a wheel: where a longitude lies on the paper, and the elements that are drawn there."""

from __future__ import annotations

import math

from .chart import Chart
from .glyphs import glyph
from .text import escaped

# Distances from the middle, outermost first
RIM = 230.0
LABEL_AT = 242.5  # the axes' names
SIGNS_AT = 214.0
SCALE = 198.0  # the inner edge of the signs, with a mark for each degree
POINTER = 192.0
GLYPH_AT = 169.0
HOUSES = 102.0
NUMBER_AT = 93.5
CORE = 85.0  # the circle that aspects are drawn in


class Face:
    """Turns longitudes into places on the paper: the Ascendant to the left, the signs against the clock.

    ``left`` is the longitude on the left, in degrees."""

    def __init__(self, chart: Chart) -> None:
        self.words_for_left, self.left = _left(chart)

    def at(self, longitude: float, distance: float) -> tuple[float, float]:
        """Return x and y of a longitude, ``distance`` from the middle."""
        turn = math.radians(180 + longitude - self.left)
        return distance * math.cos(turn), -distance * math.sin(turn)

    def beneath(self, longitude: float, down: float, aside: float) -> tuple[float, float]:
        """Return a place beneath a glyph, further from it to the left and right: text is wider than high."""
        beside = abs(math.cos(math.radians(longitude - self.left)))
        return self.at(longitude, GLYPH_AT - down - (aside - down) * beside)

    def line(self, longitude: float, inner: float, outer: float) -> str:
        """Return the path of a line outward along a longitude."""
        return path((longitude, inner), (longitude, outer), face=self)

    def along(self, longitude: float) -> float:
        """Return by how many degrees text on a circle turns at a longitude, so that it is never upside down."""
        clockwise = (self.left - longitude - 90) % 360
        return clockwise - 180 if 90 < clockwise < 270 else clockwise


def _left(chart: Chart) -> tuple[str, float]:
    """Return which longitude is on the left, and the key of the sentence that says so."""
    ascendant = chart.angle("ascendant")
    if ascendant is not None:
        return "chart.ascendant_left", ascendant.longitude
    if chart.cusps and chart.cusps[0] is not None:
        return "chart.house_left", chart.cusps[0]
    return "chart.aries_left", 0.0


def path(*places: tuple[float, float], face: Face) -> str:
    """Return the path of straight lines through places, each a longitude and a distance from the middle."""
    points = (face.at(longitude, distance) for longitude, distance in places)
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def number(value: float) -> str:
    """Return a coordinate, to a tenth."""
    return f"{round(value, 1) + 0:g}"


def spiral(start: tuple[float, float], end: tuple[float, float], face: Face) -> str:
    """Return the path from one place to another that stays outside of what lies further in than both."""
    (longitude, outer), (to, inner) = start, end
    way = (to - longitude + 180) % 360 - 180
    steps = max(1, math.ceil(abs(way) / 6))
    return path(
        *((longitude + way * n / steps, outer + (inner - outer) * n / steps) for n in range(steps + 1)), face=face
    )


def circle(distance: float, width: float, strength: float = 1) -> str:
    """Return a circle around the middle."""
    return f'<circle r="{distance:g}" stroke-width="{width:g}"{_strength(strength)}/>'


def stroke(drawn: str, width: float, strength: float = 1, more: str = "") -> str:
    """Return a path; ``more`` are further attributes."""
    return f'<path d="{drawn}" stroke-width="{width:g}"{_strength(strength)}{more}/>'


def _strength(strength: float) -> str:
    return "" if strength == 1 else f' stroke-opacity="{strength:g}"'


def symbol(kind: str, at: tuple[float, float], scale: float, width: float, halo: bool = False) -> str:
    """Return a glyph; with a halo, lines behind it end before it."""
    drawn = glyph(kind)
    where = f'transform="translate({number(at[0])} {number(at[1])}) scale({scale:g})"'
    behind = f'<path class="wheel-paper" stroke="none" stroke-width="7" d="{drawn}"/>' if halo else ""
    return f'<g {where} stroke-width="{width / scale:.3g}">{behind}<path d="{drawn}"/></g>'


def wedge(start: float, end: float, face: Face) -> str:
    """Return the area of the ring between two longitudes."""
    corners = [face.at(start, RIM), face.at(end, RIM), face.at(end, SCALE), face.at(start, SCALE)]
    a, b, c, d = (f"{number(x)} {number(y)}" for x, y in corners)
    drawn = f"M{a}A{RIM:g} {RIM:g} 0 0 0 {b}L{c}A{SCALE:g} {SCALE:g} 0 0 1 {d}Z"
    return f'<path d="{drawn}" fill="currentColor" fill-opacity=".08" stroke="none"/>'


def letters(
    text: str,
    at: tuple[float, float],
    size: float,
    *,
    turn: float = 0,
    bold: bool = False,
    strength: float = 1,
    halo: bool = True,
) -> str:
    """Return text whose middle is at a place; with a halo, lines behind it end before it."""
    where = f'x="{number(at[0])}" y="{number(at[1])}"'
    if turn:
        where = f'transform="translate({number(at[0])} {number(at[1])}) rotate({number(turn)})"'
    more = ' font-weight="bold"' if bold else ""
    more += "" if strength == 1 else f' fill-opacity="{strength:g}"'
    more += ' class="wheel-paper" stroke-width="3"' if halo else ""
    return (
        f'<text {where} dy=".35em" font-size="{number(size)}" fill="currentColor" stroke="none"{more}>'
        f"{escaped(text)}</text>"
    )
