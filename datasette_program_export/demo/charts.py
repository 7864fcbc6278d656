"""The JSON of the demo's charts, in the five layouts that the app has used over time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from .words import PARTNERS

BODIES = ("sun", "moon", "mercury", "venus", "mars", "jupiter", "saturn", "uranus", "neptune", "pluto")
MORE_BODIES = (*BODIES, "chiron", "true_node", "lilith_mean")
SIGNS = [
    "Aries",
    "Taurus",
    "Gemini",
    "Cancer",
    "Leo",
    "Virgo",
    "Libra",
    "Scorpio",
    "Sagittarius",
    "Capricorn",
    "Aquarius",
    "Pisces",
]
ASPECTS = (("conjunction", 0), ("sextile", 60), ("square", 90), ("trine", 120), ("opposition", 180))


class Charts:
    """Generates charts from the demo's random source; ``moment`` returns the next time stamp."""

    def __init__(self, random: random.Random, moment: Callable[[], str]) -> None:
        self.random = random
        self.moment = moment

    def chart_data(self, number: int) -> str:
        """Return the JSON of the chart with this number, in one of the layouts that the application has written."""
        if number == 47:
            return "{}"
        layout = "ABBBCDE"[number % 7]
        cusps = [(number * 7.25 + 30 * house + self.random.random()) % 360 for house in range(12)]
        places = {b: self.random.uniform(0, 360) for b in (BODIES if layout == "A" else MORE_BODIES)}
        chart = getattr(self, f"_layout_{layout.lower()}")(places, cusps)
        # the app writes compact JSON; its migration wrote spaces after the separators
        compact = (",", ":") if number % 3 else (", ", ": ")
        return json.dumps(chart, ensure_ascii=False, separators=compact)

    def _aspects(self, places: dict[str, float], names: tuple[str, ...]) -> list[dict[str, Any]]:
        first, second, kind, applying = names
        found = []
        for a, b in zip(places, list(places)[1:]):
            aspect, angle = self.random.choice(ASPECTS)
            orb = round(self.random.uniform(0, 8), 14)
            entry: dict[str, Any] = {first: a, second: b, kind: aspect, "orb": orb}
            if applying:
                entry |= {"angle": angle, applying: orb < 4}
            found.append(entry)
        return found

    def _layout_a(self, places: dict[str, float], cusps: list[float]) -> dict[str, Any]:
        planets = {
            b: {"longitude": at, "sign": int(at // 30), "house": n % 12 + 1} for n, (b, at) in enumerate(places.items())
        }
        return {
            "planets": planets,
            "houses": {"cusps": cusps, "ascendant": cusps[0], "mc": cusps[9]},
            "aspects": self._aspects(places, ("planet1", "planet2", "type", "")),
            "patterns": [{"type": "yod", "planets": ["sun", "mars"]}],
        }

    def _layout_b(self, places: dict[str, float], cusps: list[float]) -> dict[str, Any]:
        planets = {b: self._body(at, n) for n, (b, at) in enumerate(places.items())}
        houses = [self._house(n, cusp) for n, cusp in enumerate(cusps)]
        angles = {"cusps": cusps, "ascendant": cusps[0], "mc": cusps[9], "vertex": 1e-07, "armc": 176.59051753707058}
        return {
            "planets": planets,
            "houses": houses,
            "aspects": self._aspects(places, ("planet1", "planet2", "aspect_type", "applying")),
            "patterns": [],
            "houses_metadata": angles,
            "calculation_info": {
                "birth_datetime": self.moment(),
                "house_system": "placidus",
                "zodiac_type": "tropical",
            },
        }

    def _layout_c(self, places: dict[str, float], cusps: list[float]) -> dict[str, Any]:
        chart = self._layout_b(places, cusps)
        chart["houses"] = chart.pop("houses_metadata")
        return chart

    def _layout_d(self, places: dict[str, float], cusps: list[float]) -> dict[str, Any]:
        planets = [
            {"name": b, "symbol": "☉☽☿♀♂♃♄♅♆♇⚷☊⚸"[n], "sign": SIGNS[int(at // 30)], "degree": int(at % 30),
             "minute": 59, "house": n % 12 + 1, "longitude": at, "latitude": 0, "speed": 0.98, "isRetrograde": at > 300}
            for n, (b, at) in enumerate(places.items())
        ]  # fmt: skip
        return {
            "planets": planets,
            "houses": [self._house(n, cusp) for n, cusp in enumerate(cusps)],
            "aspects": self._aspects(places, ("planet1", "planet2", "type", "isApplying")),
            "ascendant": cusps[0],
            "midheaven": cusps[9],
            "descendant": cusps[6],
            "ic": cusps[3],
        }

    def _layout_e(self, places: dict[str, float], cusps: list[float]) -> dict[str, Any]:
        planets = {
            b: {**self._body(at, n), "sign": int(at // 30), "speed_latitude": -0.0, "speed_distance": 5e-05}
            for n, (b, at) in enumerate(places.items())
        }
        return {
            "planets": planets,
            "houses": {"cusps": cusps, "ascendant": cusps[0], "mc": cusps[9]},
            "aspects": [
                {**a, "orb_abs": a["orb"]}
                for a in self._aspects(places, ("planet1", "planet2", "aspect_type", "applying"))
            ],
            "patterns": [{"pattern_type": "t_square", "planets": ["moon", "pluto", "sun"], "description": "naïve"}],
            "calculation_info": {"julian_day": 2451545.0, "house_system": "placidus", "ayanamsa": None},
            "calculation_method": "demo",
            "astro_system": "western",
        }

    def synastry(self) -> str:
        """Return a chart that compares two people; the other person is not a client of the practice."""
        places = {b: self.random.uniform(0, 360) for b in BODIES}
        wheel = {b: {"longitude": at} for b, at in places.items()}
        partner = {"name": self.random.choice(PARTNERS), "planets": wheel}
        chart = {
            "planets": wheel,
            "partner": partner,
            "aspects": self._aspects(places, ("planet1", "planet2", "type", "")),
        }
        return json.dumps(chart, ensure_ascii=False, separators=(",", ":"))

    def _body(self, longitude: float, number: int) -> dict[str, Any]:
        return {
            "longitude": longitude,
            "latitude": 0 if number == 0 else self.random.uniform(-5, 5),
            "speed_longitude": self.random.uniform(-1, 2),
            "retrograde": number % 4 == 3,
            "sign_name": SIGNS[int(longitude // 30)],
            "degree_in_sign": longitude % 30,
            "house": number % 12 + 1,
        }

    @staticmethod
    def _house(number: int, cusp: float) -> dict[str, Any]:
        return {
            "number": number + 1,
            "sign": SIGNS[int(cusp // 30)],
            "degree": int(cusp % 30),
            "minute": 30,
            "cusp": cusp,
        }
