"""Writes a demo database: an astrology practice, all of it invented.

``write_demo(path)`` writes the same rows every time: 50 clients with awkward names, their birth data, charts,
readings, patterns, transits and notes, in the eleven tables of The Program. ``clients`` sets the size, for
benchmarks up to 100,000.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any

from ..database.library import sqlite3
from .charts import ASPECTS, BODIES, SIGNS, Charts
from .tables import INDEXES_AND_VIEWS, TABLES
from .words import CITIES, FIRST_NAMES, LAST_NAMES, NOTES, READINGS, TEMPLATES

SEED = 20251116
# The four charts that explain the owner rule, and their people.
ANNA = "a0000000-0000-4000-8000-000000000001"
BOB = "a0000000-0000-4000-8000-000000000002"
NOBODY = "a0000000-0000-4000-8000-000000000003"  # a client without any other rows
ANNA_BIRTH = "b0000000-0000-4000-8000-000000000001"
BOB_BIRTH = "b0000000-0000-4000-8000-000000000002"
C1, C2, C3, C4 = (f"c0000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3, 4))

# Not the hash of anything, but shaped like one, so that a leak would be noticed.
PASSWORD_HASH = "$2b$12$" + "DemoOnlyNotAHashDemoOnly" + "x7Qp2Lr9Tz4Vb6Nc8Md1Kf3Hg5Js"


def write_demo(path: str | Path, clients: int = 50) -> Path:
    """Write the demo to a new SQLite file in WAL mode and return its path.

    Raises FileExistsError if the file exists: nothing is overwritten."""
    target = Path(path)
    if target.exists():
        raise FileExistsError(f"{target.name} exists already; choose another name or remove it first")
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + TABLES + "BEGIN;")
        rows = _Practice(random.Random(SEED)).rows(clients)
        while batch := list(islice(rows, 20_000)):
            by_table: dict[str, list[tuple[Any, ...]]] = {}
            for table, row in batch:
                by_table.setdefault(table, []).append(row)
            for table, values in by_table.items():
                connection.executemany(_insert(table, len(values[0])), values)
        connection.commit()
        connection.executescript(INDEXES_AND_VIEWS + "PRAGMA wal_checkpoint(TRUNCATE);")
    finally:
        connection.close()
    return target


def _insert(table: str, values: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * values)})"


class _Practice:
    """Generates the rows, client by client, from one random source."""

    def __init__(self, random: random.Random) -> None:
        self.random = random
        self.clock = datetime(2019, 1, 7, 9, 0, tzinfo=timezone.utc)
        self.charts = Charts(random, self._moment)
        self.bodies = [self.charts.chart_data(i) for i in range(48)]

    def rows(self, clients: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
        yield "app_config", (1, PASSWORD_HASH, "1.0.0", 1, *self._stamps())
        orbs = '{"conjunction": 10, "square": 7.5, "sextile": 4}'
        points = '["sun", "moon", "north_node"]'
        yield (
            "user_preferences",
            (1, "placidus", "lahiri", "tropical", orbs, "light", points, *self._stamps()),
        )
        for kind, key, tradition, text in TEMPLATES:
            yield "interpretations", (self._id(), kind, key, tradition, text, "demo", 0, *self._stamps())
        for number, (city, region, country, latitude, longitude, zone, _) in enumerate(CITIES):
            place = (city, region, country, latitude, longitude, zone, 100_000 + number if number else None)
            yield "location_cache", (self._id(), *place, *self._stamps())
        yield from self._people(clients)

    def _people(self, clients: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield the rows of Anna, Bob and the client without other rows, then those of everybody else."""
        if clients >= 3:
            yield from self._anna_and_bob()
            yield self._client(NOBODY, "Nadja", "Nothing-Yet", "")
        for number in range(3 if clients >= 3 else 0, clients):
            client = self._id()
            # numbers 7 and 8 are two people with the same name
            name = FIRST_NAMES[(number - 3) % 40], LAST_NAMES[(number - 3 + number // 43) % 40]
            if number in (7, 8):
                name = "Maria", "Silva"
            note = "" if number % 5 else "Prefers letters; =no calls; +351 only in the evening"
            yield self._client(client, *name, note, number)
            yield from self._life(client, " ".join(name), number)

    def _client(
        self, client: str, first: str, last: str | None, notes: str | None, number: int = 0
    ) -> tuple[str, tuple[Any, ...]]:
        phone = f"+1-555-{number % 10_000:04}" if number % 3 else None
        email = f"client{number}.{client[:4]}@example.org"
        return "clients", (client, first, last, email, phone, notes or None, *self._stamps())

    def _life(self, client: str, name: str, number: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
        births = []
        for nth in range(2 if number % 9 == 4 else 1):
            birth = self._id()
            births.append(birth)
            yield self._birth(birth, client, unknown=number % 10 == 6 or nth == 1)
        for nth in range(1 + number % 3):
            chart = self._id()
            # every fourth chart has no client of its own: its birth data decide the owner
            filed = client if nth % 4 != 1 else None
            yield from self._chart(chart, filed, births[nth % len(births)], f"{name}, chart {nth + 1}", number + nth)
        for nth in range(number % 4):
            yield self._note(client, name, nth)

    def _anna_and_bob(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        yield self._client(ANNA, "Anna", "Ascendant", "Comes on foot", 1)
        yield self._client(BOB, "Bob", "Bicoastal", None, 2)
        yield self._birth(ANNA_BIRTH, ANNA)
        yield self._birth(BOB_BIRTH, BOB)
        filed = (
            (C1, ANNA, ANNA_BIRTH, "c1: own chart, own birth data"),
            (C2, None, ANNA_BIRTH, "c2: filed under nobody"),
            (C3, ANNA, BOB_BIRTH, "c3: own chart, birth data of another"),
            (C4, BOB, ANNA_BIRTH, "c4: own chart, birth data of another"),
        )
        for kind, (chart, client, birth, name) in enumerate(filed):
            yield from self._chart(chart, client, birth, name, kind)
        for nth in range(3):
            yield self._note(ANNA, "Anna Ascendant", nth)
        yield self._note(BOB, "Bob Bicoastal", 0)

    def _birth(self, birth: str, client: str, unknown: bool = False) -> tuple[str, tuple[Any, ...]]:
        city, region, country, latitude, longitude, zone, offset = self.random.choice(CITIES)
        day = date(1940, 1, 1) + timedelta(days=self.random.randrange(25_000))
        time = None if unknown else f"{self.random.randrange(24):02}:{self.random.randrange(60):02}:00"
        spread = self.random.uniform(-0.05, 0.05)
        place = (latitude + spread, longitude - spread, zone, offset, city, region, country)
        rating = "X" if unknown else self.random.choice(("AA", "A", "B", "C", None))
        gender = self.random.choice(("female", "male", "", None))
        who = (birth, client, day.isoformat(), time, int(unknown))
        return "birth_data", (*who, *place, rating, gender, *self._stamps())

    def _chart(
        self, chart: str, client: str | None, birth: str, name: str, kind: int
    ) -> Iterator[tuple[str, tuple[Any, ...]]]:
        vedic = kind % 11 == 5
        synastry = kind % 12 == 9
        row = (
            chart,
            client,
            birth,
            name if kind % 8 != 7 else None,
            "synastry" if synastry else "natal",
            "vedic" if vedic else "western",
            "whole_sign" if vedic else "placidus",
            "lahiri" if vedic else None,
            "sidereal" if vedic else "tropical",
            '{"include_asteroids": false, "include_fixed_stars": false, "custom_orbs": null}' if kind % 2 else None,
            self.charts.synastry() if synastry else self.bodies[(kind * 7) % len(self.bodies)],
            self._moment() if kind % 2 else None,
        )
        yield "charts", (*row, *self._stamps())
        for nth in range(1 + kind % 3):
            body, sign = self.random.choice(BODIES), self.random.choice(SIGNS)
            text = READINGS[(kind + nth) % len(READINGS)].format(body=body.title(), sign=sign)
            state = ("pending", "approved", "needs_review", None)[nth % 4]
            reading = (self._id(), chart, "planet", body, text, "demo-model", "v1.0", 1 + nth, state)
            yield "chart_interpretations", (*reading, *self._stamps())
        if kind % 2 == 0:
            planets = json.dumps(self.random.sample(BODIES, 3) if kind % 6 else [])
            pattern = self.random.choice(("grand_trine", "t_square", "yod", "stellium"))
            yield "aspect_patterns", (self._id(), chart, pattern, planets, None, *self._stamps())
        for nth in range(3 + kind % 3):
            aspect = self.random.choice(ASPECTS)[0]
            pair = (self.random.choice(BODIES), self.random.choice(BODIES))
            orb = None if nth == 2 else self.random.uniform(0, 3)
            event = (self._id(), chart, self._moment(), *pair, aspect, orb, (1, 0, None)[nth % 3])
            yield "transit_events", (*event, *self._stamps())

    def _note(self, client: str, name: str, nth: int) -> tuple[str, tuple[Any, ...]]:
        text = NOTES[nth % len(NOTES)].format(n=nth + 1, name=name)
        day = self._moment()[:10]
        return "session_notes", (self._id(), client, day, text, *self._stamps())

    # --- ids and times

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def _moment(self) -> str:
        """Return a time in UTC as text, in one of the two spellings that the app's files contain side by side."""
        self.clock += timedelta(seconds=self.random.randrange(60, 1800), microseconds=self.random.choice((0, 123456)))
        if self.random.random() < 0.3:
            return self.clock.strftime("%Y-%m-%d %H:%M:%S")
        return self.clock.replace(tzinfo=None).isoformat()

    def _stamps(self) -> tuple[str, str]:
        moment = self._moment()
        return moment, moment
