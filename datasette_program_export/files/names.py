"""File names that are safe on every system (https://learn.microsoft.com/windows/win32/fileio/naming-a-file)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\s]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)


def safe(text: str, longest: int = 60) -> str:
    """Return the text as a part of a file name, ``longest`` characters at most, without a dot or hyphen at its ends.

    Letters of any script stay. Invisible characters (category Cf) are removed: those that change the writing
    direction can hide an extension."""
    seen = "".join(c for c in text.encode("utf-8", "replace").decode() if unicodedata.category(c) != "Cf")
    name = _UNSAFE.sub("-", unicodedata.normalize("NFC", seen))
    name = name[:longest].strip("-. ")
    return _RESERVED.sub(r"\1-", name, count=1) if _RESERVED.match(name) else name or "unnamed"


def export_name(database: str, scope: str, title: str, moment: datetime, extension: str) -> str:
    """Return ``<database>_<scope>[_<title>]_<YYYYMMDDTHHMMSSZ>.<ext>``."""
    parts = [safe(database), safe(scope), *([safe(title)] if title else []), moment.strftime("%Y%m%dT%H%M%SZ")]
    return "_".join(parts) + f".{extension}"


def member_names(names: Iterable[str], extension: str) -> dict[str, str]:
    """Return a file name for each table, unique even if case is ignored."""
    taken = Names(100)
    return {name: f"{taken.of(name)}.{extension}" for name in names}


class Names:
    """Gives names of ``longest`` characters and a number, unique in one folder even if case is ignored."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}  # the last one of each name, so that many alike cost no more

    def of(self, text: str) -> str:
        """Return a name for a text, another one each time."""
        base = candidate = safe(text, self._longest)
        number = self._numbers.get(base.casefold(), 1)
        while candidate.casefold() in self._taken:
            number += 1
            candidate = f"{base}_{number}"
        self._numbers[base.casefold()] = number
        self._taken.add(candidate.casefold())
        return candidate
