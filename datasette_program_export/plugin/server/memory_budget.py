"""What all readings of files hold at once, checks and imports together: some four times the largest row.

A reading of ordinary rows takes some megabytes, and two run at once. Who meets a large row waits until the
others have ended, and is alone from then on; a second one that meets a large row meanwhile is told to come again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Lock

from ...errors import BusyError
from ...files.limits import Limits
from ...importing.reading import limits_of
from ...options.settings import Settings

MOST = 2  # readings at once
_TICK = 0.05
_SECONDS = 30.0  # that somebody who waits for an answer is kept waiting
_FULL = "Too many files are being checked or imported at once. Try again in a moment."
_LARGE = "Another file is being read that has large rows, as this one has. Try again in a moment."


class Reading:
    """One reading, from its begin to its end."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.ended = False

    def limits(self, settings: Settings, check: Callable[[], None] = lambda: None) -> Limits:
        """What this one may hold; ``check`` is called while it waits for its turn, and may raise."""
        return replace(limits_of(settings), turn=partial(self._budget.turn, self, check))

    def end(self) -> None:
        """Give back what it held; more than once does no harm."""
        self._budget.end(self)


class Budget:
    """Of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._readings: set[Reading] = set()
        self._alone: Reading | None = None

    async def begin(self) -> Reading:
        """A reading for somebody who waits for the answer. Raises BusyError."""
        give_up = time.monotonic() + _SECONDS
        while (reading := self._begun()) is None:
            if time.monotonic() > give_up:
                raise BusyError(_FULL)
            await asyncio.sleep(_TICK)
        return reading

    def wait(self, check: Callable[[], None]) -> Reading:
        """A reading on a thread of its own, which waits as long as ``check`` raises nothing."""
        while (reading := self._begun()) is None:
            check()
            time.sleep(_TICK)
        return reading

    def turn(self, reading: Reading, check: Callable[[], None]) -> None:
        """Wait until this reading is alone. Raises BusyError, and what ``check`` raises."""
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
        """This reading holds nothing any more."""
        with self._lock:
            reading.ended = True
            self._readings.discard(reading)
            if self._alone is reading:
                self._alone = None

    def _begun(self) -> Reading | None:
        with self._lock:
            if self._alone is not None or len(self._readings) >= MOST:
                return None
            reading = Reading(self)
            self._readings.add(reading)
            return reading


BUDGET = Budget()
