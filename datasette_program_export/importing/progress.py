"""Progress and cancellation of an import, seen from another thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from ..errors import CancelledError

Stage = Literal["reading", "waiting", "copying", "writing"]
_STEPS = 20_000  # instructions of SQLite's virtual machine between two checks: some milliseconds


class ImportProgress:
    """Counts rows and never stops; a subclass that overrides ``cancelled`` can stop an import.

    ``stage`` is reading, waiting, copying or writing; ``rows`` is the number of rows read from the file."""

    def __init__(self) -> None:
        self.stage: Stage = "reading"
        self.rows = 0

    def begin(self, stage: Stage) -> None:
        """Note that a stage begins."""
        self.stage = stage

    def cancelled(self) -> bool:
        """Return whether the import should stop. It is called often, so it must be quick."""
        return False

    def check(self) -> None:
        """Check that the import may go on. Raises CancelledError if it is cancelled."""
        if self.cancelled():
            raise CancelledError("The import was cancelled. Nothing was changed.")

    def count(self, rows: int) -> None:
        """Add a number of rows to ``rows``. Raises CancelledError if the import is cancelled."""
        self.rows += rows
        self.check()

    @contextmanager
    def over(self, connection: Any) -> Iterator[None]:
        """Interrupt the statements of this connection within the block if the import is cancelled."""
        if type(self).cancelled is ImportProgress.cancelled:  # a given connection keeps its own progress handler
            yield
            return
        connection.set_progress_handler(self.cancelled, _STEPS)
        try:
            yield
        except CancelledError:
            raise
        except Exception:
            self.check()  # an interrupted statement is a cancellation, not an error
            raise
        finally:
            connection.set_progress_handler(None, 0)
