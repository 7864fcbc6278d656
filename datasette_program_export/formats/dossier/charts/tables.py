"""The same chart as tables: its points, its aspects."""

from __future__ import annotations

from .chart import Aspect, Chart, Point
from .telling import angle_text, name_of, sign_of
from .words import Words


def chart_table(chart: Chart, words: Words) -> list[tuple[str, ...]]:
    """Return the points and angles as rows of text below a row of headings. What is not stored is empty.

    The columns: point, sign, degree and minute, house, motion."""
    head = tuple(words(f"chart.{key}") for key in ("point", "sign", "degree", "house", "motion"))
    return [head, *(_row(point, words) for point in (*chart.points, *chart.angles))]


def _row(point: Point, words: Words) -> tuple[str, ...]:
    motion = "" if point.retrograde is None else words("chart.retrograde" if point.retrograde else "chart.direct")
    house = "" if point.house is None else str(point.house)
    return name_of(point.name, words), sign_of(point, words), angle_text(*point.in_sign), house, motion


def aspects_table(chart: Chart, words: Words) -> list[tuple[str, ...]]:
    """Return the stored aspects as rows of text below a row of headings. What is not stored is empty.

    The columns: point, aspect, other point, orb in degrees and minutes, whether it applies or separates."""
    head = tuple(words(f"chart.{key}") for key in ("point", "aspect", "other_point", "orb", "phase"))
    return [head, *(_aspect_row(aspect, words) for aspect in chart.aspects)]


def _aspect_row(aspect: Aspect, words: Words) -> tuple[str, ...]:
    kind = words(f"aspect.{aspect.kind}") if aspect.kind else aspect.name
    orb = "" if aspect.orb is None else angle_text(*divmod(int(aspect.orb * 60 + 1e-6), 60))
    phase = "" if aspect.applying is None else words("chart.applying" if aspect.applying else "chart.separating")
    return name_of(aspect.first, words), kind, name_of(aspect.second, words), orb, phase
