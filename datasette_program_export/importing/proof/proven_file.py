"""Writes a file that records its own proof: it was imported, and the result was equal.

The proof is known only after the file is written, and belongs in its description. So the file is read
back and written once more in the same format with the proof; its rows and their digests stay the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import BrokenExportError, UnsupportedError
from ...files.atomic import folder_beside, write_whole
from ...files.compression import compressed
from ...files.reading_limits import TRUSTING
from ...formats.dataset import Dataset, TableStream
from ...formats.description.column_facts import ColumnFacts, survey
from ...formats.description.moments import now_text, parse_moment
from ...formats.registry import Format, Options, detect, get_format
from ...options.request import DEFAULT_MEMBER, PACKAGE, Request
from ...options.settings import Settings
from .prove import Proof, prove

_PIECE = 1 << 20


def check_can_be_proven(form: Format, request: Request) -> None:
    """Check that the format can be read back. Raises UnsupportedError if it cannot."""
    if request.dialect != "exact":
        raise UnsupportedError("What is made for a spreadsheet is not read back, so it cannot be proven.")
    if form.decode is None or not form.gives_rows:
        raise UnsupportedError(f"{form.name} is not read back, so it cannot be proven: take programjson or package.")


def write_proven(path: Path, chunks: Iterable[bytes], settings: Settings, request: Request) -> Proof:
    """Write a file, prove it, and rename it to ``path`` with its proof recorded in it.

    A file that is complete but does not come back just so is kept, without a proof: see ``problems`` of what is
    returned. Raises BrokenExportError if the file itself is damaged; an existing file at ``path`` then stays."""
    with folder_beside(path) as folder:
        first = folder / path.name
        write_whole(first, chunks)
        return _recorded(first, path, settings, request)


def _recorded(first: Path, path: Path, settings: Settings, request: Request) -> Proof:
    proof = prove(first, settings=settings, trusted=True, folder=settings.spool_dir)
    if proof.complete and not proof.proven:
        with first.open("rb") as file:
            write_whole(path, iter(partial(file.read, _PIECE), b""))
        return proof
    if not proof.proven:
        told = " ".join(proof.problems[:3])
        raise BrokenExportError(f"The file did not come back as it went out, so it was removed. {told}")
    said = {"at": now_text(), "seconds": proof.seconds, "tables": len(proof.tables)}
    said["rows"] = sum(table.rows for table in proof.tables.values())
    again = _again(first, {"proven": said}, request, settings.spool_dir)
    write_whole(path, again, private=request.secrets == "include")
    return proof


def _again(path: Path, said: Mapping[str, Any], request: Request, folder: str | None) -> Iterator[bytes]:
    """Yield the bytes of the same document with the facts in ``said`` added to its head."""
    with ExitStack() as stack:
        file, first = stack.enter_context(path.open("rb")), stack.enter_context(path.open("rb"))
        name, how, content, _ = detect(file, TRUSTING)
        form = get_format(name or "")
        assert form.decode is not None and form.encode is not None
        dataset = stack.enter_context(form.decode(content, TRUSTING))
        moment = parse_moment(dataset.head["created_at"])
        facts: dict[str, tuple[ColumnFacts, ...]] = {}
        if name == PACKAGE or form.one_table or dataset.names_files:
            with form.decode(first, TRUSTING) as looked_at:
                facts = {t.name: survey(t.batches, len(t.fields)) for t in looked_at.tables}
            request = request.model_copy(update={"members": request.members or _members(request)})
        changed = replace(dataset, head={**dataset.head, **said}, tables=_with_facts(dataset, facts))
        options = Options(request, folder, path.name.partition(".")[0], moment)
        chunks = form.encode(changed, options)
        with closing(chunks if how is None else compressed(chunks, how)) as given:  # type: ignore[type-var]
            yield from given


def _members(request: Request) -> str:
    """Return the format of a package's files: the requested one if its files hold one table each, else the default."""
    form = get_format(request.format)
    return form.name if form.holds_one and form.member is not None else DEFAULT_MEMBER


def _with_facts(dataset: Dataset, facts: Mapping[str, tuple[ColumnFacts, ...]]) -> Iterator[TableStream]:
    for table in dataset.tables:
        known = facts.get(table.name)
        yield table if known is None else replace(table, facts=partial(_looked_up, known))


def _looked_up(facts: tuple[ColumnFacts, ...]) -> tuple[ColumnFacts, ...]:
    return facts
