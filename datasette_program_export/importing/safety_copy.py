"""Copies the target before an import, and restores it.

The copy is made with SQLite's backup API, also while the database is in use: copying the file alone
would miss what is still in the -wal file.
"""

from __future__ import annotations

import glob
import shlex
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timezone
from math import prod
from pathlib import Path
from types import ModuleType

from ..database.connections.backup import back_up
from ..database.library import library_of, sqlite3
from ..database.sqlite_errors import explain, is_locked
from ..errors import BusyError, NotFoundError, RequestError, SourceError
from ..files.atomic import check_beside, folder_beside, keep_name
from ..files.temporary.folder import new_private
from ..files.temporary.room import check_free
from ..options.settings import Settings
from .choices import ImportChoices
from .progress import ImportProgress
from .report import ImportReport
from .staging.database import StagingDatabase
from .target import Target

_WAIT = 5.0
_PAGES = 10_000  # between two checks whether the copy was cancelled
_FOLDER = "safety-copies"
# ``datasette FOLDER`` and ``*.db`` must not find a copy: served, it would have none of the database's restrictions
_ENDING = ".db-copy"
_EARLIER_ENDING = ".db"
_DAY = 86400  # seconds


def default_place(database: Path, settings: Settings) -> Path:
    """Return a free file name for a copy, in ``safety_copy_dir`` or in a private folder beside the database.

    The folder is made if it is not there. Copies in it that are older than ``safety_copy_days`` are removed.
    Raises OSError."""
    folder, days = copies_folder(database, settings), settings.safety_copy_days
    folder.mkdir(mode=0o700, exist_ok=True)
    if days is not None:
        _remove_old(folder, database.stem, days)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    number = 1
    while (place := folder / f"{database.stem}.before-import-{stamp}{_suffix(number)}{_ENDING}").exists():
        number += 1
    return place


def copies_folder(database: Path, settings: Settings) -> Path:
    """Return the folder for the copies of a database; it may not exist yet."""
    chosen = settings.safety_copy_dir
    return Path(chosen) if chosen is not None else database.parent / _FOLDER


def _remove_old(folder: Path, stem: str, days: float) -> None:
    for ending in (_ENDING, _EARLIER_ENDING):
        for old in folder.glob(f"{glob.escape(stem)}.before-import-*{ending}"):
            with suppress(FileNotFoundError):  # another import removed it
                if old.stat().st_mtime < time.time() - days * _DAY:
                    old.unlink()


def _suffix(number: int) -> str:
    return f"-{number}" if number > 1 else ""


def delete_copy(copy: Path, database: Path) -> None:
    """Delete a copy that is of no use, and the folder made for it if that is empty then."""
    copy.unlink(missing_ok=True)
    remove_empty_folder(database)


def remove_empty_folder(database: Path) -> None:
    """Remove the folder that ``default_place`` made beside the database, unless it holds copies."""
    with suppress(OSError):
        (database.parent / _FOLDER).rmdir()


def _go_on() -> None:
    """Do nothing: the copy is never cancelled."""


def copy_of(connection: sqlite3.Connection, place: Path, check: Callable[[], None] = _go_on) -> Path:
    """Copy what this connection sees to a new file, completely or not at all; only its owner can read it.

    ``check`` is called between two steps; an exception from it ends the copy.
    Raises RequestError if ``place`` exists, OSError."""
    if place.exists():
        raise RequestError(f"{place.name} is there already; a safety copy replaces nothing. Choose another name.")
    check_beside(place)
    with folder_beside(place) as folder:
        part = new_private(folder / place.name)
        with closing(library_of(connection).connect(part, isolation_level=None)) as copy:
            back_up(connection, copy, check, pages=_PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a -wal file beside it
        part.replace(place)
    keep_name(place)
    return place


def copy_before(path: Path, library: ModuleType, place: Path, check: Callable[[], None] = _go_on) -> Path:
    """Copy a database file while another connection of this process holds its write lock."""
    with closing(library.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_WAIT)) as reader:
        return copy_of(reader, place, check)


def restore_command(copy: Path, database: Path) -> str:
    """Return the shell command that restores the database from its safety copy."""
    return f"datasette program-export restore {shlex.quote(str(copy))} {shlex.quote(str(database))}"


def restore(copy: Path, database: Path) -> None:
    """Overwrite a database with a safety copy, even while other programs have it open.

    Raises NotFoundError, RequestError if both are one file, SourceError if the copy is damaged, BusyError."""
    for path in (copy, database):
        if not path.is_file():
            raise NotFoundError(f"There is no file {path.name}.")
    if copy.samefile(database):
        raise RequestError("The copy and the database are one file.")
    try:
        with closing(sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro", uri=True)) as origin:
            if origin.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise SourceError(f"{copy.name} is damaged; nothing was changed.")
            with closing(sqlite3.connect(database, isolation_level=None, timeout=_WAIT)) as goal:
                wal = goal.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                back_up(origin, goal, _go_on, pages=_PAGES)
                if wal:
                    with suppress(sqlite3.OperationalError):
                        goal.execute("PRAGMA journal_mode=WAL")
    except sqlite3.DatabaseError as error:
        if is_locked(error):
            raise BusyError(
                f"{database.name} is locked by another connection, of this program or another; try again later."
            ) from error
        raise SourceError(f"{copy.name} cannot be restored: {explain(error)}.") from error


class SafetyCopy:
    """The safety copy of one import: whether it is wanted, made once, and deleted if nothing was changed."""

    def __init__(
        self, goal: Target, asked: ImportChoices, settings: Settings, watch: ImportProgress, report: ImportReport
    ) -> None:
        self.goal, self.asked, self.settings, self.watch, self.report = goal, asked, settings, watch, report

    @property
    def wanted(self) -> bool:
        """Whether it is still to be made."""
        asked, goal = self.asked, self.goal
        wanted = asked.backup is not False and not asked.preview
        return wanted and not goal.fresh and goal.path is not None and self.report.safety_copy is None

    def check_room(self, staging: StagingDatabase) -> None:
        """Check that the disk has room for the safety copy, and for the rows of a new database.

        Rows of our own files are stored as they wait, so they fill at least half as much. How much an existing
        database grows is not known before. Raises SpoolFullError if there certainly is no room."""
        goal, wish = self.goal, self.asked.backup
        if self.wanted:
            assert goal.path is not None
            folder = Path(wish).parent if isinstance(wish, (str, Path)) else copies_folder(goal.path, self.settings)
            sizes = (goal.connection.execute(f"PRAGMA main.{p}").fetchone()[0] for p in ("page_count", "page_size"))
            check_free(folder, prod(sizes), f"The safety copy of {goal.name}")
        own = all(staged.own for staged in staging.tables.values())
        if goal.fresh and goal.place is not None and own and not self.asked.goes_on:
            check_free(goal.place.parent, staging.path.stat().st_size // 2, f"The new database {goal.name}")

    def make(self) -> None:
        """Make it while the transaction keeps other writers out and nothing is written yet."""
        goal, wish = self.goal, self.asked.backup
        if not self.wanted:
            return
        assert goal.path is not None
        self.watch.begin("copying")
        place = Path(wish) if isinstance(wish, (str, Path)) else default_place(goal.path, self.settings)
        try:
            made = copy_before(goal.path, goal.library, place, self.watch.check)
        except BaseException:
            remove_empty_folder(goal.path)
            raise
        self.report.safety_copy = str(made)
        self.report.restore = restore_command(made, goal.path)

    def forget(self) -> None:
        """Delete it, because nothing was changed."""
        if self.report.safety_copy is not None:
            assert self.goal.path is not None
            delete_copy(Path(self.report.safety_copy), self.goal.path)
            self.report.safety_copy = self.report.restore = None
