"""Names of tables and columns as words: singular, plural, and the table that a name speaks of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from ..database.schema import Table
from ..selection.secrets import snake_case

_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
    "analyses": "analysis",
    "indices": "index",
    "statuses": "status",
    "addresses": "address",
    "series": "series",
    "species": "species",
    "news": "news",
}
_GERMAN = {  # the nouns that databases are full of; of others, only endings that leave no doubt are known
    "adressen": "adresse",
    "artikel": "artikel",
    "aufträge": "auftrag",
    "bilder": "bild",
    "bücher": "buch",
    "dateien": "datei",
    "dokumente": "dokument",
    "firmen": "firma",
    "gruppen": "gruppe",
    "horoskope": "horoskop",
    "kategorien": "kategorie",
    "klienten": "klient",
    "konten": "konto",
    "kunden": "kunde",
    "lieferanten": "lieferant",
    "länder": "land",
    "mitarbeiter": "mitarbeiter",
    "notizen": "notiz",
    "patienten": "patient",
    "personen": "person",
    "produkte": "produkt",
    "städte": "stadt",
    "termine": "termin",
    "verträge": "vertrag",
}
_IN_GERMAN = {one: many for many, one in _GERMAN.items() if one not in ("patient", "person", "land", "produkt")}
_GERMAN_ENDINGS = re.compile(r"(?:...ung|.heit|.keit|chaft|[st]ion)en$")
_GERMAN_ONE = re.compile(r"...ung$|.heit$|.keit$|chaft$")
_PLURALS = {one: many for many, one in _IRREGULAR.items()}
_UNCOUNTED = ("data", "info", "staff", "media", "history", "equipment", "personnel", "metadata")
_FILLERS = ("tbl", "tb", "t", "dim", "fact", "app")
# What only says that a column refers to something, in front of the name or behind it
MARKS = ("id", "ids", "key", "fk", "ref", "uuid", "guid", "no", "nr", "num", "number", "code", "pk")
_ENDING_S = re.compile(r"(s|x|z|ch|sh)$")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: ``order_details`` and ``OrderDetails`` are the same."""
    folded = snake_case(unicodedata.normalize("NFKC", name)).casefold()
    return tuple(re.findall(r"[^\W_]+", folded)) or (folded,)


def singular(word: str) -> str:
    """Return an English or German word's singular: ``company`` for ``companies``, ``kunde`` for ``kunden``.

    A word in the singular stays, and so does one of which it is not sure."""
    if word in _IRREGULAR or word in _GERMAN:
        return _IRREGULAR.get(word) or _GERMAN[word]
    if _GERMAN_ENDINGS.search(word):
        return word[:-2]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def plural(word: str) -> str:
    """Return an English word's plural, or that of a German one that is known: ``companies``, ``kunden``."""
    if word in _PLURALS or word in _IN_GERMAN or word in _UNCOUNTED:
        return _PLURALS.get(word) or _IN_GERMAN.get(word, word)
    if _GERMAN_ONE.search(word):
        return word + "en"
    if word.endswith("y") and word[-2:-1] not in ("a", "e", "i", "o", "u", ""):
        return word[:-1] + "ies"
    return word + ("es" if _ENDING_S.search(word) else "s")


def label_and_plural(table: Table) -> tuple[str, str]:
    """Return what one row of a table is called, and several: by its name; equal where the language is not clear."""
    words = [w for w in words_of(table.name) if w not in _FILLERS] or list(words_of(table.name))
    last = words[-1]
    one = singular(last)
    english = last.isascii() and last.isalpha() and len(last) > 1 and last not in _UNCOUNTED
    many = last if one != last else plural(last) if english and not last.endswith("en") else last
    return " ".join([*words[:-1], one]), " ".join([*words[:-1], many])


class TableNames:
    """Finds the table that a name speaks of: ``customer_id`` speaks of ``customers``, and of ``app_customer``."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._by_form: dict[tuple[str, ...], list[Table]] = {}
        self._by_end: dict[tuple[str, ...], list[Table]] = {}
        for table in tables:
            form = _form(words_of(table.name))
            self._by_form.setdefault(form, []).append(table)
            for start in range(1, len(form)):
                self._by_end.setdefault(form[start:], []).append(table)

    def find(self, words: Sequence[str]) -> Table | None:
        """Return the one table that is called so, or whose name ends so; None if there is none, or more than one."""
        form = _form(words)
        for found in (self._by_form.get(form, ()), self._by_end.get(form, ())):
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def meant_by(self, column: str) -> tuple[Table | None, bool]:
        """Return the table that a column's name speaks of, and whether the name is marked as a reference.

        ``billing_customer_id`` speaks of ``customers`` too, where no table is called billing customers."""
        words, marked = list(words_of(column)), False
        while len(words) > 1 and words[-1] in MARKS:
            words.pop()
            marked = True
        while len(words) > 1 and words[0] in MARKS:
            words.pop(0)
            marked = True
        if not marked and len(words) == 1 and len(words[0]) > 4 and words[0].endswith("id"):
            words, marked = [words[0][:-2]], True
        for start in range(len(words)):
            table = self.find(words[start:])
            if table is not None and (marked or start == 0):
                return table, marked
        return None, marked

    def said(self, value: str) -> Table | None:
        """Return the table that a value of a type column speaks of: ``Client``, ``App\\Models\\Client``, ``client``."""
        last = re.split(r"[\\/.:]+", value.strip())[-1]
        return self.find(words_of(last)) if last else None


def _form(words: Sequence[str]) -> tuple[str, ...]:
    words = [w for w in words if w not in _FILLERS] or list(words)
    return (*words[:-1], singular(words[-1]))
