"""Saved profiles: the options of an export under a name, for one person or for everybody.

They are stored in a small SQLite file of our own beside the jobs, which is opened for each access, as accesses are
rare and short. A profile belongs to one database; ``table`` is the table where it is offered. It holds only
options, never which rows: no keys, no filters, no values.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..database.library import sqlite3
from ..database.schema import fold
from ..database.sqlite_errors import explain
from ..errors import ConflictError, RequestError, SpoolFullError
from ..files.atomic import make_private
from .delimiters import word_of
from .grammar import OPTIONS, check_profile
from .request import NOBODY, Request
from .settings import Settings

_NAMES = ("tables", "without", "stop", "person")  # the options that name tables, or columns as `table.column`
_NOBODY = ("person", NOBODY)
LONGEST_NAME = 60
MOST = 100  # profiles per person, and profiles for everybody
_LARGEST = 50_000  # characters of the options as JSON
_FILE = "profiles.db"
_JOINERS = "\u200c\u200d"  # not printable according to Python, but part of words in some scripts
_SCHEMA = """CREATE TABLE IF NOT EXISTS profiles (
    id TEXT PRIMARY KEY, owner TEXT, database TEXT NOT NULL, "table" TEXT, name TEXT NOT NULL, options TEXT NOT NULL
)"""


@dataclass(frozen=True)
class Profile:
    """The saved options of an export.

    ``owner`` is None for a profile for everybody; ``table`` is None if it was saved for the whole database. ``id``
    cannot be guessed; it is None for a profile from the settings."""

    name: str
    database: str
    table: str | None
    options: Mapping[str, Any]
    owner: str | None = None
    id: str | None = None

    def fits(self, **subject: Any) -> bool:
        """Return whether an export of this subject (fields of a Request) may have these options."""
        table = subject.get("table")
        if table is not None and fold(table) in map(fold, self.options.get("without", ())):
            return False
        try:
            Request(**{**self.options, **subject})
        except RequestError:
            return False
        return True

    @property
    def names_tables(self) -> bool:
        """Whether its options name tables, which not everybody may see."""
        return any(self.options.get(field) for field in _NAMES)

    def told_to(self, visible: frozenset[str]) -> bool:
        """Return whether a person who may see the ``visible`` tables may see every table that it names."""
        return not self.unknown(visible)

    def unknown(self, visible: frozenset[str]) -> list[str]:
        """Return the names in its options that are of no ``visible`` table."""
        seen = set(map(fold, visible))
        names = [name for field in _NAMES for name in self.options.get(field, ()) if (field, name) != _NOBODY]
        return [name for name in names if not any(part in seen for part in _beginnings(fold(name)))]

    def seen_by(self, visible: frozenset[str]) -> Profile | None:
        """Return the profile for a person who may see the ``visible`` tables: other names are as if they did not exist.

        None if it chooses tables, of which this person may see none."""
        unknown = set(self.unknown(visible))
        named = [field for field in _NAMES if field in self.options]
        left = {field: [name for name in self.options[field] if name not in unknown] for field in named}
        if self.options.get("tables") and not left["tables"]:
            return None
        return replace(self, options={**self.options, **left}) if unknown else self


def _beginnings(name: str) -> Iterator[str]:
    yield name
    yield from (name[:at] for at, character in enumerate(name) if character == ".")


def options_of(request: Request) -> dict[str, Any]:
    """Return the options of a request as a profile stores them.

    These are the format, and all other options that are not at their default."""
    found: dict[str, Any] = {"format": request.format}
    for option in OPTIONS:
        value = getattr(request, option.field)
        if option.field not in ("profile", "records") and value != Request.model_fields[option.field].default:
            found[option.field] = list(value) if option.many else value
    if request.delimiter is not None:
        found["delimiter"] = word_of(request.delimiter)
    return found


def checked_name(text: str) -> str:
    """Return the name to save under, without surrounding blanks. Raises RequestError if it is not valid."""
    name = text.strip()
    if not name:
        raise RequestError("A saved choice needs a name. Write one beside the button.")
    if len(name) > LONGEST_NAME or not all(c.isprintable() or c in _JOINERS for c in name):
        raise RequestError(f"The name of a saved choice has at most {LONGEST_NAME} characters, all of them visible.")
    return name


class ProfileStore:
    """The saved profiles in a private folder. Every method may be called from any thread.

    The methods raise SpoolFullError if the file cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE

    def found(self, owner: str | None, database: str | None = None) -> list[Profile]:
        """Return the profiles for everybody, then those of one person, each sorted by name.

        Without ``database``, the profiles of all databases."""
        if not self._path.exists():
            return []
        with self._opened("ro") as connection:
            rows = connection.execute(
                'SELECT name, database, "table", options, owner, id FROM profiles '
                "WHERE (owner IS NULL OR owner = ?1) AND (?2 IS NULL OR database = ?2) "
                "ORDER BY owner IS NOT NULL, name, database",
                (owner, database),
            ).fetchall()
        return [Profile(name, of, table, json.loads(text), who, id_) for name, of, table, text, who, id_ in rows]

    def save(self, profile: Profile) -> Profile:
        """Save a profile, replacing one with the same name, owner and database; return it with its id.

        Raises ConflictError if MOST profiles are saved already, RequestError if the options are too large,
        SettingsError for an unknown option."""
        check_profile(profile.name, profile.options)
        options = json.dumps(profile.options)
        if len(options) > _LARGEST:
            raise RequestError("This choice names too many tables and columns to be saved.")
        saved = replace(profile, id=secrets.token_urlsafe(12))
        make_private(self._path)
        with self._opened("rw") as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_SCHEMA)
            one = (saved.owner, saved.database, saved.name)
            connection.execute("DELETE FROM profiles WHERE owner IS ? AND database = ? AND name = ?", one)
            (many,) = connection.execute("SELECT count(*) FROM profiles WHERE owner IS ?", one[:1]).fetchone()
            if many >= MOST:
                raise ConflictError(f"{MOST} choices are saved, which is the most. Delete one of them first.")
            values = (saved.id, saved.owner, saved.database, saved.table, saved.name, options)
            connection.execute("INSERT INTO profiles VALUES (?, ?, ?, ?, ?, ?)", values)
            connection.execute("COMMIT")
        return saved

    def delete(self, id_: str) -> None:
        """Delete a profile."""
        with self._opened("rw") as connection:
            connection.execute("DELETE FROM profiles WHERE id = ?", (id_,))

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, timeout=20)
            ) as connection:
                connection.isolation_level = None
                yield connection
        except sqlite3.Error as error:
            raise SpoolFullError(
                f"The saved choices cannot be kept or read ({explain(error)}). Tell the person who runs this site."
            ) from None


def with_everybodys(settings: Settings, database: str) -> Settings:
    """Return the settings with the profiles saved for everybody, if this user may read them."""
    if settings.jobs_dir is None:
        return settings
    try:
        saved = ProfileStore(Path(settings.jobs_dir)).found(None, database)
    except (SpoolFullError, OSError):  # a private folder of the user that the server runs as
        return settings
    return with_profiles(settings, saved)


def with_profiles(settings: Settings, saved: list[Profile]) -> Settings:
    """Return the settings with saved profiles added; of several with the same name the last one wins."""
    profiles = {**settings.profiles, **{p.name: dict(p.options) for p in saved}}
    return settings.model_copy(update={"profiles": profiles})
