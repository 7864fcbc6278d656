"""The files that rows name as sentences: how many of them are in a file, which are not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .coverage import ColumnFiles
from .phrases import ENGLISH, Say


def files_in_all(found: Sequence[ColumnFiles], say: Say = ENGLISH) -> str | None:
    """Return ``3 of 5 files that rows name, 1,234 bytes``; None where rows name none."""
    named, inside = sum(one.named for one in found), sum(one.inside for one in found)
    if not named:
        return None
    size = say.number(sum(one.bytes for one in found))
    return say("files.in_all", named, inside=say.number(inside), size=size)


def file_sentences(found: Sequence[ColumnFiles], say: Say = ENGLISH) -> Iterator[str]:
    """Yield a sentence for each reason for which files of a column are not included."""
    for one in found:
        for gap in one.gaps:
            column, named = f"{one.table}.{one.column}", say.number(one.named)
            told = say(f"files.{gap.why}", gap.files, column=column, named=named)
            yield _with_names(told, gap.names, gap.files, say)


def _with_names(sentence: str, names: Sequence[str], files: int, say: Say) -> str:
    if not names:
        return f"{sentence}."
    shown = ", ".join(_short(name) for name in names)
    more = files - len(names)
    if more > 0:
        shown = say("and_more", first=shown, count=say.number(more))
    return f"{sentence}: {shown}."


def _short(name: str) -> str:
    visible = "".join(c if c.isprintable() else "?" for c in name)
    return visible if len(visible) <= 80 else f"{visible[:79]}…"
