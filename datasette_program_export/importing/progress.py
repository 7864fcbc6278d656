"""Progress and cancellation of an import, seen from another thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CancelledError

_STEPS = 20_000  # of SQLite's machine between two looks: some milliseconds


class ImportProgress:
    """Counts, and never stops; a subclass that overrides ``cancelled`` can stop an import.

    ``stage`` is reading, waiting, copying, or writing; ``rows`` are those of the file that were read."""

    def __init__(self) -> None:
        self.stage = "reading"
        self.rows = 0

    def cancelled(self) -> bool:
        """Whether it is to stop: asked often, so it must be quick."""
        return False

    def check(self) -> None:
        """Raise CancelledError if it is to stop."""
        if self.cancelled():
            raise CancelledError("The import was cancelled. Nothing was changed.")

    def count(self, rows: int) -> None:
        """Some more rows were read."""
        self.rows += rows
        self.check()

    @contextmanager
    def over(self, connection: Any) -> Iterator[None]:
        """Within it, what this connection does is broken off when it is to stop."""
        if type(self).cancelled is ImportProgress.cancelled:  # somebody's connection keeps a handler of their own
            yield
            return
        connection.set_progress_handler(self.cancelled, _STEPS)
        try:
            yield
        except CancelledError:
            raise
        except Exception:
            self.check()  # what was broken off is no error of its own
            raise
        finally:
            connection.set_progress_handler(None, 0)
