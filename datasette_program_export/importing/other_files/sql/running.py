"""Runs another program's script, statement by statement, in a private database that can reach nothing else.

It may make tables, indexes, views and triggers, and insert values; SQLite's authorizer refuses everything else.
Triggers are made last, so that none fires.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from ....database.guarding.functions import harmless_functions
from ....database.guarding.script_text import NoEndError, ScriptStatement, statements
from ....database.library import sqlite3
from ....database.schema import fold
from ....database.sqlite_errors import explain, is_full
from ....errors import SpoolFullError, UnreadableError
from ....files.reading_limits import TRUSTING, Limits
from .guard import ScriptGuard, unistr
from .virtual import VirtualTables

_WORDS = re.compile(rb"([A-Za-z]+)(?:\s+([A-Za-z]+))?")
_PRAGMA = re.compile(rb"pragma\s+(?:main\.)?(\w+)\s*(?:[=(]\s*['\"]?([\w.-]+)['\"]?\s*\)?)?\s*;", re.IGNORECASE)
_KEPT = ("encoding", "user_version", "application_id")
_PASSED_OVER = {"begin", "commit", "end", "savepoint", "release", "start", "analyze"}
_STATISTICS = re.compile(rb"insert\s+into\s+\"?sqlite_stat", re.IGNORECASE)
_TEXTS = re.compile(rb"(?:'[^']*')+")
_NAMES = re.compile(rb"'[^']*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
_SELECTS = re.compile(rb"\b(?:select|with)\b", re.IGNORECASE)
_TRIGGER = re.compile(rb"create\s+trigger\b", re.IGNORECASE)
_MAKING = {"create", "insert", "replace", "drop", "delete"}
_KNOWN = (
    *("select", "with", "update", "alter", "attach", "detach", "vacuum", "reindex", "explain", "values"),
    *(
        "set",
        "use",
        "lock",
        "unlock",
        "copy",
        "grant",
        "revoke",
        "comment",
        "delimiter",
        "truncate",
        "go",
        "do",
        "call",
    ),
)
_OTHERS = {
    "MySQL": re.compile(rb"-- (?:MySQL|MariaDB) dump|/\*!\d{5}|ENGINE\s*=|AUTO_INCREMENT", re.IGNORECASE),
    "PostgreSQL": re.compile(rb"PostgreSQL database dump|pg_catalog|FROM stdin;|::regclass|OWNER TO", re.IGNORECASE),
}
_MYSQL = re.compile(rb"-- (?:MySQL|MariaDB) dump|/\*!\d{5} SET")
_BEGINNING = 1 << 16
_LENGTH, _SQL_LENGTH, _COLUMNS = 0, 1, 2  # numbers of SQLite's limits
_SCHEMA_BYTES = 16_000_000
_MAY = "a script may make tables, indexes, views and triggers here, and insert values, but nothing else"


def run_script(file: IO[bytes], path: Path, limits: Limits) -> list[str]:
    """Run a script in a new database at ``path``; return sentences about what it makes in vain.

    Raises UnreadableError, which names the line that is not run; SpoolFullError."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return _Run(connection, limits).through(file)


class _Run:
    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        self._connection, self._limits = connection, limits
        self._guard = ScriptGuard()
        self._virtual = VirtualTables(connection)
        self._triggers: list[ScriptStatement] = []
        self._beginning = b""
        self._schema_bytes = self._looked_at = 0
        self._of_mysql = False
        self._analyzed = self._fired = self._open = False

    def through(self, file: IO[bytes]) -> list[str]:
        self._prepare()
        try:
            for line, text in statements(file, self._seen):
                self._limits.go_on()
                self._one(ScriptStatement(line, text))
            with self._speaking(0):
                aside = self._virtual.made()
        except NoEndError as error:
            raise self._refused(int(str(error)), "the statement that begins there has no end") from None
        if self._open:
            raise UnreadableError("The script is cut: it begins a transaction that it does not end (COMMIT).", "cut")
        for trigger in self._triggers:
            self._execute(trigger)
        if self._analyzed:
            self._connection.execute("ANALYZE")
        self._connection.execute("COMMIT")
        if self._fired:
            aside.append("The triggers of the script did not fire for its rows.")
        return aside

    def _prepare(self) -> None:
        connection, limits = self._connection, self._limits
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        settings = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000", "foreign_keys=OFF", "temp_store=FILE")
        for setting in (
            *settings,
            "ignore_check_constraints=ON",
            f"max_page_count={min(limits.disk // size, 2**32 - 2)}",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
        if limits is not TRUSTING and hasattr(connection, "setlimit"):
            connection.setlimit(_LENGTH, limits.cell)
        if "unistr" not in harmless_functions():
            connection.create_function("unistr", 1, unistr, deterministic=True)
        limits.watch(connection)
        connection.execute("BEGIN")

    def _seen(self, held: bytearray) -> None:
        self._limits.go_on()
        self._limits.fits_row(held, "A statement of the script")  # type: ignore[arg-type]
        if len(self._beginning) < _BEGINNING:
            self._beginning += bytes(held[:_BEGINNING])

    def _one(self, statement: ScriptStatement) -> None:
        line, text = statement
        found = _WORDS.match(text)
        first, second = ((word or b"").decode().lower() for word in (found.groups() if found else (b"", b"")))
        if first == "pragma":
            self._set(statement)
        elif first == "rollback":
            raise self._refused(line, "it takes back what it did (ROLLBACK), as a script does that is not whole")
        elif first in _PASSED_OVER or _STATISTICS.match(text):
            self._analyzed |= first == "analyze"
            if first in ("begin", "start"):
                self._open = True
            elif first in ("commit", "end"):
                self._open = False
        elif _TRIGGER.match(text):
            self._counted(statement)
            self._triggers.append(statement)
        elif first not in _MAKING:
            raise self._other(line, first)
        elif not self._virtual.takes(text):
            if first == "create":
                self._counted(statement)
            self._guard.reads = first in ("insert", "replace") or second == "virtual"
            if first != "create" and _SELECTS.search(_NAMES.sub(b"", text)):
                raise self._refused(line, f"{first.upper()} with a query in it: {_MAY}")
            if b"\\" in text and self._guard.reads and self._is_of_mysql():
                raise self._refused(line, "a text with a backslash, which has another meaning in MySQL")
            self._fired |= bool(self._triggers) and self._guard.reads
            self._execute(statement)

    def _is_of_mysql(self) -> bool:
        """Return whether the script says so; it is looked for once in each part of the beginning that has come."""
        if self._looked_at != len(self._beginning):
            self._looked_at, self._of_mysql = len(self._beginning), _MYSQL.search(self._beginning) is not None
        return self._of_mysql

    def _counted(self, statement: ScriptStatement) -> None:
        self._schema_bytes += len(statement.text) + 200
        if self._limits is not TRUSTING and self._schema_bytes > _SCHEMA_BYTES:
            raise UnreadableError("The script makes far too many tables and other objects.")

    def _set(self, statement: ScriptStatement) -> None:
        """Heed the settings that are a part of the database; pass over those of a connection."""
        found = _PRAGMA.fullmatch(statement.text)
        if found is None:
            raise self._refused(statement.line, f"a PRAGMA of this form: {_MAY}")
        name, value = found[1].decode().lower(), (found[2] or b"").decode()
        if name in _KEPT and value:
            if name != "encoding" and not re.fullmatch(r"-?\d{1,10}", value):
                raise self._refused(statement.line, f"the value of a PRAGMA: {_MAY}")
            with self._speaking(statement.line):
                self._connection.execute(f"PRAGMA {name}='{value}'" if name == "encoding" else f"PRAGMA {name}={value}")

    def _execute(self, statement: ScriptStatement) -> None:
        sql = self._decoded(statement)
        self._connection.set_authorizer(self._guard)
        try:
            with self._speaking(statement.line):
                self._connection.execute(sql)
        finally:
            self._connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)

    def _decoded(self, statement: ScriptStatement) -> str:
        """Return the statement as text; a literal that is not UTF-8 stands as its bytes."""
        with suppress(UnicodeDecodeError):
            return statement.text.decode()
        try:
            return _TEXTS.sub(_as_bytes, statement.text).decode()
        except UnicodeDecodeError:
            raise self._refused(statement.line, "a name in it is not UTF-8") from None

    @contextmanager
    def _speaking(self, line: int) -> Iterator[None]:
        """Convert errors of SQLite to a sentence with the line, without SQL and without values."""
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            self._limits.go_on()  # an interrupted statement is no fault of the script
            if is_full(error):
                raise SpoolFullError(
                    f"The script makes more than {self._limits.disk / 1e6:,g} MB (spool_disk_mb), or the temporary "
                    "folder is full."
                ) from None
            raise self._refused(line, self._reason(error)) from None

    def _reason(self, error: Exception) -> str:
        if isinstance(error, sqlite3.IntegrityError):
            return "a row breaks the rules of its table: a key that is there twice, or a missing value"
        if "authoriz" in str(error) or "prohibited" in str(error) or "may not be modified" in str(error):
            return f"its statement does more than that: {_MAY}"
        return f"SQLite does not take this statement ({explain(error)}){self._origin()}"

    def _origin(self) -> str:
        found = next((name for name, marks in _OTHERS.items() if marks.search(self._beginning)), None)
        return f"; the script is of {found}, whose SQL is another" if found else ""

    def _other(self, line: int, word: str) -> UnreadableError:
        if fold(word) not in _KNOWN:
            return self._refused(line, f"no statement of SQLite begins so{self._origin()}")
        return self._refused(line, f"{word.upper()}{self._origin()}: {_MAY}")

    def _refused(self, line: int, why: str) -> UnreadableError:
        return UnreadableError(f"Line {line:,} of the script is not run: {why}." if line else f"The script: {why}.")


def _as_bytes(found: re.Match[bytes]) -> bytes:
    with suppress(UnicodeDecodeError):
        found[0].decode()
        return found[0]
    return b"CAST(X'" + found[0][1:-1].replace(b"''", b"'").hex().encode() + b"' AS TEXT)"
