"""Other people's files."""

from __future__ import annotations

from pathlib import Path

from .errors import UnreadableError
from .findings import ImportReport
from .intake import Intake
from .policies import Choices
from .sinks.limits import Limits


def read_foreign(path: Path, intake: Intake, choices: Choices, report: ImportReport, limits: Limits) -> None:
    """Stage it."""
    raise UnreadableError("Not a document of this program.", "unknown")
