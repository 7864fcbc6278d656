"""Names of sheets: up to 31 characters, without some signs, unique whatever the case (Excel's rules)."""

from __future__ import annotations

import re
from collections.abc import Iterable

README, LONG_TEXTS, DESCRIPTION = "Read me", "Long texts", "program_export"
_MOST = 31
_NOT_ALLOWED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\[\]:*?/\\]")


class SheetNames:
    """Gives each sheet a name; those of our own sheets, and Excel's History, are taken."""

    def __init__(self) -> None:
        self._taken = {name.casefold() for name in (README, LONG_TEXTS, DESCRIPTION, "History")}

    def of(self, tables: Iterable[str]) -> dict[str, str]:
        """Return a name for each table: its own, as far as that can be."""
        return {table: self._free(table, 1) for table in tables}

    def next(self, name: str, number: int) -> str:
        """Return the name of the sheet on which another goes on, as its ``number``-th."""
        return self._free(name, number)

    def _free(self, wanted: str, number: int) -> str:
        base = _NOT_ALLOWED.sub("_", wanted).strip("'") or "table"
        while True:
            end = f" ({number})" if number > 1 else ""
            name = _cut(base, _MOST - len(end)) + end
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name
            number += 1


def _cut(text: str, most: int) -> str:
    while len(text.encode("utf-16-le")) > 2 * most:  # as Excel counts
        text = text[:-1]
    return text.rstrip("'") or "_"
