"""Dates and moments in the words of a language."""

from __future__ import annotations

import re
from functools import cache

from ...description.language.catalogue import Words, words_in

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)


def moment_in_words(value: str, say: Words) -> str | None:
    """Return a date or a moment (ISO 8601) in words; None if a text is neither."""
    found = _MOMENT.fullmatch(value) if 10 <= len(value) <= 35 else None
    if found is None or not 1 <= int(found[2]) <= 12 or not 1 <= int(found[3]) <= 31:
        return None
    told = say("dossier.date", day=int(found[3]), month=_months(say.language)[int(found[2]) - 1], year=found[1])
    if found[4] and (found[4], found[5], found[6]) != ("00:00", ":00", None):  # a day, as some programs store it
        told = say("dossier.moment", date=told, time=found[4] + (found[5] or "").replace(":00", ""))
    if found[6]:
        told += " UTC" if found[6] in ("Z", "+00:00") else f" UTC{found[6]}"
    return told


@cache
def _months(language: str) -> list[str]:
    return words_in(language)("dossier.months").split()
