"""Limit how many exports, imports or checks run in this process at once."""

from __future__ import annotations

from threading import Lock

from ...errors import BusyError


class ConcurrencyLimit:
    """A counter of running operations, each of which holds a thread and a connection.

    ``doing`` describes them in the message of BusyError.
    """

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._lock = Lock()
        self.taken = 0

    def take(self, limit: int) -> None:
        """Begin an operation. Raises BusyError if ``limit`` of them are running."""
        with self._lock:
            if self.taken >= limit:
                raise BusyError(f"Too many {self._doing} at once. Try again in a moment.")
            self.taken += 1

    def give_back(self) -> None:
        """End an operation that was begun with ``take``."""
        with self._lock:
            self.taken -= 1


SLOTS = ConcurrencyLimit("exports are running")
