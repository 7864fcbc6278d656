"""The progress of an import, told to a function of the caller."""

from __future__ import annotations

import time
from typing import Literal

from ..importing.progress import ImportProgress, Stage
from .import_options import ImportOptions, ProgressUpdate


class Calling(ImportProgress):
    """Calls ``progress_callback`` after each ``batch_size`` rows, at each new stage, and at the end.

    It is a context manager around the import; what the function raises ends the import, and nothing is changed."""

    def __init__(self, options: ImportOptions) -> None:
        super().__init__()
        self._call = options.progress_callback if options.enable_progress_tracking else None
        self._every = options.batch_size
        self._told = 0
        self._started = time.monotonic()

    def __enter__(self) -> Calling:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if error is None:
            self._tell("complete")

    def begin(self, stage: Stage) -> None:
        """Note the stage, and tell the function."""
        super().begin(stage)
        self._tell(stage)

    def count(self, rows: int) -> None:
        """Count rows, and tell the function after every ``batch_size`` of them."""
        super().count(rows)
        if self.rows - self._told >= self._every:
            self._tell(self.stage)

    def _tell(self, stage: Stage | Literal["complete"]) -> None:
        if self._call is None:
            return
        self._told = self.rows
        seconds = time.monotonic() - self._started
        known = stage != "reading"
        self._call(
            ProgressUpdate(
                current_record=self.rows,
                total_records=self.rows if known else 0,
                percent_complete=100.0 if known else 0.0,
                records_per_second=self.rows / seconds if seconds > 0 else None,
                status=stage,
            )
        )
