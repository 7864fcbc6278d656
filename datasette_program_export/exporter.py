"""``Export``: from a request to bytes, lazily; everything is opened at the first ``next``."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Mapping, Set
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain
from threading import Event
from typing import IO, Any

import msgspec

from .catalog import Catalog, catalog
from .closure import Closure
from .coverage import coverage
from .file_names import export_name, member_names
from .formats import Format, check_layout, get_format
from .pace import Pace
from .records import Dataset, Field, Member, TableStream
from .request import Request
from .selected import Selected
from .settings import Settings
from .sinks.archive import zipped
from .snapshot import Snapshot, TimeExpired
from .source import Source
from .values import TableDigest
from .version import __version__

GENERATOR = f"datasette-program-export {__version__}"
# A rollback-journal database is read directly only for exports up to this; else a copy of it is read
HELD_BYTES = 20_000_000
_PIECE = 256 * 1024


@dataclass
class Progress:
    """How far an export has come: the table it is in, and rows written so far."""

    table: str | None = None
    rows: int = 0


class Export:
    """One export. Iterate over it once, on one thread; ``cancel`` may be called from any.

    ``filename`` and ``media_type`` are set when the first chunk is there, ``coverage`` when the
    last one is (where the format tells it). Every error of the request or of the database's
    structure is raised at the first ``next``, before any byte."""

    def __init__(
        self,
        source: Any,
        request: Request,
        *,
        settings: Settings | None = None,
        visible: Set[str] | None = None,
        created_at: datetime | None = None,
    ) -> None:
        self.source = Source.of(source)
        self.request = request
        self.settings = settings or Settings()
        self.visible = visible
        self.created_at = (created_at or datetime.now(timezone.utc)).astimezone(timezone.utc)
        self.format: Format = get_format(request.format)
        check_layout(self.format, request.layout)
        self.filename = ""
        self.media_type = ""
        self.progress = Progress()
        self.coverage: Mapping[str, Any] = {}
        self._cancelled = Event()
        self._snapshot: Snapshot | None = None
        self._chunks = self._run()

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def __enter__(self) -> Export:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def cancel(self) -> None:
        """Stop the reading within moments; whoever iterates gets CancelledError."""
        self._cancelled.set()
        if (snapshot := self._snapshot) is not None:
            snapshot.cancel()

    def close(self) -> None:
        """Give everything free. On the thread that iterates."""
        self._chunks.close()

    def _run(self) -> Generator[bytes, None, None]:
        for copy in (False, True):
            try:
                with closing(Snapshot(self.source, copy=copy, cancelled=self._cancelled)) as snapshot:
                    self._snapshot = snapshot
                    chunks = self._encoded(snapshot)
                    if snapshot.journal != "rollback":
                        yield from chunks
                        return
                    held = self._held(chunks)
            except TimeExpired:
                continue  # its writers have waited long enough: read a copy
            finally:
                self._snapshot = None
            with held:
                while piece := held.read(_PIECE):
                    yield piece
            return

    def _held(self, chunks: Iterator[bytes]) -> IO[bytes]:
        """All chunks, written down before the first is given away: so the database is let go soon."""
        memory = int(self.settings.spool_memory_mb * 1e6)
        written: IO[bytes] = tempfile.SpooledTemporaryFile(memory, dir=self.source.spool_dir)  # noqa: SIM115
        try:
            for chunk in chunks:
                written.write(chunk)
                if written.tell() > HELD_BYTES:
                    raise TimeExpired
            written.seek(0)
        except BaseException:
            written.close()
            raise
        return written

    def _encoded(self, snapshot: Snapshot) -> Iterator[bytes]:
        known = catalog(snapshot.schema, self.settings)
        closure = Closure(snapshot, known, self.request, visible=self.visible, max_rows=self.settings.max_rows)
        closure.resolve()
        dataset = self._dataset(snapshot, closure)
        several = len(closure.tables) > 1
        archived = several and self.format.encode is None
        extension = "zip" if archived else self.format.extension
        self.media_type = "application/zip" if archived else self.format.media_type
        self.filename = export_name(self.source.name, closure.subject.name, closure.title(), self.created_at, extension)
        if archived:
            return zipped(self._members(dataset, closure), self.created_at)
        if self.format.encode is not None and (several or self.format.encode_table is None):
            return self.format.encode(dataset, self.request.layout)
        return self._alone(dataset)

    def _alone(self, dataset: Dataset) -> Iterator[bytes]:
        """One table in a format whose files hold one table."""
        assert self.format.encode_table is not None
        for table in dataset.tables:
            yield from self.format.encode_table(table)

    def _members(self, dataset: Dataset, closure: Closure) -> Iterator[Member]:
        """A file per table, and last one that tells what they are."""
        assert self.format.encode_table is not None
        names = member_names((s.table.name for s in closure.tables), self.format.extension)
        for table in dataset.tables:
            yield Member(names[table.name], self.format.encode_table(table))
        about = {"export": dataset.head, "files": names, "schema": dataset.schema, "coverage": dataset.coverage()}
        about["integrity"] = {**dataset.integrity(), "complete": True}
        yield Member("export.json", iter([msgspec.json.format(msgspec.json.encode(about), indent=2)]))

    def _dataset(self, snapshot: Snapshot, closure: Closure) -> Dataset:
        digests: dict[str, TableDigest] = {}

        def integrity() -> Mapping[str, Any]:
            snapshot.confirm()
            tables = {name: {"rows": d.rows, "sha256": d.hexdigest()} for name, d in digests.items()}
            return {"rows": sum(d.rows for d in digests.values()), "tables": tables}

        def covered() -> Mapping[str, Any]:
            self.coverage = coverage(closure)
            return self.coverage

        return Dataset(
            head=self._head(closure),
            schema=described(closure),
            tables=_started(self._stream(snapshot, closure.catalog, chosen, digests) for chosen in closure.tables),
            coverage=covered,
            integrity=integrity,
        )

    def _head(self, closure: Closure) -> dict[str, Any]:
        head: dict[str, Any] = {
            "created_at": self.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "generator": GENERATOR,
            "source": self.source.name,
            "scope": "record" if self.request.records else "table",
            "request": self.request.model_dump(mode="json", exclude_defaults=True),
        }
        if closure.catalog.preset_name is not None:
            head["preset"] = closure.catalog.preset_name
        return head

    def _stream(
        self, snapshot: Snapshot, known: Catalog, chosen: Selected, digests: dict[str, TableDigest]
    ) -> TableStream:
        fields = _fields(known, chosen)
        generated = [i for i, f in enumerate(fields) if f.generated]
        digest = digests[chosen.table.name] = TableDigest(len(fields), generated)

        pace = Pace()
        found = snapshot.batches(
            chosen.select(), chosen.params, guard=chosen.guard, repeatable=chosen.repeatable, sizes=pace
        )
        first = next(found, None)  # an error in somebody's SQL comes now, not behind a table's header

        def batches() -> Iterator[list[Any]]:
            self.progress.table = chosen.table.name
            for batch in chain([first] if first else [], found):
                pace.saw(len(batch), digest.add(batch))
                self.progress.rows += len(batch)
                yield batch
            snapshot.confirm()

        return TableStream(chosen.table.name, fields, batches())


def _started(tables: Iterator[TableStream]) -> Iterator[TableStream]:
    """The tables, of which the first is already under way."""
    return chain([next(tables)], tables)


def _fields(known: Catalog, chosen: Selected) -> tuple[Field, ...]:
    holding_json = known.json_columns(chosen.table)
    return tuple(Field(c.name, c.type, c.name in holding_json, c.generated) for c in chosen.columns)


def described(closure: Closure) -> dict[str, Any]:
    """The schema of what is exported: per table its columns and keys; references that order cannot satisfy."""
    return {
        "tables": {s.table.name: _table(closure, s) for s in closure.tables},
        "deferred": [e.name for e in closure.graph.deferred()],
    }


def _table(closure: Closure, chosen: Selected) -> dict[str, Any]:
    table = chosen.table
    columns = []
    for field in _fields(closure.catalog, chosen):
        column: dict[str, Any] = {"name": field.name, "type": field.type}
        column |= {k: True for k, v in (("json", field.holds_json), ("generated", field.generated)) if v}
        columns.append(column)
    facts: dict[str, Any] = {"columns": columns, "primary_key": list(table.pk)}
    facts["foreign_keys"] = [
        {"columns": list(e.columns), "table": e.other_table, "other_columns": list(e.other_columns)}
        for e in closure.catalog.edges
        if e.table == table.name
    ]
    if table.kind != "table":
        facts["kind"] = table.kind
    return facts
