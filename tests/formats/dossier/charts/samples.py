"""Stored charts: those of the demo in each layout, and one whose every number is known."""

from __future__ import annotations

import json
import random
from typing import Any

from datasette_program_export.demo.charts import Charts
from datasette_program_export.formats.dossier.charts import Chart, read_chart

KNOWN: dict[str, Any] = {
    "planets": {
        "sun": {"longitude": 76.5, "sign": 2, "house": 12, "retrograde": False},
        "moon": {"longitude": 210.1, "sign_name": "Scorpio", "house": 5.0},
        "mercury": {"longitude": 99.05, "house": 1, "retrograde": True},
        "true_node": {"longitude": -0.25, "speed_longitude": -0.05},
        "Part of Spirit": {"longitude": 359.9999999999, "sign_name": "Pisces"},
    },
    "houses": {"cusps": [95.4, 113.2, 134, 160.9, 197.1, 239.8, 275.4, 293.2, 314, 340.9, 17.1, 59.8], "mc": 340.9},
    "houses_metadata": {"ascendant": 95.4, "armc": 342.5},
    "aspects": [
        {"planet1": "sun", "planet2": "moon", "type": "sesqui-quadrate", "orb": -1.4},
        {"planet1": "mercury", "planet2": "ascendant", "aspect_type": "Conjunction", "orb": 3.65, "applying": False},
        {"planet1": "sun", "planet2": "eris", "type": "nonagon", "isApplying": True},
    ],
}


def chart(stored: object) -> Chart:
    """Read a chart that can be read."""
    found = read_chart(json.dumps(stored))
    assert found is not None
    return found


def demo_charts() -> dict[str, str]:
    """Return a chart of the demo for each layout, by its letter, and one that compares two people."""
    made = Charts(random.Random(1), lambda: "2000-01-01T00:00:00")
    return {
        letter: made.chart_data(number) for number, letter in ((0, "A"), (1, "B"), (4, "C"), (5, "D"), (6, "E"))
    } | {"synastry": made.synastry()}
