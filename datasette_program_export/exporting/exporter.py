"""``Export``: turns a request into bytes, lazily; nothing is opened before the first ``next``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Set
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache, partial
from itertools import chain, islice
from threading import Event
from types import GeneratorType
from typing import Any, TypeVar, cast

from ..database.guarding.new_database import DamageMet, NewDatabase
from ..database.snapshot import Snapshot, TimeExpired
from ..database.source import Source
from ..errors import UnsupportedError, UsedUpError
from ..files.beside import Beside
from ..files.compression import MEDIA_TYPES, SUFFIXES, compressed
from ..files.names import export_name
from ..files.rooted.reading import FileStore
from ..files.temporary.buffered import held
from ..formats.dataset import Dataset, TableStream
from ..formats.description.coverage import EMPTY, Coverage
from ..formats.description.digest import TableDigest
from ..formats.description.integrity import Announced, AnnouncedTable
from ..formats.description.moments import moment_text
from ..formats.registry import Format, Options, check_choices, get_format
from ..options.arguments import optional
from ..options.request import PACKAGE, Request
from ..options.settings import Settings
from ..selection.annotated_schema import annotate
from ..selection.scopes import scope_of
from ..selection.scopes.base import Scope
from ..selection.table_rows import TableRows
from ..version import __version__
from .coverage import coverage, kept_back
from .document_schema import described, fields_of
from .ending import Ending
from .file_columns import FilePlaces
from .log import told
from .named_files import NamedFiles
from .table_reading import Progress, TableReading

GENERATOR = f"datasette-program-export {__version__}"
# a database with a rollback journal is read directly up to this size; a larger export reads a copy of it
HELD_BYTES = 20_000_000
Used = TypeVar("Used")


class Export:
    """One export of ``request`` from ``source``, as an iterator of bytes; without a request, of the whole database.

    ``source`` is whatever ``Source.of`` takes: a path, a connection, a Session, … ``visible`` are the tables that
    the person may see (None: all). ``created_at`` is the time to record (default: now). An export that takes
    longer than ``max_seconds`` raises TooLargeError. ``form`` is a format to use in place of the request's. ``stores``
    say, by ``table.column``, where files lie that no setting knows. ``cancelled`` ends it as ``cancel`` does.
    Plugins are told of its end (the hook ``export_finished``) unless ``tell`` is false: the door does, or it is none.
    Example::

        with Export("practice.db", Request(table="clients", records=(("3",),))) as export:
            data = b"".join(export)

    Iterate over it once, on one thread: a second time raises UsedUpError. ``cancel`` may be called from any thread.
    ``filename`` and ``media_type`` are set with the first chunk, ``coverage`` with the last (if the format records it).
    Every error of the request or of the database's schema is raised at the first ``next``, before any byte."""

    def __init__(
        self,
        source: Any,
        request: Request | None = None,
        *,
        settings: Settings | None = None,
        visible: Set[str] | None = None,
        created_at: datetime | None = None,
        max_seconds: float | None = None,
        form: Format | None = None,
        cancelled: Event | None = None,
        tell: bool = True,
        stores: Mapping[str, FileStore] | None = None,
    ) -> None:
        self.source = Source.of(source)
        self.request = request = optional("request", request, Request) or Request()
        self.settings = optional("settings", settings, Settings) or Settings()
        self.visible = visible
        self.max_seconds = max_seconds
        self.created_at = (created_at or datetime.now(timezone.utc)).astimezone(timezone.utc)
        self.format: Format = form or get_format(request.format)
        check_choices(self.format, request)
        self.filename = ""
        self.media_type = ""
        self.progress = Progress()
        self.coverage = EMPTY
        self._places = FilePlaces(self.settings.files, stores or {}, self.source.path)
        self.labels: Mapping[str, tuple[str, str]] = {}
        self._titles: Mapping[str, list[str]] = {}
        self._warnings: list[str] = []  # from the format, about what it has written
        self._cancelled = cancelled or Event()
        self._copy, self._raw = False, True
        self._snapshot: Snapshot | None = None
        self._aside = ExitStack()
        self._beside = Beside()
        self._digests: dict[str, TableDigest] = {}
        self.ending = Ending(self.source.name, request, self._rows_written, tell)
        self._chunks = cast("GeneratorType[bytes, None, None]", self.ending.watch(self._logged()))

    def __iter__(self) -> Iterator[bytes]:
        if self._chunks.gi_frame is None:
            raise UsedUpError(
                "This export has given its bytes already, or was closed: it gives nothing more. Make a new one."
            )
        return self._chunks

    def __repr__(self) -> str:
        what = " ".join(filter(None, (self.request.scope, self.request.table)))
        return f"<export of {self.source.name}: {what} as {self.format.name}, {self.progress.rows:,} rows so far>"

    def __enter__(self) -> Export:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def cancel(self) -> None:
        """Stop reading soon; the iterating thread gets CancelledError."""
        self._cancelled.set()
        if (snapshot := self._snapshot) is not None:
            snapshot.cancel()

    def close(self) -> None:
        """Release everything. Call it on the iterating thread."""
        self._chunks.close()

    def _logged(self) -> Generator[bytes, None, None]:
        with told(self):
            yield from self._run()

    def _run(self) -> Generator[bytes, None, None]:
        while True:
            try:
                with self._opened() as snapshot, self._beside:
                    chunks = self._encoded(snapshot)
                    if snapshot.journal != "rollback":
                        yield from chunks
                        return
                    memory = int(self.settings.spool_memory_mb * 1e6)
                    kept = held(chunks, HELD_BYTES, memory, self.source.spool_dir)
            except (TimeExpired, DamageMet) as why:
                self._again(why)
                continue
            finally:
                self._snapshot = None
                self._aside.close()
            yield from kept
            return

    def read(self, use: Callable[[Dataset], Used], arrange: Callable[[Scope], None] = lambda scope: None) -> Used:
        """Return what ``use`` makes of the dataset instead of bytes, within one snapshot.

        Both are called again if the database's writers have waited too long. ``arrange`` may change the order of the
        scope's tables before they are read."""
        with self.ending.watching(), told(self):
            return self._read(use, arrange)

    def _read(self, use: Callable[[Dataset], Used], arrange: Callable[[Scope], None]) -> Used:
        while True:
            try:
                with self._opened() as snapshot:
                    scope = self._scope(snapshot)
                    arrange(scope)
                    return use(self._dataset(snapshot, scope))
            except (TimeExpired, DamageMet) as why:
                self._again(why)
            finally:
                self._snapshot = None
                self._aside.close()

    def _again(self, why: TimeExpired | DamageMet) -> None:
        self._copy |= isinstance(why, TimeExpired)  # the database's writers have waited long enough
        self._raw &= not isinstance(why, DamageMet)  # perhaps it is in an index, which nobody needs
        self.progress.table, self.progress.rows = None, 0  # all rows are read again

    def _opened(self) -> closing[Snapshot]:
        self._snapshot = Snapshot(self.source, copy=self._copy, cancelled=self._cancelled)
        return closing(self._snapshot)

    def _encoded(self, snapshot: Snapshot) -> Iterator[bytes]:
        scope = self._scope(snapshot)
        several = len(scope.tables) != 1  # also none: the files of an empty database are those of a whole one
        form = self.format
        if several and form.holds_one:
            if form.member is None:
                raise UnsupportedError(f"{form.name} holds one table, and these are several: take {PACKAGE}.")
            form = get_format(PACKAGE)  # of such files
        how = self.request.compress
        if how is not None and form.compressed:
            what = "is" if form is self.format else "comes as a zip here, which is"
            more = "" if form is self.format else " (a name that ends in .zip will do)"
            raise UnsupportedError(f"{self.format.name} {what} compressed already: leave out compress{more}.")
        self.media_type = form.media_type if how is None else MEDIA_TYPES[how]
        extension = form.extension if how is None else f"{form.extension}.{SUFFIXES[how]}"
        self.filename = export_name(self.source.name, scope.name, scope.title(), self.created_at, extension)
        documented = several or form.one_table or form.encode_table is None or self.request.layout != "rows"
        if form.encode is not None and documented:
            chunks = form.encode(self._dataset(snapshot, scope), self._options(form))
        else:
            chunks = self._alone(self._dataset(snapshot, scope, digests_wanted=False), scope)
        return chunks if how is None else compressed(chunks, how, self._beside)

    def _options(self, form: Format) -> Options:
        request = self.request
        if form is not self.format:
            request = request.model_copy(update={"format": form.name, "members": self.format.name})
        title = self.filename.rpartition(".")[0]
        folder = self.source.spool_dir
        known, told = self.settings, (self.labels, self._titles)
        of_them = (known.descriptions, known.column_descriptions)
        return Options(request, folder, title, self.created_at, self._beside, *told, *of_them)

    def _scope(self, snapshot: Snapshot) -> Scope:
        snapshot.limit(self.max_seconds)
        request = self.request
        known = annotate(snapshot.schema, self.settings, request.secrets == "include", request.person, self.visible)
        scope = scope_of(snapshot, known, self.request, visible=self.visible, max_rows=self.settings.max_rows)
        scope.find_rows()
        self.labels = scope.labels()
        if request.scope != "query":
            self._titles = {s.table.name: scope.annotated.title_columns(s.table) for s in scope.tables}
        return scope

    def _alone(self, dataset: Dataset, scope: Scope) -> Iterator[bytes]:
        """Yield one table in a format whose files hold one table."""
        assert self.format.encode_table is not None
        for table in dataset.tables:
            yield from self.format.encode_table(table, self.request)
        # the file has no place for it: the command line prints it
        self.coverage = replace(kept_back(scope), warnings=tuple(self._warnings), files=self._files.told())

    def _dataset(self, snapshot: Snapshot, scope: Scope, digests_wanted: bool = True) -> Dataset:
        digests = self._digests = {}
        self._files = NamedFiles(self.settings, self.source.spool_dir, self._aside, snapshot.raise_if_stopped)
        self._warnings = []  # a second reading produces them again
        schema = described(scope)

        def integrity() -> Announced:
            snapshot.confirm()
            tables = {name: AnnouncedTable(d.rows, d.hexdigest()) for name, d in digests.items()}
            return Announced(sum(d.rows for d in digests.values()), tables)

        @cache
        def covered() -> Coverage:
            known = coverage(scope, schema)
            self.coverage = replace(known, warnings=(*known.warnings, *self._warnings), files=self._files.told())
            return self.coverage

        return Dataset(
            head=self._head(scope),
            schema=schema,
            tables=_started(self._stream(snapshot, scope, chosen, digests_wanted) for chosen in scope.tables),
            coverage=covered,
            integrity=integrity,
            attached=partial(NewDatabase.attach, snapshot, self._raw),
            names_files=any(self._places.of(chosen) for chosen in scope.tables),
        )

    def _rows_written(self) -> dict[str, int]:
        return {name: digest.rows for name, digest in self._digests.items()}

    def _head(self, scope: Scope) -> dict[str, Any]:
        head: dict[str, Any] = {
            "created_at": moment_text(self.created_at),
            "generator": GENERATOR,
            "source": self.source.name,
            "scope": self.request.scope,
            "request": self.request.as_recorded() | _people_taken(scope),
        }
        if scope.annotated.preset_name is not None:
            head["preset"] = scope.annotated.preset_name
        return head

    def _stream(self, snapshot: Snapshot, scope: Scope, chosen: TableRows, digest_wanted: bool) -> TableStream:
        fields = fields_of(scope.annotated, chosen)
        computed = [place for place, field in enumerate(fields) if field.generated]
        digest = TableDigest(len(fields), computed, self._beside, digest_wanted)
        self._digests[chosen.table.name] = digest
        files = self._files.of(chosen.table.name, [field.name for field in fields], self._places.of(chosen))
        return TableReading(snapshot, chosen, digest, self.progress, self._warnings, self._aside, files).stream(fields)


def _people_taken(scope: Scope) -> dict[str, Any]:
    """Return the guess of who are people as a part of the request: with it, the same rows come tomorrow."""
    if scope.walk is None or scope.annotated.people.known_by != "guess":
        return {}
    return {"person": list(scope.people_to_name())}


def _started(tables: Iterator[TableStream]) -> Iterator[TableStream]:
    """Return the tables after starting the first, so that its errors are raised now."""
    return chain(list(islice(tables, 1)), tables)
