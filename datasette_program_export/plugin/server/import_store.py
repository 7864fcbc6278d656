"""Uploaded files that wait to be imported, each in a folder with its state.

looking ──> previewed ──> importing ──> done         the file is removed, the report stays
                ^             ├──> refused           the report says why; nothing was changed
                │             └──> failed, cancelled, interrupted
                └── the file is still there: preview or import it again
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ACTIVE = ("looking", "importing")


@dataclass(frozen=True)
class Import:
    """One file. ``choices`` are those of ``ImportChoices``; ``report`` an ImportReport as data.

    ``rules`` is a mark of the settings about secrets that held when the report was made. Times are
    seconds since 1970."""

    id: str
    owner: str | None
    actor: str | None
    database: str
    rules: str
    instance: str
    created: float
    file: str = ""
    stored: str = ""
    bytes: int = 0
    sha256: str | None = None
    state: str = "looking"
    stage: str = "reading"
    rows: int = 0
    choices: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    error: str | None = None
    status: int = 200
    ended: float | None = None

    @property
    def active(self) -> bool:
        """Whether something is done with it now."""
        return self.state in ACTIVE


class ImportStore:
    """The folder of them all. Each method may be called on any thread, and none takes long."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, id_: str) -> Path:
        """The folder of one."""
        return self.folder / id_

    def make(self, id_: str) -> Path:
        """A new folder, for the server's user only."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        place = self.place(id_)
        place.mkdir(mode=0o700)
        return place

    def save(self, one: Import) -> Import:
        """Write what is known of one, whole or not at all. Raises FileNotFoundError where it was deleted."""
        place = self.place(one.id)
        part = place / "state.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(one), file)
        part.replace(place / "state.json")
        return one

    def get(self, id_: str) -> Import | None:
        """What is known of one."""
        try:
            return Import(**json.loads((self.place(id_) / "state.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):  # none, or one that another version of this program left
            return None

    def all(self) -> list[Import]:
        """Every one, newest first."""
        if not self.folder.is_dir():
            return []
        found = [one for path in self.folder.iterdir() if (one := self.get(path.name)) is not None]
        return sorted(found, key=lambda one: -one.created)

    def delete(self, id_: str) -> None:
        """Remove one, with its file."""
        shutil.rmtree(self.place(id_), ignore_errors=True)

    def filled(self) -> int:
        """The bytes of all files."""
        return sum(path.stat().st_size for path in self.folder.glob("*/*")) if self.folder.is_dir() else 0
