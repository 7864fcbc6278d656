"""Detects the kind of another program's file by its first bytes."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

import msgspec

from ...errors import OtherKindError, RequestError, UnreadableError
from ...files.input_file import open_input
from ...files.reading_limits import Limits
from ...formats.registry import detect
from ...formats.registry.other_programs import kind_of, refuse
from ..choices import ImportChoices
from ..report import ImportReport
from ..staging.columns import ColumnMapping
from .concerns import check_concerned, check_nothing_to_make
from .csv.encoding import check_encoding, encoding_of
from .csv.reading import read_csv
from .csv.survey import look_at_csv
from .destination import table_of
from .json.document import JsonDocument, from_text
from .json.lines import read_lines
from .json.source import as_utf8
from .json.yaml import as_json, is_yaml
from .parquet.reading import PARQUET, read_parquet
from .rows import ForeignRows
from .sql.reading import is_script, read_script
from .survey import Survey
from .workbook import is_workbook, read_workbook

Content = Callable[[], AbstractContextManager[IO[bytes]]]
BINARY = (b"PK\3\4", b"SQLite format 3")
_START = 1 << 20
_NO_TABLES = (
    "The target has no tables, and the file does not say how they are made. With the argument create they are "
    "made as its rows need them; programjson, ndjson with its envelope and packages of this program bring "
    "theirs along."
)
_one_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_foreign(
    path: Path, intake: ColumnMapping, choices: ImportChoices, report: ImportReport, limits: Limits
) -> None:
    """Stage all rows of such a file. Raises UnreadableError, and RequestError if a choice is missing."""

    @contextmanager
    def content() -> Iterator[IO[bytes]]:
        with open_input(path) as file:
            yield detect(file, limits)[2]

    with content() as file:
        start = file.read(_START)
    if start.startswith(BINARY) and is_workbook(path, limits):
        if not intake.schema and not choices.create:
            raise RequestError(_NO_TABLES)
        check_concerned(choices, "workbook")
        read_workbook(path, intake, choices, report, limits)
        return
    if start.startswith(PARQUET):
        check_concerned(choices, "columns")
        read_parquet(content, intake, choices, report, limits)
        return
    if (kind := kind_of(start)) is not None:
        raise refuse(kind)
    if start.startswith(BINARY):
        raise OtherKindError("This file is none that can be imported: no package of this program, no JSON, no CSV.")
    if is_script(start, intake.file):
        check_concerned(choices, "script")
        report.layout = read_script(content, intake, report, limits)
        return
    if not intake.schema and not choices.create:
        raise RequestError(_NO_TABLES)
    if choices.encoding is not None:
        check_encoding(choices.encoding)
    if is_yaml(intake.file):
        _yaml(content, intake, choices, report, limits)
        return
    first = _beginning(start, content, choices)
    if first[:1] in (b"{", b"["):
        opened, encoding = as_utf8(content, choices)
        report.format = "ndjson" if _is_lines(path, first) else "json"
        if not encoding.startswith("utf-8"):
            intake.findings.add("read", f"The file is {encoding}, which JSON is not as a rule.", error=False)
        if report.format == "ndjson":
            check_concerned(choices, "lines")
            report.layout, rows = read_lines(opened, intake, choices, limits)
            _tell(rows, intake, report)
        else:
            report.layout = _json(opened, encoding, intake, choices, report, limits)
        return
    _csv(start, content, intake, choices, report, limits)


def _csv(
    start: bytes,
    content: Content,
    intake: ColumnMapping,
    choices: ImportChoices,
    report: ImportReport,
    limits: Limits,
) -> None:
    report.format = "csv"
    check_concerned(choices, "csv")
    if b"\0" in start and not _may_be_text(start, content, choices):
        raise OtherKindError("This file is none that can be imported: no JSON, no CSV, and nothing of this program.")
    choices, begins = look_at_csv(content, intake, choices, limits)
    report.layout = read_csv(content, table_of(intake, choices), intake, choices, limits, begins=begins)


def _beginning(start: bytes, content: Content, choices: ImportChoices) -> bytes:
    """Return the beginning of the file as UTF-8, without what may stand before JSON."""
    try:
        encoding = choices.encoding or encoding_of(start, content)[0]
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except (UnreadableError, UnicodeError):  # told by who reads it as a whole
        return start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text.lstrip("\ufeff \t\r\n").encode("utf-8", "surrogatepass")


def _may_be_text(start: bytes, content: Content, choices: ImportChoices) -> bool:
    """Return whether a file with zero bytes is text: in UTF-16 or UTF-32, or with a few in cells below the header."""
    try:
        encoding = choices.encoding or encoding_of(start, content)[0]
    except UnreadableError:
        return False
    return not encoding.lower().startswith("utf-8") or b"\0" not in start.splitlines()[0]


def _is_lines(path: Path, first: bytes) -> bool:
    """Return whether each line is one object, by the file's suffix or because a second line looks like the first."""
    line, end, rest = first.partition(b"\n")
    names = {suffix.lower() for suffix in path.suffixes}
    if not end and len(first) > _START // 2:  # the first line is longer than the part that was read
        return line.startswith(b"{") and bool(names & {".ndjson", ".jsonl", ".nl"})
    if not line.startswith(b"{") or not line.rstrip().endswith(b"}") or not _may_be_row(line):
        return False
    return bool(names & {".ndjson", ".jsonl", ".nl"}) or rest.lstrip()[:1] == b"{"


def _may_be_row(line: bytes) -> bool:
    """Return whether a line is one object, and not several or a part of one; a faulty one may be."""
    try:
        _one_object(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return "trailing characters" not in str(error)
    return True


def _yaml(
    content: Content, intake: ColumnMapping, choices: ImportChoices, report: ImportReport, limits: Limits
) -> None:
    report.format = "yaml"
    check_concerned(choices, "indented")
    with as_json(content, choices, limits) as made:
        report.layout = _json(made, "utf-8", intake, choices, report, limits)


def _json(
    opened: Content,
    encoding: str,
    intake: ColumnMapping,
    choices: ImportChoices,
    report: ImportReport,
    limits: Limits,
) -> str:
    if choices.create or choices.alter:
        survey = Survey(intake, choices)
        JsonDocument(opened, survey, choices, limits, encoding).read()
        survey.end()
    else:
        check_nothing_to_make(choices, choices.table)
    rows = ForeignRows(intake, choices, limits=limits)
    document = JsonDocument(opened, rows, choices, limits, encoding)
    document.read()
    layout = document.layout
    if not document.texts:  # which may be CSV
        check_concerned(choices, "json")
    if choices.create and not any(rows.seen.values()):
        _check_columns_known([*rows.seen, *filter(None, [choices.table])], intake, document)
    if not any(rows.seen.values()):
        for name, text in document.texts.items():
            _text(name or document.facts.get("table") or choices.table, text, rows, intake, choices, limits)
    rows.end()
    _tell(rows, intake, report)
    if not rows.seen and not document.texts and layout == "tables of rows":
        raise UnreadableError(
            "There is no table of rows in the file, in none of the layouts that are known.", "unknown"
        )
    return layout


def _check_columns_known(names: list[str], intake: ColumnMapping, document: JsonDocument) -> None:
    """Check that no table would have to be made of no rows. Raises UnreadableError."""
    if not document.texts and not any(intake.schema.find(name) is not None for name in names):
        raise UnreadableError(
            "The file has no rows, so it is not known which columns a new table would have.", "unknown"
        )


def _text(
    table: object, text: str, rows: ForeignRows, intake: ColumnMapping, choices: ImportChoices, limits: Limits
) -> None:
    """Stage what an export's ``data`` text holds: a JSON document, or a table as CSV."""
    named = table if isinstance(table, str) else None
    if text.lstrip()[:1] in ("{", "["):
        inner = JsonDocument(
            from_text(text), rows, choices.model_copy(update={"table": named, "rows_at": None}), limits
        )
        inner.read()
        return
    if not text.strip():
        return
    if named is None:
        raise RequestError("The file holds CSV and names no table: give the argument table.")
    found = intake.find(named)
    rows.seen.setdefault(named, 0)
    if found is not None:
        plain = choices.model_copy(update={"encoding": "utf-8"})
        read_csv(from_text(text), found, intake, plain, limits, bare=False)


def _tell(rows: ForeignRows, intake: ColumnMapping, report: ImportReport) -> None:
    for name, keys in rows.ignored.items():
        if not name.startswith("\0"):
            told = f"{', '.join(sorted(keys))} of {name}: computed, not stored; ignored."
            intake.findings.add("computed", told, name, error=False)
    for name in rows.seen:
        if intake.schema.find(name) is None and not rows.seen[name]:
            intake.findings.add(
                "table", f"{name} has no rows in the file, and is not in the target.", name, error=False
            )
