"""What the tables, columns and rows of a dossier are called: by settings, the preset, or their own names as words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from ....database.schema import fold
from ....errors import ExportError
from ....options.preset import Preset, load_preset
from ....options.settings import Subject
from ...dataset import Dataset, Row
from ...description.language.catalogue import Words
from ...registry import Options
from ..kept_rows import KeptTable
from .moments import moment_in_words

_USUAL = (("first_name", "last_name"), ("name",), ("title",), ("label",), ("company_name",))
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SHORT = 12  # characters of a key that a person can say
_LONGEST = 120  # characters of a title


class Naming:
    """``say`` gives the sentences of the dossier's language."""

    def __init__(self, dataset: Dataset, options: Options, say: Words) -> None:
        self._dataset, self._options, self.say = dataset, options, say
        known = {name: (s.label, s.plural) for name, s in self._subjects.items() if s.label and s.plural}
        self._labels: Mapping[str, tuple[str, str]] = say.labels({**known, **options.labels})

    @cached_property
    def preset(self) -> Preset | None:
        """The preset that the database was recognised by, where it is known here."""
        if (name := self._dataset.head.get("preset")) is not None:
            with suppress(ExportError):
                return load_preset(str(name))
        return None

    @property
    def _subjects(self) -> Mapping[str, Subject]:
        return self.preset.subjects if self.preset is not None else {}

    def labels(self) -> Mapping[str, tuple[str, str]]:
        """Return what one row and several are called, by table, where that is known."""
        return self._labels

    def table(self, name: str) -> str:
        """Return what a table's rows are called, as a heading."""
        return _begun(self._labels[name][1]) if name in self._labels else as_words(name)

    def one(self, name: str) -> str:
        """Return what one row of a table is called, as a heading."""
        return _begun(self._labels[name][0]) if name in self._labels else as_words(name)

    def column(self, name: str, key_of: str | None = None) -> str:
        """Return what a column is called; ``key_of`` is the table whose key it is."""
        if key_of is not None and as_words(name) != name and name.lower().endswith("id"):
            return self.say("dossier.key_of", table=self.one(key_of))
        key = f"dossier.column.{name.lower()}"
        if key in self.say.sentences:
            return self.say(key)
        return as_words(name)

    def about(self, table: str, column: str | None = None) -> str | None:
        """Return what somebody has said that a table or a column is, else what a preset of ours says."""
        said = self._descriptions.get((fold(table), column if column is None else fold(column)))
        return said if said or self.preset is None else self._about(str(self._dataset.head["preset"]), table, column)

    def _about(self, preset: str, table: str, column: str | None) -> str | None:
        """Return what this program knows of a table or a column of a known application."""
        places = ["tables"] if column is None else [f"columns.{fold(table)}", "columns.any"]
        last = fold(table if column is None else column)
        for place in places:
            if f"preset.{preset}.{place}.{last}" in self.say.sentences:
                return self.say(f"preset.{preset}.{place}.{last}")
        return None

    @cached_property
    def _descriptions(self) -> Mapping[tuple[str, str | None], str]:
        found: dict[tuple[str, str | None], str] = {(fold(t), None): x for t, x in self._options.descriptions.items()}
        for table, columns in self._options.column_descriptions.items():
            found |= {(fold(table), fold(column)): said for column, said in columns.items()}
        return found

    def heads(self, table: str) -> Sequence[str]:
        """Return the columns that a preset has head a row: what they say need not be said again below it."""
        return self.preset.told_by.get(table, ()) if self.preset is not None else ()

    def title_columns(self, table: str) -> tuple[str, ...]:
        """Return the columns that name a row to a reader; empty if there are none."""
        columns = [c.name for c in self._dataset.schema.tables[table].columns]
        wanted = self._options.titles.get(table, ())
        if not wanted and self.preset is not None:
            subject = self.preset.subjects.get(table)
            wanted = tuple(subject.title if subject else ()) or tuple(self.preset.told_by.get(table, ()))
        if wanted := tuple(column for column in wanted if column in columns):
            return wanted
        by_form = {_HUMP.sub("_", c).lower(): c for c in columns}
        return next((tuple(by_form[n] for n in names) for names in _USUAL if set(names) <= by_form.keys()), ())

    def row(self, table: KeptTable, row: Row, line: int) -> str:
        """Return the title of a row: what its columns say, else what it is, with its key. It is not escaped."""
        values = [row[table.places[c]] for c in self.title_columns(table.name) if c in table.places]
        parts = [v if isinstance(v, str) else repr(v) for v in values if isinstance(v, (str, int, float))]
        told = " ".join(moment_in_words(part, self.say) or part for part in parts if part.strip())
        if not told:
            key = self._dataset.schema.tables[table.name].primary_key
            number = row[table.places[key[0]]] if len(key) == 1 and key[0] in table.places else None
            if isinstance(number, int) or (isinstance(number, str) and 0 < len(number) <= _SHORT):
                return f"{self.one(table.name)} {number}"
            return f"{self.one(table.name)} {self.say.number(line)}"
        return told if len(told) <= _LONGEST else told[:_LONGEST].rstrip() + "…"


def as_words(name: str) -> str:
    """Return the name of a table or column as words: ``birth_date`` as ``Birth date``."""
    parts = [part for part in re.split(r"[\s_\-.]+", _HUMP.sub(" ", name)) if part]
    if len(parts) > 1 and parts[-1].lower() == "id":
        parts.pop()
    if not parts:
        return name or "—"
    words = [part if part.isupper() and len(part) > 1 else part.lower() for part in parts]
    words = [part.upper() if part in ("id", "url", "utc", "ai", "html", "iso") else part for part in words]
    return _begun(" ".join(words))


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]
