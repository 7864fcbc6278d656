"""Compare a file that was sent with the database: is everything still there? The work, and what its page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ...comparing.comparer import Bounds, compare
from ...comparing.report import ComparedTable, Comparison
from ...errors import CancelledError, ExportError, UnreadableError, UnsupportedError, in_words
from ...files.input_file import is_database
from ...files.temporary.folder import new_private
from .. import host
from ..request.replay import rules_of_settings
from ..server.import_runner import Import, Imports, ImportWork
from ..server.memory_budget import BUDGET
from ..words import Words
from .context import import_url
from .request import ImportContext

DIFFERENCES = "differences.json"  # in the folder of the file: every row that differs
_RESULT = "comparison.json"
_LONGEST = 200  # characters of a value on the page
_TOLD = 4  # parts of the sentence
_FOREIGN = (
    "A site opens no SQLite file but those that this program wrote: another one may hold SQL that is made to do harm. "
    "On a computer with both, datasette program-export compare FILE DATABASE does it."
)


class Kept(BaseModel):
    """A comparison as it is kept. ``rules`` are those of the settings, ``secrets`` tells whether secrets were compared,
    ``here`` are the tables of the database in it: who looks later must still be allowed to see all that."""

    rules: str
    secrets: bool
    names: dict[str, str | None]
    here: list[str] = []
    error: str | None = None
    status: int = 200
    found: Comparison | None = None

    def may_see(self, asked: ImportContext) -> bool:
        """Return whether the person may see all of it, with the current permissions and settings."""
        rights = asked.rights
        same = self.rules == rules_of_settings(asked.settings) and rights.visible.issuperset(self.here)
        return same and (rights.secrets or not self.secrets)


def kept_in(imports: Imports, one: Import) -> Kept | None:
    """Return the comparison of a file, if there is one."""
    path = imports.place(one.id) / _RESULT
    return Kept.model_validate_json(path.read_bytes()) if path.is_file() else None


class CompareWork(ImportWork):
    """Compare the file with the database. The file is afterwards in the state in which it was.

    ``names`` are what tables and columns of the file are called now, as in ``compare``."""

    active_state = "looking"

    def __init__(self, asked: ImportContext, one: Import, place: Path, names: dict[str, str | None]) -> None:
        super().__init__(one, place)
        self._asked, self._names = asked, names
        state = "previewed" if one.active else one.state  # a new file, of which there is no preview yet
        self._back = {"state": state, "error": one.error, "status": one.status, "report": one.report}

    def run(self) -> dict[str, Any]:
        """Keep the result, also that it cannot be compared."""
        kept = self._kept()
        for name in (_RESULT, DIFFERENCES):
            (self.place / name).unlink(missing_ok=True)
        try:
            kept.found = self._compared()
            here = {table.now or name: table.status for name, table in kept.found.tables.items()}
            kept.here = [name for name, status in here.items() if status in ("compared", "new")]
        except CancelledError:
            raise
        except ExportError as error:
            kept.error, kept.status = str(error), error.status
        self._keep(kept)
        return self._back

    def _kept(self) -> Kept:
        asked = self._asked
        return Kept(rules=rules_of_settings(asked.settings), secrets=asked.rights.secrets, names=self._names)

    def _keep(self, kept: Kept) -> None:
        path = new_private(self.place / _RESULT)
        path.write_text(kept.model_dump_json(), "utf-8")

    def _compared(self) -> Comparison:
        asked, reading = self._asked, BUDGET.wait(self.one.person, self.check)
        try:
            bounds = Bounds(
                names=(self.one.file, asked.database.name),
                visible=asked.rights.visible,
                secrets=asked.rights.secrets,
                limits=reading.limits(asked.settings, self.check),
                cancelled=self._stopped,
                output_bytes=int(asked.settings.jobs_disk_mb * 1e6),
                sent=True,
            )
            source = host.source_for(asked.datasette, asked.database, asked.settings)
            output = self.place / DIFFERENCES
            found = compare(self.file, source, map=self._names, output=output, settings=asked.settings, bounds=bounds)
            output.chmod(0o600)
            return found
        except UnreadableError as error:
            if error.reason == "unknown" and is_database(self.file):
                raise UnsupportedError(_FOREIGN) from None
            raise
        finally:
            reading.end()

    def failed(self, error: Exception) -> dict[str, Any]:
        """Keep what is told of an error; return the file's state from before: nothing happened to it."""
        if not isinstance(error, CancelledError):
            told = super().failed(error)
            kept = self._kept().model_copy(update={"error": told["error"], "status": told["status"]})
            with suppress(OSError):  # there is no room: then the page offers to compare again
                self._keep(kept)
        return self._back


def names_of(pairs: list[tuple[str, str]]) -> dict[str, str | None]:
    """Return what is called otherwise now, from the fields ``map`` of a form (``old=new``)."""
    found: dict[str, str | None] = {}
    for name, value in pairs:
        old, sign, new = value.rpartition("=")
        if name == "map" and sign and old:
            found[old] = new or None
    return found


def comparison_data(asked: ImportContext, one: Import, kept: Kept | None) -> dict[str, Any]:
    """Return a comparison and its state as JSON data."""
    page = import_url(asked.datasette, one.database, one.id)
    links = {"self": f"{page}/compare.json", "page": f"{page}/compare", "file": page}
    if kept is not None and kept.found is not None:
        links["differences"] = f"{page}/compare/differences"
    return {
        "ok": kept is None or kept.error is None,
        "file": one.file,
        "database": one.database,
        "active": one.active,
        "map": kept.names if kept is not None else {},
        "error": kept.error if kept is not None else None,
        "complete": kept.found.complete if kept is not None and kept.found is not None else None,
        "comparison": kept.found.model_dump(mode="json") if kept is not None and kept.found is not None else None,
        "links": links,
    }


def comparison_context(asked: ImportContext, one: Import, kept: Kept | None, words: Words) -> dict[str, Any]:
    """Return the template variables of the page of a comparison."""
    found = kept.found if kept is not None else None
    data = comparison_data(asked, one, kept)
    return {
        **data,
        "kept": kept,
        "error": in_words(data["error"], "page") if data["error"] else None,
        "found": found,
        "answer": answer(words, found) if found is not None else None,
        "tables": [_shown(words, name, table) for name, table in found.tables.items()] if found is not None else [],
        "columns_said": {key: words(f"compare.head.{key}") for key in ("table", "unchanged", "changed", "gone", "new")},
        "names": [f"{old}={new or ''}" for old, new in (kept.names if kept is not None else {}).items()],
        "number": words.number,
    }


def answer(words: Words, found: Comparison) -> str:
    """Return the answer in one sentence."""
    tables = found.tables.values()
    compared = [t for t in tables if t.status == "compared"]
    if found.complete and not compared:
        said = words("compare.nothing")
    elif found.complete:
        held = words("compare.tables", n=len(compared)), words("compare.rows", n=sum(t.unchanged for t in compared))
        said = words("compare.complete", counts=", ".join(held))
    else:
        lost = [part for name, table in found.tables.items() for part in _lost(words, name, table)]
        more = [words("compare.lost.more", n=len(lost) - _TOLD)] if len(lost) > _TOLD else []
        said = words("compare.lost.all", parts=", ".join([*lost[:_TOLD], *more]))
    new = [
        (len([t for t in tables if t.status == "new"]), "tables"),
        (sum(len(t.columns_new) for t in tables), "columns"),
        (sum(t.new for t in tables), "rows"),
    ]
    aside = [
        (len([t for t in tables if t.status == "skipped"]), "tables"),
        (sum(len(t.not_compared) for t in tables), "columns"),
    ]
    for key, numbers in (("compare.added", new), ("compare.aside", aside)):
        told = ", ".join(words(f"compare.{what}", n=n) for n, what in numbers if n)
        said += f" {words(key, parts=told)}" if told else ""
    return said


def _lost(words: Words, name: str, table: ComparedTable) -> Iterator[str]:
    if table.status == "gone":
        yield words("compare.lost.table", n=table.before, table=name)
        return
    if table.gone:
        yield words("compare.lost.rows", n=table.gone, table=name)
    if table.changed:
        yield words("compare.lost.changed", n=table.changed, table=name)
    for column in table.columns_gone:
        yield words("compare.lost.column", column=column, table=name)


def _shown(words: Words, name: str, table: ComparedTable) -> dict[str, Any]:
    """Return what the page shows of a table: counts, what there is to say, and rows with their values as texts."""
    about = [words("compare.now", name=name, now=table.now)] if table.now else []
    about += [words("compare.now", name=old, now=new) for old, new in table.columns_renamed.items()]
    for key, columns in (("columns_gone", table.columns_gone), ("columns_new", table.columns_new)):
        about += [words(f"compare.{key}", columns=", ".join(columns))] if columns else []
    if table.not_compared:
        about.append(words("compare.columns_aside", columns=", ".join(table.not_compared)))
    if table.by == "value" and table.status == "compared":
        about.append(words("compare.by_value"))
    counts = {key: getattr(table, key) for key in ("unchanged", "changed", "gone", "new")}
    rows = [
        {
            "kind": one.kind,
            "times": one.times,
            "key": ", ".join(_text(value) for value in one.key.values()),
            "columns": [(c, _text(v.before), _text(v.after)) for c, v in one.columns.items()]
            + [(c, *((_text(v), "") if one.kind == "gone" else ("", _text(v)))) for c, v in one.row.items()],
        }
        for one in table.differences
    ]
    people = [(", ".join(_text(v) for v in one.key.values()), one.changed, one.gone, one.new) for one in table.people]
    total = table.changed + table.gone + table.new
    return {
        "name": name, "status": table.status, "counts": counts, "about": about, "rows": rows, "people": people,
        "people_count": table.people_count, "total": total, "shown": sum(one.times for one in table.differences),
    }  # fmt: skip


def _text(value: Any) -> str:
    """Return a value as JSON, so that 1, 1.0 and "1" look different."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
