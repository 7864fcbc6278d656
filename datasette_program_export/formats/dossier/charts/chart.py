"""A chart as it was stored: points, angles, cusps and aspects, and the names by which they are known."""

from __future__ import annotations

import re
from dataclasses import dataclass

SIGNS = (
    *("aries", "taurus", "gemini", "cancer", "leo", "virgo"),
    *("libra", "scorpio", "sagittarius", "capricorn", "aquarius", "pisces"),
)
PLANETS = (
    *("sun", "moon", "mercury", "venus", "mars", "jupiter", "saturn", "uranus", "neptune", "pluto"),
    *("chiron", "earth", "ceres", "pallas", "juno", "vesta", "part_of_fortune"),
    *("north_node", "true_node", "mean_node", "south_node", "rahu", "ketu"),
    *("lilith", "lilith_mean", "lilith_true"),
)
ANGLES = ("ascendant", "midheaven", "descendant", "ic", "vertex", "equatorial_ascendant", "co_ascendant_koch")
ASPECTS = (
    *("conjunction", "opposition", "square", "trine", "sextile"),
    *("semisextile", "quincunx", "semisquare", "sesquiquadrate", "quintile", "biquintile"),
)
_OTHER_SPELLINGS = {
    "mc": "midheaven",
    "asc": "ascendant",
    "dsc": "descendant",
    "imum_coeli": "ic",
    "mean_lilith": "lilith_mean",
    "true_lilith": "lilith_true",
    "black_moon": "lilith",
    "black_moon_lilith": "lilith",
    "fortune": "part_of_fortune",
    "mean_north_node": "mean_node",
    "true_north_node": "true_node",
    "semi_sextile": "semisextile",
    "semi_square": "semisquare",
    "inconjunct": "quincunx",
    "sesqui_quadrate": "sesquiquadrate",
    "sesquisquare": "sesquiquadrate",
    "bi_quintile": "biquintile",
}
_KNOWN = {*SIGNS, *PLANETS, *ANGLES, *ASPECTS}


@dataclass(frozen=True)
class Point:
    """A point of the zodiac.

    ``name`` is as stored, ``kind`` one of PLANETS or ANGLES, or empty for an unknown point. ``longitude`` is in
    degrees, at least 0 and less than 360. ``house``, ``retrograde`` and ``stored_sign`` (0 for Aries) are None where
    nothing is stored."""

    name: str
    kind: str
    longitude: float
    house: int | None = None
    retrograde: bool | None = None
    stored_sign: int | None = None

    @property
    def sign(self) -> int:
        """The sign that its longitude is in: 0 for Aries to 11."""
        return int(self.longitude // 30)

    @property
    def in_sign(self) -> tuple[int, int]:
        """Degrees and whole minutes in the sign; minutes that have begun do not count."""
        # a millionth of a minute is added: 210.1 degrees are 6 minutes, and in binary a little less
        minutes = int((self.longitude - 30 * self.sign) * 60 + 1e-6)
        return divmod(min(minutes, 30 * 60 - 1), 60)

    @property
    def doubtful(self) -> bool:
        """Whether another sign is stored than the one that the longitude is in."""
        return self.stored_sign is not None and self.stored_sign != self.sign


@dataclass(frozen=True)
class Aspect:
    """A stored aspect between two points, by their names.

    ``kind`` is one of ASPECTS, or empty; ``name`` is as stored. ``orb`` is in degrees. What is not stored is None."""

    first: str
    second: str
    name: str
    kind: str
    orb: float | None = None
    applying: bool | None = None


@dataclass(frozen=True)
class Chart:
    """What a stored chart says.

    ``cusps`` are twelve longitudes, None for one that cannot be read, or none at all. ``left_out`` names the points
    and angles that have no readable longitude; ``unread_aspects`` counts the aspects that cannot be read.
    ``compares`` says that a second chart is stored beside this one: its aspects are between the two."""

    points: tuple[Point, ...] = ()
    angles: tuple[Point, ...] = ()
    cusps: tuple[float | None, ...] = ()
    aspects: tuple[Aspect, ...] = ()
    left_out: tuple[str, ...] = ()
    unread_aspects: int = 0
    compares: bool = False

    @property
    def unread_cusps(self) -> int:
        """How many cusps are stored but cannot be read."""
        return self.cusps.count(None)

    def angle(self, kind: str) -> Point | None:
        """Return the angle of this kind, None where it is not stored."""
        return next((angle for angle in self.angles if angle.kind == kind), None)


def known(name: str) -> str:
    """Return the one spelling of a sign, a planet, an angle or an aspect; empty for any other name."""
    if len(name) > 40:
        return ""
    plain = re.sub(r"[\W_]+", "_", name.casefold()).strip("_")
    plain = _OTHER_SPELLINGS.get(plain, plain)
    return plain if plain in _KNOWN else ""
