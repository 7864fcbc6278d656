"""package: a zip with one file per table, a README.txt, and ``datapackage.json``, which describes them.

The zip's comment is the SHA-256 of every byte before it, so the file proves itself as a
whole; each table also has its own digest. Its texts are read back without ambiguity, because each
column is examined before it is written (``column_facts``): NULL differs from an empty text, and a value
that could be read as another storage class is written as JSON.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import IO, Any

import msgspec

from ...errors import UnreadableError
from ...files.beside import Beside, Hash
from ...files.names import member_names
from ...files.reading_limits import Limits
from ...files.zip_reading import Unpacking
from ...files.zip_writing import Member, sealed
from ...options.request import DEFAULT_MEMBER, Request
from ..dataset import Dataset, Field, Row, TableStream, Value
from ..description.column_facts import ColumnFacts
from ..description.coverage import parsed_coverage
from ..description.coverage_text import coverage_sentences
from ..description.integrity import parsed_integrity
from ..description.language.catalogue import ENGLISH, words_in
from ..description.schema import parsed_schema
from ..document import description, tables_of
from ..registry import Format, Options, get_format
from ..registry.members import Column, MemberFile
from ..registry.other_programs import kind_of_zip, refuse
from ..values import InFile, json_value
from .blob_reading import BlobReader
from .blob_writing import BlobFiles, TableBlobs
from .datapackage import BLOBS, FILES, KEY, VERSION, Resource, check_files, descriptor
from .file_reading import PackagedFiles, parsed_files
from .file_writing import NamedFileMembers
from .readme import NAME as README
from .readme import readme
from .start_page import NAME as START
from .start_page import start_page

DESCRIPTION = "datapackage.json"
_json = msgspec.json.Encoder().encode
_START = 120  # bytes in which other programs' zips say what they are


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the zip in pieces; memory holds one piece at most."""
    return sealed(_members(dataset, options), options.moment, options.beside)


def _members(dataset: Dataset, options: Options) -> Iterator[Member]:
    form = get_format(options.request.members or DEFAULT_MEMBER)
    described = form.described and options.request.dialect == "exact"
    names = member_names(dataset.schema.tables, form.extension)
    resources: list[Resource] = []
    blobs, named = BlobFiles(options.folder), NamedFileMembers()
    for table in dataset.tables:
        facts = table.facts() if described and table.facts is not None else None
        moved = blobs.of_table(table.name, table.fields, dataset.schema.tables[table.name].primary_key)
        apart = keeps_blobs_apart(form, facts, options.request)
        with closing(moved):
            written = _Written(form, table, facts, moved if apart else None, options.beside)
            path = f"data/{names[table.name]}"
            yield Member(path, written.chunks(options.request), form.compressed)
            yield from moved.members()
            yield from named.of_table(table, moved)
        size, digest = written.bytes, written.sha256.hexdigest
        resources.append(Resource(table.name, table.fields, path, form.name, size, digest, facts, moved.columns))
    kept_back = coverage_sentences(dataset.coverage())
    text = readme(dataset, resources, kept_back, options.request.dialect == "exact", len(blobs.described)).encode()
    yield Member(README, iter([text]))
    files = {README: _facts_of(text)}
    if options.request.guide == "page":
        exact, say = options.request.dialect == "exact", words_in(options.request.language or ENGLISH)
        apart_from = len(blobs.described) + len(named.described)
        page = start_page(dataset, options.title, resources, apart_from, exact, say).encode("utf-8", "replace")
        yield Member(START, iter([page]))
        files[START] = _facts_of(page)
    dialect = form.dialect(options.request) if form.delimiter is not None else None
    own: dict[str, Any] = {BLOBS: blobs.described, FILES: named.described}
    found = descriptor(dataset, options.title, resources, files, own, dialect)
    yield Member(DESCRIPTION, iter([msgspec.json.format(_json(found), indent=2) + b"\n"]))


def _facts_of(file: bytes) -> dict[str, Any]:
    return {"bytes": len(file), "hash": f"sha256:{hashlib.sha256(file).hexdigest()}"}


def keeps_blobs_apart(form: Format, facts: Sequence[ColumnFacts] | None, request: Request) -> bool:
    """Return whether BLOBs of a table may become files: it has some, as far as known, and its format can name them."""
    assert form.member is not None
    some = facts is None or any(bytes in f.classes for f in facts)
    return request.blobs == "files" and form.member.names_files and some


class _Written:
    """One table's file; its size and digest are measured while it is written. ``blobs`` takes what becomes a file."""

    def __init__(
        self,
        form: Format,
        table: TableStream,
        facts: tuple[ColumnFacts, ...] | None,
        blobs: TableBlobs | None,
        beside: Beside,
    ) -> None:
        self.form, self.table, self.facts, self.blobs = form, table, facts, blobs
        self.bytes = 0
        self.sha256 = Hash(beside)

    def chunks(self, request: Request) -> Iterator[bytes]:
        assert self.form.encode_table is not None
        table = self.table
        if self.blobs is not None:
            table = replace(table, batches=self.blobs.named(table.batches), written=None)
        if self.facts is not None:
            null = self.facts[0].null if len(self.facts) == 1 else None
            if is_unmistakable(self.facts):
                table = replace(table, null=null)
            else:
                rows = unmistakable(table.batches, self.facts)
                table = replace(table, batches=rows, null=null, written=None)
        if self.blobs is not None and self.form.described:
            table = replace(table, batches=as_texts(table.batches))
        for chunk in self.form.encode_table(table, request):
            self.sha256.update(chunk)
            self.bytes += len(chunk)
            yield chunk


def is_unmistakable(facts: Sequence[ColumnFacts]) -> bool:
    """Return whether each cell of these columns shows its value as it is."""
    alone = len(facts) == 1
    return not any(f.kind == "mixed" or (f.null and not alone) for f in facts)


def unmistakable(batches: Iterable[list[Row]], facts: Sequence[ColumnFacts]) -> Iterator[list[Row]]:
    """Yield the rows, with words in place of NULL and JSON in place of mixed values as the facts require."""
    alone = len(facts) == 1
    for batch in batches:
        columns: list[Sequence[Value]] = list(zip(*batch))
        for i, (column, known) in enumerate(zip(columns, facts)):
            if known.kind == "mixed":
                columns[i] = [None if v is None else _json(json_value(v)).decode() for v in column]
            elif known.null and not alone:
                columns[i] = [known.null if v is None else v for v in column]
        yield list(zip(*columns))


def as_texts(batches: Iterable[list[Any]]) -> Iterator[list[Row]]:
    """Yield the rows with the path of a file where they name one."""
    for batch in batches:
        columns: list[Sequence[Any]] = list(zip(*batch))
        for i, column in enumerate(columns):
            if InFile in set(map(type, column)):
                columns[i] = [v.path if isinstance(v, InFile) else v for v in column]
        yield list(zip(*columns))


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a package; ``file`` must be seekable.

    Raises UnreadableError as programjson's ``decode`` does. A package that was unpacked and packed again
    has lost its comment; then each file is still compared with its own digest."""
    zipped = Unpacking(file, limits)
    if DESCRIPTION not in zipped.names:
        file.seek(0)
        raise refuse(kind_of_zip(zipped.names, file.read(_START)))
    with zipped.open(DESCRIPTION) as described:
        data = _read(described, limits)
    found = description(data, DESCRIPTION, limits)
    del data
    about = found.get(KEY)
    if not isinstance(about, dict) or about.get("format") != "package":
        raise UnreadableError("This zip is a Data Package, but of another program.", "unknown")
    try:
        if about["version"] != VERSION:
            raise UnreadableError(f"This is version {about['version']} of package; version {VERSION} is known.")
        resources = {r[KEY]["table"]: r for r in found["resources"]}
        files = {r["path"] for r in found["resources"]} | about["files"].keys() | {DESCRIPTION}
        named = PackagedFiles(zipped, parsed_files(about.get(FILES, {}), tables_of(parsed_schema(about["schema"]))))
        files |= about.get(BLOBS, {}).keys() | named.paths
        if list(resources) != list(about["schema"]["tables"]) or len(resources) != len(found["resources"]):
            raise UnreadableError("The tables and the files that datapackage.json names do not fit.")
        schema = parsed_schema(about["schema"])
        if about["integrity"]["complete"] is not True:
            raise UnreadableError("The package says itself that it is not complete.")
        importable = bool((about["dialect"] or {}).get("importable", True))
        check_files(found, importable)
        if stray := zipped.names - files:
            raise UnreadableError(f"There are files in the zip that it does not name: {', '.join(sorted(stray)[:5])}.")
        return Dataset(
            head=about["export"],
            schema=schema,
            tables=_tables(zipped, resources, tables_of(schema), about, limits, named),
            coverage=partial(parsed_coverage, dict(about["coverage"])),
            integrity=partial(parsed_integrity, dict(about["integrity"])),
            readable=importable,
            files=named.files,
            opened=named.opened,
            names_files=bool(named.files),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UnreadableError("datapackage.json is not as this program writes it.") from None


def _read(described: IO[bytes], limits: Limits) -> bytes:
    data = io.BytesIO()
    while piece := described.read(1 << 20):
        data.write(piece)
        if data.tell() > limits.description:
            break  # ``description`` raises for it
    return data.getvalue()


def _tables(
    zipped: Unpacking,
    resources: Mapping[str, Any],
    tables: Mapping[str, tuple[Field, ...]],
    about: Mapping[str, Any],
    limits: Limits,
    named: PackagedFiles,
) -> Iterator[TableStream]:
    blobs = BlobReader(zipped, about.get(BLOBS, {}), limits)
    for name, resource in resources.items():
        fields = tables[name]
        file = zipped.open(resource["path"], resource["hash"], resource["bytes"])
        rows = _rows(file, name, resource, fields, about, limits)
        yield TableStream(name, fields, blobs.filled(rows, name), files=partial(named.of_table, name))
    blobs.check_the_rest(bool((about["dialect"] or {}).get("importable", True)))
    named.check_the_rest()
    for path, known in about["files"].items():
        with zipped.open(path, known["hash"], known["bytes"]) as file:
            while file.read(1 << 20):
                pass


def _rows(
    file: IO[bytes],
    table: str,
    resource: Mapping[str, Any],
    fields: Sequence[Field],
    about: Mapping[str, Any],
    limits: Limits,
) -> Iterator[list[Row]]:
    form = get_format(resource["format"])
    assert form.member is not None
    with file:
        if not form.described:
            yield from form.member.read(MemberFile(file, resource["path"], table, fields, limits))
            return
        if not (about["dialect"] or {}).get("importable", True):
            while file.read(1 << 20):  # made for a spreadsheet: check the bytes, but do not read the values
                pass
            return
        columns = []
        for field in resource["schema"]["fields"]:
            null = field["missingValues"]
            columns.append(Column(field["name"], field[KEY]["kind"], null[0] if null else None))
        if [c.name for c in columns] != [f.name for f in fields]:
            raise UnreadableError(f"The columns of {table} are not the same in both parts of datapackage.json.")
        delimiter = resource["dialect"]["delimiter"] if form.delimiter is not None else ""
        yield from form.member.read(MemberFile(file, resource["path"], table, fields, limits, columns, delimiter))


FORMAT = Format(
    name="package",
    help="A zip with one plain table for each table, described (Data Package) and proven complete.",
    extension="zip",
    media_type="application/zip",
    lossless=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    delimiter=",",
    any_delimiter=True,
    good_for="giving it to somebody, who can open the tables in any program and check that all is there",
    purpose="keep",
    beginnings=(b"PK\x03\x04", b"PK\x05\x06"),
    ending="zip",
    compressed=True,
    holds_files=True,
)
