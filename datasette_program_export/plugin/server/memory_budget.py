"""Limit the memory of all file readings together, checks and imports, to about four times the largest row.

A reading of ordinary rows takes some megabytes, and three run at once, of which one person never
holds the last (``slots``). A reading that meets a large row waits until the others have ended, and
then runs alone; a second one that meets a large row meanwhile raises BusyError.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Lock

from ...errors import BusyError
from ...files.reading_limits import Limits
from ...importing.reading import limits_of
from ...options.settings import Settings
from .slots import Person, may_take

MOST = 3  # readings at once
_TICK = 0.05
_SECONDS = 30.0  # the longest wait before BusyError
_FULL = "Too many files are being checked or imported at once. Try again in a moment."
_LARGE = "Another file is being read that has large rows, as this one has. Try again in a moment."


class Reading:
    """One reading of a file, from its beginning to its end."""

    def __init__(self, budget: Budget, person: Person) -> None:
        self._budget = budget
        self.person = person
        self.ended = False

    def limits(self, settings: Settings, check: Callable[[], None] = lambda: None) -> Limits:
        """Return the limits of this reading; ``check`` is called between its pieces, and while it waits."""
        return replace(limits_of(settings), crashable=False, turn=partial(self._budget.turn, self, check), go_on=check)

    def end(self) -> None:
        """Release the reading's share of the budget; repeated calls do no harm."""
        self._budget.end(self)


class Budget:
    """The budget of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._readings: set[Reading] = set()
        self._alone: Reading | None = None

    async def begin(self, person: Person, check: Callable[[], None] = lambda: None) -> Reading:
        """Begin a reading for a request. Raises BusyError if there is no place in ``_SECONDS``; ``check`` may raise."""
        give_up = time.monotonic() + _SECONDS
        while (reading := self._begun(person)) is None:
            check()
            if time.monotonic() > give_up:
                raise BusyError(_FULL)
            await asyncio.sleep(_TICK)
        return reading

    def wait(self, person: Person, check: Callable[[], None]) -> Reading:
        """Begin a reading on its own thread; wait for a place until ``check`` raises."""
        while (reading := self._begun(person)) is None:
            check()
            time.sleep(_TICK)
        return reading

    def turn(self, reading: Reading, check: Callable[[], None]) -> None:
        """Wait until this reading is the only one. Raises BusyError, and what ``check`` raises."""
        with self._lock:
            if self._alone is not reading:
                if self._alone is not None:
                    raise BusyError(_LARGE)
                self._alone = reading
        give_up = time.monotonic() + _SECONDS
        while len(self._readings) > 1:
            check()
            if time.monotonic() > give_up:
                raise BusyError(_FULL)
            time.sleep(_TICK)

    def end(self, reading: Reading) -> None:
        """End a reading and free its place."""
        with self._lock:
            reading.ended = True
            self._readings.discard(reading)
            if self._alone is reading:
                self._alone = None

    def _begun(self, person: Person) -> Reading | None:
        with self._lock:
            held = Counter(reading.person for reading in self._readings)
            if self._alone is not None or not may_take(MOST, held, person):
                return None
            reading = Reading(self, person)
            self._readings.add(reading)
            return reading


BUDGET = Budget()
