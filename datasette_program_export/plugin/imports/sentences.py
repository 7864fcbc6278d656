"""What the import page says of a file: what it is, whether it is whole, what importing it does or did."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import RequestError
from ...importing.report import EDITED, OTHER_KIND, Finding, ImportReport
from ..server.import_runner import Import
from ..words import Words

NEWS = ("changed", "unseen")
STAGES = ("reading", "waiting", "copying", "writing")
_COUNTS = (  # counts of the report, and whether they are told where there are none
    ("insert", True),
    ("update", True),
    ("conflict", False),
    ("skip", False),
    ("unchanged", True),
)
_KINDS = (  # of findings that have a sentence where their own is not known in the reader's language
    "file", "other_kind", "table", "column", "type", "key", "duplicate", "not_null", "check", "unique", "reference",
    "value", "cell", "line", "json", "index", "trigger",
)  # fmt: skip


def what_it_is(words: Words, one: Import, report: ImportReport | None, title: str | None) -> str:
    """Return what the file is: "An export of Anna Berg from practice", "A CSV file for rooms".

    ``title`` is that of its one record, if it is known."""
    if report is None or report.format is None:
        return words("import.what.file", file=one.file)
    about, asked = report.export, report.export.get("request")
    if about.get("source"):
        asked = asked if isinstance(asked, dict) else {}
        table, records = asked.get("table"), asked.get("records")
        if about.get("scope") == "record" and isinstance(records, list):
            if title is not None:
                found = words("import.what.record", title=title, source=about["source"])
            else:
                found = words("import.what.records", n=len(records), table=table, source=about["source"])
            return found if asked.get("cascade") is False else words("import.what.linked", what=found)
        if about.get("scope") == "table":
            return words("import.what.table", table=table, source=about["source"])
        return words(
            "import.what.query" if about.get("scope") == "query" else "import.what.database", source=about["source"]
        )
    kind = (report.format or "").removeprefix("nd").upper()
    if len(report.tables) == 1:
        return words("import.what.plain_for", kind=kind, table=next(iter(report.tables)))
    return words("import.what.plain", kind=kind)


def whether_whole(words: Words, report: ImportReport) -> tuple[str, str, str] | None:
    """Return a mark, a CSS class and a sentence that say whether the file is complete; None if nothing is known."""
    if any(f.kind in ("file", OTHER_KIND) for f in report.findings):
        if report.format in ("csv", "json"):  # what is asked is asked before the rows are read
            return None
        return "✗", "cut", words("import.whole.no")
    if report.layout is not None or report.format is None:
        return "?", "unknown", words("import.whole.unknown")
    if any(note.kind == EDITED for note in report.notes):
        return "✎", "unknown", words("import.whole.edited")
    return "✓", "complete", words("import.whole.yes")


def counted(words: Words, report: ImportReport) -> list[str]:
    """Return how many rows are new, changed, there already, and so on."""
    found = {name: report.total(name) for name, _ in _COUNTS}
    told = [words(f"import.count.{name}", n=found[name]) for name, always in _COUNTS if found[name] or always]
    if report.set_aside:
        told.append(words("import.count.set_aside", n=report.set_aside))
    return told if report.tables else []


def differing(words: Words, report: ImportReport) -> list[str]:
    """Return for each table how many rows are there with other values, which stand against the import."""
    return [words("import.differ", n=t.conflict, table=name) for name, t in report.tables.items() if t.conflict]


def waiting_sentence(words: Words, one: Import) -> str:
    """Return what is known of a file that was sent before."""
    report = ImportReport.model_validate(one.report) if one.report is not None else None
    if one.state == "previewed" and report is not None:
        if not report.ok:
            return words("import.state.asked")
        n = report.total("insert") + report.total("update")
        return words("import.waiting.changes", n=n) if n else words("import.waiting.nothing")
    return state_sentence(words, one)


def state_sentence(words: Words, one: Import) -> str:
    """Return the state of a file as the page tells it: one that fails for want of an answer is asked about."""
    state = "asked" if one.state == "failed" and one.status == RequestError.status else one.state
    return words(f"import.state.{state}")


def findings_told(words: Words, findings: Sequence[Finding]) -> list[str]:
    """Return what findings say, each once; by place and kind where their own words are known in English only."""
    return list(dict.fromkeys(words.translated(f.message) or _by_kind(words, f) for f in findings))


def notes_told(words: Words, notes: Sequence[Finding]) -> list[str]:
    """Return what notes say, and how many more there are that are known in English only."""
    known = list(filter(None, (words.translated(note.message) for note in notes)))
    more = len(notes) - len(known)
    return known + ([words("import.noted", n=more)] if more else [])


def _by_kind(words: Words, finding: Finding) -> str:
    place = [finding.table, finding.column]
    if finding.row is not None:
        place.append(words("import.in_row", number=words.number(finding.row)))
    if finding.line is not None:
        place.append(words("import.in_line", number=words.number(finding.line)))
    kind = finding.kind if finding.kind in _KINDS else "other"
    return ": ".join(filter(None, (", ".join(filter(None, place)), words(f"import.finding.{kind}"))))
