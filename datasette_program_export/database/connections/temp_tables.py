"""The names of a connection's TEMP tables, which are emptied and used again instead of being made anew.

The same request then sends the same statements, and SQLite runs those that it has compiled.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable


class TempTables:
    """The TEMP tables of one connection. Their names have a random part, so that no name in a database is like them."""

    def __init__(self) -> None:
        self._prefix = f"program_export_{secrets.token_hex(8)}"
        self._made: dict[str, tuple[str, str]] = {}
        self._free: dict[tuple[str, str], list[str]] = {}
        self._indexed: set[str] = set()

    def __len__(self) -> int:
        return len(self._made)

    def take(self, about: str, definition: str) -> tuple[str, bool]:
        """Return a name for a table of this definition, and whether it must be created; else it exists, empty.

        ``about`` is the table whose rows it concerns: the same one gets the same names again."""
        kind = about, definition
        if free := self._free.get(kind):
            return free.pop(), False
        name = f'temp."{self._prefix}_{len(self._made)}"'
        self._made[name] = kind
        return name, True

    def give_back(self, name: str) -> None:
        """Let a table be taken again; it has been emptied."""
        self._free.setdefault(self._made[name], []).append(name)

    def take_index(self, name: str) -> bool:
        """Return whether the table's index must be created."""
        new = name not in self._indexed
        self._indexed.add(name)
        return new

    def taken(self) -> Iterable[str]:
        """Return the tables that are not given back, the first one last: given back so, it is taken first again."""
        free = {name for names in self._free.values() for name in names}
        return [name for name in reversed(self._made) if name not in free]
