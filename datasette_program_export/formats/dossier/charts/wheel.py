"""Draws a stored chart as a wheel: an SVG element without scripts, fonts or anything from outside."""

from __future__ import annotations

import hashlib

from .chart import Aspect, Chart, Point, known
from .drawing import aspect_line, axes, ends_of, houses, key_to_lines, points, signs
from .face import Face
from .telling import tell_left_out, told
from .text import escaped
from .words import Words

MOST_POINTS = 60  # of a drawing; further ones are in the table only
MOST_ASPECTS = 400
_HALF = 250  # half of the drawing's width


def draw_wheel(chart: Chart, words: Words, key: str = "") -> str:
    """Return a chart as an SVG element that scales with the page.

    ``words`` gives the text of a key. ``key`` tells apart wheels of one page that show the same chart."""
    face = Face(chart)
    shown = chart.points[:MOST_POINTS]
    lines = _lines(chart, shown)
    rows = -(-len({aspect.kind for aspect, _ in lines}) // 3)
    high = 2 * _HALF + (20 * rows + 10 if rows else 0)
    parts = [
        *(aspect_line(face, aspect, ends) for aspect, ends in lines),
        *signs(face),
        *houses(face, chart),
        *axes(face, chart, words),
        *points(face, chart, shown, words),
        *key_to_lines([aspect for aspect, _ in lines], words, _HALF + 10),
    ]
    name = "wheel-" + hashlib.sha256(f"{key}\0{chart!r}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wheel" role="img" aria-labelledby="{name} {name}-told" '
        f'viewBox="{-_HALF} {-_HALF} {2 * _HALF} {high}" fill="none" stroke="currentColor" stroke-linecap="round" '
        f'stroke-linejoin="round" font-family="Helvetica, Arial, sans-serif" text-anchor="middle" paint-order="stroke">'
        f'<title id="{name}">{escaped(words("chart.wheel"))}</title>'
        f'<desc id="{name}-told">{escaped(_description(chart, words, face, len(lines)))}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _lines(chart: Chart, shown: tuple[Point, ...]) -> list[tuple[Aspect, tuple[Point, Point]]]:
    """Return the aspects to draw, each once; none of a chart whose aspects may lie between it and another."""
    if chart.compares:
        return []
    there: dict[str, Point] = {}
    for point in (*shown, *chart.angles):
        there.setdefault(known(point.name) or point.name, point)
    found: dict[tuple[frozenset[Point], str], tuple[Aspect, tuple[Point, Point]]] = {}
    for aspect in chart.aspects:
        ends = ends_of(aspect, there)
        if ends is not None and ends[0] is not ends[1]:
            found.setdefault((frozenset((ends[0], ends[1])), aspect.kind or aspect.name), (aspect, ends))
    return list(found.values())[:MOST_ASPECTS]


def _description(chart: Chart, words: Words, face: Face, drawn: int) -> str:
    """Return what the wheel shows, in sentences."""
    found = [words(face.words_for_left)]
    placed = [told(point, words) for point in (*chart.points[:MOST_POINTS], *chart.angles)]
    found.append(f"{words('chart.points')}: {'; '.join(placed)}.")
    if len(chart.points) > MOST_POINTS:
        found.append(f"{words('chart.only_in_table')}: {len(chart.points) - MOST_POINTS}.")
    if not chart.cusps:
        found.append(words("chart.no_houses"))
    if not chart.aspects:
        found.append(words("chart.no_aspects"))
    else:
        found.append(f"{words('chart.aspects')}: {drawn}.")
        if drawn < len(chart.aspects) and not chart.compares:
            found.append(f"{words('chart.aspects_only_in_table')}: {len(chart.aspects) - drawn}.")
    return " ".join([*found, tell_left_out(chart, words)]).strip()
