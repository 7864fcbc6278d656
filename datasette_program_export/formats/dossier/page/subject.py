"""Who or what a dossier is about: its title, and the order in which its tables are read."""

from __future__ import annotations

from functools import cached_property

from ...dataset import Dataset
from ..kept_rows import KeptRows
from .naming import Naming


class Subject:
    """What was asked for. Ask for it after all rows are kept."""

    def __init__(self, dataset: Dataset, naming: Naming, kept: KeptRows) -> None:
        self._dataset, self._naming, self._kept = dataset, naming, kept
        self._head = dataset.head

    @cached_property
    def table(self) -> str | None:
        """The table that was asked for, by its name in the document; None for a database or a query."""
        asked = str(self._head["request"].get("table", "")).casefold()
        return next((name for name in self._kept.tables if name.casefold() == asked), None)

    @cached_property
    def one(self) -> str | None:
        """The table of the one record that was asked for; None if there is not exactly one."""
        if self._head["scope"] != "record" or self.table is None or len(self._head["request"].get("records", ())) != 1:
            return None
        return self.table if self._kept.tables[self.table].rows == 1 else None

    @property
    def title(self) -> str:
        """The title of the page; it is not escaped."""
        say = self._naming.say
        if self.one is not None:
            table = self._kept.tables[self.one]
            title = self._naming.row(table, self._kept.row(table, 1), 1)
            if self._naming.title_columns(self.one):
                return title
            return f"{self._naming.one(self.one)} {' '.join(map(str, self._head['request']['records'][0]))}"
        if self.table is not None:
            return self._naming.table(self.table)
        if self._head["scope"] == "query":
            return str(self._head["request"].get("name") or say("dossier.query"))
        return str(self._head["source"])

    @property
    def eyebrow(self) -> str:
        """What the page is, in few words above its title."""
        say = self._naming.say
        if self.one is not None:
            return say("dossier.about_one", label=self._naming.one(self.one))
        kinds = {"record": "dossier.about_several", "table": "dossier.about_table", "query": "dossier.about_query"}
        return say(kinds.get(self._head["scope"], "dossier.about_database"))

    @cached_property
    def order(self) -> list[str]:
        """The tables in the order of reading: what was asked for, what belongs to it, what it refers to."""
        wanted = self._naming.preset.order if self._naming.preset is not None else []
        groups = self._dataset.coverage().tables
        names = list(self._kept.tables)

        def place(name: str) -> tuple[bool, bool, int, int]:
            group = groups.get(name)
            needed = group is not None and not group.belongs
            known = wanted.index(name) if name in wanted else len(wanted)
            return name != self.table, needed, known, names.index(name)

        return sorted(names, key=place)
