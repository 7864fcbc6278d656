"""A source: the file or connection that rows come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, unquote

from ..errors import ArgumentTypeError, NotFoundError, RequestError, SourceError, UnsupportedError
from .library import library_of, sqlite3


@dataclass(frozen=True)
class Source:
    """A database to read: a file, or (``memory``) a connection to a database in memory.

    ``given`` is the path as the caller wrote it, for commands that the caller may run; if it is None, only the file's
    name is told. ``memory`` returns a context manager of that connection. ``library`` is the SQLite library that this
    process uses for the file: closing the file in a second library would drop the locks of the first. ``prepare`` is
    called with each new connection (to load extensions, or functions that views need). ``spool_dir`` is the folder
    for temporary copies. ``lender`` is the caller's own connection, or what holds it: see ``check_settled``.
    ``keeper`` is what the connections to this file are kept for after use (None: they are closed): one object for one
    ``prepare``, ``nolock`` and library.

    A source at a path can be pickled and copied, so that it works in other processes."""

    name: str
    path: Path | None = None
    memory: Callable[[], AbstractContextManager[sqlite3.Connection]] | None = None
    immutable: bool = False
    nolock: bool = False
    library: ModuleType = sqlite3
    prepare: Callable[[sqlite3.Connection], None] | None = None
    spool_dir: str | None = None
    given: str | None = None
    lender: Any = field(default=None, compare=False, repr=False)
    keeper: object | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        if self.memory is not None or self.lender is not None:
            raise UnsupportedError(CANNOT_BE_SENT)
        return {**self.__dict__, "library": self.library.__name__, "keeper": None}  # a module cannot be pickled

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, library=import_module(state["library"]))

    @classmethod
    def of(cls, database: Any) -> Source:
        """Return a source for a database, given as any of these:

        - the path of its file (str, bytes or PathLike), or a ``file:`` address, which may say ``mode``, ``cache``,
          ``immutable`` and ``nolock`` (https://www.sqlite.org/uri.html);
        - a sqlite3 connection; a ``Database`` or ``Table`` of sqlite_utils, the table standing for its database;
        - a ``Session``, ``Engine`` or ``Connection`` of SQLAlchemy. What a session began is left as it is.

        Raises NotFoundError if there is no file at the path; SourceError if the connection is inside a transaction,
        or a Session holds changes (what is not committed could not be read); RequestError for an address that says
        anything else; ArgumentTypeError for any other object."""
        if isinstance(database, Source):
            return database
        if isinstance(database, (str, bytes, os.PathLike)):
            name = os.fsdecode(database)
            if name.startswith("file:") and not isinstance(database, os.PathLike):
                return _at_address(name)
            return _at(name)
        with _connection_in(database) as connection:
            if not hasattr(connection, "backup"):
                raise ArgumentTypeError(f"{WANTED}, not {_article(type(database).__name__)}.")
            library = library_of(connection)
            with usable(library):
                _check_settled(connection)
                cursor = connection.cursor()
                cursor.row_factory = None
                _, _, file = cursor.execute("PRAGMA database_list").fetchone()  # main comes first
        if file:
            return replace(_at(os.fsdecode(file)), library=library, lender=database)
        return cls("memory", memory=partial(_lent, connection, database), library=library, lender=database)

    def check_settled(self) -> None:
        """Check that the connection that was given is not inside a transaction that began since. Raises SourceError."""
        if self.lender is None:
            return
        closed: Any = self.library.ProgrammingError if self.path is not None else ()  # its file is read all the same
        with suppress(closed), _connection_in(self.lender) as connection:
            _check_settled(connection)


OWN_TRANSACTION = (
    "This connection is inside a transaction of your own, so its database has no settled state. "
    "Commit or roll back first, or give the path instead."
)
CANNOT_BE_SENT = (
    "A connection cannot be copied, or sent to another process. Give the path of the database's file instead."
)


def always_in_transaction(connection: Any) -> bool:
    """Return whether a connection begins a transaction as soon as one ends (``autocommit=False``, PEP 249)."""
    return getattr(connection, "autocommit", None) is False


def _check_settled(connection: Any) -> None:
    if connection.in_transaction and not always_in_transaction(connection):
        raise SourceError(OWN_TRANSACTION)


@contextmanager
def usable(library: ModuleType) -> Iterator[None]:
    """Say in words why a given connection cannot be used. Raises SourceError."""
    try:
        yield
    except library.ProgrammingError as error:
        if "thread" in str(error):
            raise SourceError(
                "This connection can be used only in the thread that made it. Connect with check_same_thread=False, "
                "or give the path of the database's file."
            ) from error
        raise SourceError("This connection cannot be used: it is closed.") from error


WANTED = (
    "database: a path, a file: address, a sqlite3 connection, a sqlite_utils Database or Table, "
    "or a SQLAlchemy Session, Engine or Connection is needed"
)
_PARAMETERS = ("mode", "cache", "immutable", "nolock")


def _article(word: str) -> str:
    return f"{'an' if word[:1] in 'AEIOUaeiou' else 'a'} {word}"


def _at(name: str) -> Source:
    path = Path(name)
    if name and "\0" not in name and path.is_dir():
        raise NotFoundError(f"{path.name or path} is a folder, not a database file: name a file in it.")
    if not name or "\0" in name or not path.is_file():
        hint = " A database in memory is given as its connection." if name in ("", ":memory:") else ""
        raise NotFoundError(f"There is no database file {path.name if name else '(the path is empty)'}.{hint}")
    return Source(path.stem, path, given=name)


def _at_address(address: str) -> Source:
    """Return the source at a ``file:`` address, read as SQLite reads it."""
    rest, _, asked = address.partition("#")[0].removeprefix("file:").partition("?")
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        if host not in ("", "localhost"):
            raise RequestError(f"A file: address cannot name another computer ({host}).")
    if os.name == "nt" and rest[:1] == "/" and rest[2:3] == ":":
        rest = rest[1:]
    said = dict(parse_qsl(asked, keep_blank_values=True))
    unknown = [name for name in said if name not in _PARAMETERS]
    if unknown:
        raise RequestError(f"A file: address may say {', '.join(_PARAMETERS)} here, not {unknown[0]}.")
    if said.get("mode") == "memory":
        raise RequestError("A database in memory is given as its connection, not by its address.")
    true = {name for name, value in said.items() if value.lower() in ("1", "on", "yes", "true")}
    found = _at(unquote(rest, errors="surrogateescape"))
    return replace(found, immutable="immutable" in true, nolock="nolock" in true)


@contextmanager
def _connection_in(database: Any) -> Iterator[Any]:
    """Lend the connection of the SQLite library that an object of another package holds."""
    if hasattr(database, "get_bind"):  # a SQLAlchemy Session, or a scoped_session, which makes one
        database = database() if callable(database) else database
        if any(database.new) or any(database.deleted) or any(map(database.is_modified, database.dirty)):
            raise SourceError("This Session holds changes that are not in the database. Commit or roll back first.")
        # without a transaction, to ask for its connection would begin one
        database = database.connection() if database.in_transaction() else database.get_bind()
    dialect = getattr(database, "dialect", None)  # of a SQLAlchemy Engine or Connection
    if dialect is None:
        database = getattr(database, "db", database)  # a sqlite_utils Table or View
        yield getattr(database, "conn", database)
        return
    if dialect.name != "sqlite" or getattr(dialect, "is_async", False):
        hint = "for an asynchronous one, give the path" if dialect.name == "sqlite" else f"not one of {dialect.name}"
        raise ArgumentTypeError(f"{WANTED}; {hint}.")
    if not hasattr(database, "raw_connection"):
        yield database.connection.dbapi_connection
        return
    lent = database.raw_connection()
    connection = lent.dbapi_connection
    try:
        yield connection
    finally:
        if connection.in_transaction:  # the pool has one connection for all, and would roll back what another began
            _never_returned.append(lent)
        else:
            lent.close()


_never_returned: list[Any] = []


def _lent(connection: Any, owner: object) -> AbstractContextManager[Any]:
    """Return the connection; its ``owner`` is kept as long as this function is: it would close the connection."""
    return nullcontext(connection)


@dataclass(frozen=True)
class Fingerprint:
    """Signs by which to notice that a file changed although it was declared immutable."""

    path: Path
    signs: tuple[Any, ...]

    @classmethod
    def take(cls, path: Path) -> Fingerprint:
        """Take the fingerprint of a file from the file system alone.

        Opening and closing the file would drop this process's locks on it."""
        facts = path.stat()
        beside = tuple(size_beside(path, suffix) for suffix in ("-wal", "-journal"))
        return cls(path, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, *beside))

    def still_true(self) -> bool:
        """Return whether the file still has these signs; False if it is gone."""
        try:
            return Fingerprint.take(self.path) == self
        except OSError:
            return False


def belongs_to(database: Path, path: Path) -> bool:
    """Return whether ``path`` is a database's file, or one of the files that SQLite keeps beside it.

    Existing files are compared by device and inode, as a file may have several names; others by name."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        part = database.with_name(database.name + suffix)
        if part.exists() and path.exists():
            if part.samefile(path):
                return True
        elif part.resolve() == path.resolve():
            return True
    return False


def size_beside(path: Path, suffix: str) -> int:
    """Return the size of ``-wal`` or ``-journal`` beside a database, in bytes; 0 if there is none."""
    try:
        return path.with_name(path.name + suffix).stat().st_size
    except OSError:
        return 0
