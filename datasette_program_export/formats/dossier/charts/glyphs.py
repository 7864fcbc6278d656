"""The signs and planets as lines, drawn for this program, so that they look the same with any font.

Each is a path of strokes within a square from -10 to 10; y points down, as in SVG.
"""

from __future__ import annotations


def _circle(x: float, y: float, radius: float) -> str:
    """Return a circle as part of a path."""
    half = f"a{radius:g} {radius:g} 0 1 0"
    return f"M{x - radius:g} {y:g}{half} {2 * radius:g} 0{half} {-2 * radius:g} 0"


_M = "M-9.5-6.5C-8.5-8-6.5-8-6.5-5.5V6M-6.5-5C-6-7.5-2-8.5-2-5V6M-2-5C-1.5-7.5 2.5-8.5 2.5-5"  # of Virgo and Scorpio

GLYPHS = {
    "aries": "M0 9.5V0C0-6-2-9-5-9C-9.5-9-9.5-3-6-2M0 0C0-6 2-9 5-9C9.5-9 9.5-3 6-2",
    "taurus": _circle(0, 3.8, 5.4) + "M-8-9.2C-6.5-4-3.5-1.6 0-1.6C3.5-1.6 6.5-4 8-9.2",
    "gemini": "M-7.5-9C-3.5-6.6 3.5-6.6 7.5-9M-7.5 9C-3.5 6.6 3.5 6.6 7.5 9M-3.2-7.4V7.4M3.2-7.4V7.4",
    "cancer": _circle(-5.6, -2.6, 3)
    + _circle(5.6, 2.6, 3)
    + "M-8.6-2.6C-8-9.5 4.5-8.6 8.6-4.6M8.6 2.6C8 9.5-4.5 8.6-8.6 4.6",
    "leo": _circle(-5.6, 3, 2.9)
    + "M-2.9 1.9C-3.6-1-6-2.6-6-5.2C-6-7.8-3.6-9.4-.8-9.4C2.6-9.4 5-7 5-4C5-.6 1.6 2.8 1.6 6C1.6 9.6 6.4 10 7.6 6.8",
    "virgo": _M + "V3.5C2.5 6.5 4.5 9 7.5 9.5M2.5-2.6C4-5.6 8.5-5 8.2-1.4C7.9 2.4 4 6-.8 8.8",
    "libra": "M-9 8H9M-9 3.6H-3.4"
    "C-5.2 2.2-6.2.2-6.2-1.8C-6.2-5.2-3.5-7.8 0-7.8C3.5-7.8 6.2-5.2 6.2-1.8C6.2.2 5.2 2.2 3.4 3.6H9",
    "scorpio": _M + "V5.2C2.5 9.6 7.5 9.6 8.8 5M5.9 6.4L9 4.2L10 7.8",
    "sagittarius": "M-8.2 8.6L8.2-8.6M1-8.6H8.4V-1.2M-6.6-1.4L1.2 6.2",
    "capricorn": "M-9.5-7.5C-7-8-6-6-6-3.5V4M-6-3.5C-5.5-6.5-4-8-2-8C.4-8 1.4-6.2 1.4-3.6V4.2C1.4 7.4-.4 9.6-3.6 9.4"
    + _circle(5.2, 3.6, 3.8),
    "aquarius": "M-9.4-1.6L-5.2-6L-2.2-2L2-6L5-2L9.4-6M-9.4 6L-5.2 1.6L-2.2 5.6L2 1.6L5 5.6L9.4 1.6",
    "pisces": "M-7-9.2C-2-4-2 4-7 9.2M7-9.2C2-4 2 4 7 9.2M-8.6 0H8.6",
    "sun": _circle(0, 0, 8) + _circle(0, 0, 0.8),
    "moon": "M-4.6-8.8A8.9 8.9 0 0 1-4.6 8.8A15 15 0 0 0-4.6-8.8Z",
    "mercury": _circle(0, -1.4, 4.6) + "M0 3.2V9.8M-3.8 6.6H3.8M-4.8-9.8C-4.6-7.4-2.6-6 0-6C2.6-6 4.6-7.4 4.8-9.8",
    "venus": _circle(0, -3.8, 5.4) + "M0 1.6V9.8M-4.2 5.8H4.2",
    "mars": _circle(-2.2, 2.4, 6) + "M2.1-1.8L8.4-8.2M3-8.6H8.8V-2.8",
    "jupiter": "M-7.4-5.4C-6.8-8-4.8-9.2-2.8-8.8C1.4-8 .6-2.6-2.2.6C-3.8 2.4-5.8 3.6-7.8 4.2H8M4.4-9V9.4",
    "saturn": "M-3.4-9.6V5.4M-6.8-6.4H1.2M-3.4-.8C-1.4-4 5.6-4.4 5.2.8C5 4 2.4 4.8 2.6 7.4C2.8 9.6 5.6 9.8 6.6 8",
    "uranus": _circle(0, 6.6, 2.8)
    + "M0-9V3.8M-6.4-9.4C-4.6-6.4-4.6-1.6-6.4 1.4M6.4-9.4C4.6-6.4 4.6-1.6 6.4 1.4M-5-4H5",
    "neptune": "M-7.4-8.6V-6C-7.4-.6-4.2 2 0 2C4.2 2 7.4-.6 7.4-6V-8.6M0-9.4V9.8M-4.2 6H4.2"
    "M-9.4-6.8L-7.4-9.2L-5.4-6.8M5.4-6.8L7.4-9.2L9.4-6.8M-2-7.4L0-9.8L2-7.4",
    "pluto": _circle(0, -6.4, 3.2) + "M-6.8-7C-6.8-1.6-4 1.4 0 1.4C4 1.4 6.8-1.6 6.8-7M0 1.4V9.8M-4.2 5.8H4.2",
    "chiron": _circle(0, 5.8, 3.8) + "M0-9.8V2M6-9L0-4L6 1",
    "earth": _circle(0, 0, 8) + "M0-8V8M-8 0H8",
    "part_of_fortune": _circle(0, 0, 8) + "M-5.6-5.6L5.6 5.6M5.6-5.6L-5.6 5.6",
    "ceres": "M-4.6-7.4C-2.8-9.6 5-10.4 5-4C5-.6 2.6 1.2-.4 1.4M-.4 1.4V9.8M-4.4 5.8H3.6",
    "pallas": "M0-9.8L4.8-4L0 1.8L-4.8-4ZM0 1.8V9.8M-4.2 5.8H4.2",
    "juno": "M0-9.8V9.8M-4.2 6H4.2M-6-4.4H6M-4.2-8.6L4.2-.2M4.2-8.6L-4.2-.2",
    "vesta": "M-8.6 1.4H-5.2L-2.6 8.6H2.6L5.2 1.4H8.6M0 4.6C-6.4-1 0-4-1.4-9.4C4-6.6 5.4-.2 0 4.6",
    "north_node": _circle(-5.6, 6.2, 2.6) + _circle(5.6, 6.2, 2.6) + "M-4.2 4C-10.6-3-6.6-9 0-9C6.6-9 10.6-3 4.2 4",
    "south_node": _circle(-5.6, -6.2, 2.6) + _circle(5.6, -6.2, 2.6) + "M-4.2-4C-10.6 3-6.6 9 0 9C6.6 9 10.6 3 4.2-4",
    "lilith": "M-2.6-9.8A6.2 6.2 0 0 1-2.6 2A7.6 7.6 0 0 0-2.6-9.8ZM1 2.4V9.8M-3 6H5M1 2.4L2.2 1",
    "retrograde": "M-6 8V-8H-1C5.4-8 5.4 0-1 0H-6M-1 0L7 9M7 1.5L-.5 9",
}
_DRAWN_AS = {
    "true_node": "north_node",
    "mean_node": "north_node",
    "rahu": "north_node",
    "ketu": "south_node",
    "lilith_mean": "lilith",
    "lilith_true": "lilith",
}


def glyph(kind: str) -> str:
    """Return the path of a sign, a planet or ``retrograde``; empty where there is none."""
    return GLYPHS.get(_DRAWN_AS.get(kind, kind), "")
