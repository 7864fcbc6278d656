"""The sentences of a language by key, from the files of the pages: for pages, and for files that speak a language.

A key is the path to a sentence in the file, with points: ``export.download``. A sentence has named placeholders
(``{name}``); one with a number ``n`` may have several forms, by the plural categories of Unicode's CLDR that its
language has (``one``, ``other``).

The core says its sentences by keys too (``phrases.py``): a language's file has those beside the
pages' own. What a document, an error or a format says in English has its English text under ``known``: it is
recognised by that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..phrases import PHRASES
from ..phrases import Phrase as Phrase
from .numbers import Numbers, numbers_for

FOLDER = Path(__file__).parents[3] / "plugin" / "words"  # most of it is for pages; found as a file, not imported
ENGLISH = "en"
_KNOWN = "known."  # the beginning of the keys of texts that are recognised by their English
_LABEL = "label."
_INNER = ("instead", "of_kind")  # placeholders of texts that are recognised themselves
_SENTENCES = re.compile(r"[.!?] [A-Z]")  # in what stands for one name: it is none
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")  # a number as the core writes it
_MOST_KNOWN = 2000  # characters of a text that is recognised
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # of libyaml where it is there

_MOMENT = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)T(?P<time>\d\d:\d\d(?::\d\d)?)[\d.]*Z")

_PLURALS: dict[str, Callable[[int], str]] = {  # whole numbers only; other languages have no plural, or that of English
    **dict.fromkeys(("fr", "pt", "hi"), lambda n: "one" if n in (0, 1) else "other"),
    **dict.fromkeys(("ja", "ko", "zh", "id", "th", "vi"), lambda _: "other"),
}


@dataclass(frozen=True)
class Words:
    """The sentences of one language, and its numbers. Call it with a key to get the sentence."""

    language: str
    sentences: Mapping[str, Phrase]
    number: Numbers

    def __call__(self, key: str, n: int | None = None, **names: Any) -> str:
        """Return the sentence of a key, filled in. Raises KeyError for an unknown key or placeholder."""
        return self.text(key, n).format(**names, **({} if n is None else {"n": self.number(n)}))

    def text(self, key: str, n: int | None = None) -> str:
        """Return the sentence of a key with its placeholders, in the form for ``n``. Raises KeyError."""
        found, language = self.sentences.get(key), self.language
        if found is None:
            found, language = sentences_of(ENGLISH)[key], ENGLISH
        if isinstance(found, str):
            return found
        return found[plural(language, n or 0)] if n is not None else found["other"]

    def known(self, text: str) -> str:
        """Return what the program says elsewhere in English in this language, if it is known; else as it is."""
        return self.translated(text) or text

    def translated(self, text: str) -> str | None:
        """Return what the program says elsewhere in English in this language; None if it is not known."""
        if self.language == ENGLISH:
            return text
        for key, pattern in _patterns() if len(text) <= _MOST_KNOWN else ():
            if found := pattern.fullmatch(text):
                names: dict[str, Any] = found.groupdict()
                for inner in names.keys() & set(_INNER):  # a sentence in a sentence: never two languages in one
                    names[inner] = self.translated(names[inner])
                if None in names.values() or any(map(_SENTENCES.search, names.values())):
                    continue
                names = {name: self._grouped(value) for name, value in names.items()}
                return self(key, **names)
        return None

    def _grouped(self, value: str) -> str:
        return self.number(int(value.replace(",", ""))) if _GROUPED.fullmatch(value) else value

    def labels(self, labels: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
        """Return what the rows of tables are called, one and several, where a preset of ours calls them so."""
        return {table: self._label(*label) for table, label in labels.items()}

    def label(self, text: str) -> str:
        """Return what one row is called, or several, where a preset of ours calls it so."""
        here = self._label(text, ""), self._label("", text)
        return here[0][0] if here[0][0] != text else here[1][1]

    def _label(self, one: str, several: str) -> tuple[str, str]:
        for key, forms in sentences_of(ENGLISH).items() if self.language != ENGLISH else ():
            if not key.startswith(_LABEL) or isinstance(forms, str):
                continue
            if one in ("", forms["one"]) and several in ("", forms["other"]):
                return self.text(key, 1), self.text(key, 2)
        return one, several

    def size(self, size: int) -> str:
        """Return a number of bytes such as ``17 kB``."""
        return self.number.size(size, self("bytes"))

    def moment(self, text: str) -> str:
        """Return a moment such as ``2024-05-30T10:00:00Z`` as it is written in this language."""
        found = _MOMENT.match(text)
        return self.text("moment").format(**found.groupdict()) if found else text


@cache
def words_in(language: str) -> Words:
    """Return the words of a language that has a file, with its numbers."""
    return Words(language, sentences_of(language), numbers_for(language))


def plural(language: str, n: int) -> str:
    """Return the plural category of a whole number in a language: ``one`` or ``other``."""
    rule = _PLURALS.get(language.partition("-")[0])
    return rule(n) if rule is not None else "one" if n == 1 else "other"


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a file."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


@cache
def sentences_of(language: str) -> Mapping[str, Phrase]:
    """Return all sentences of a language by their keys."""
    document = yaml.load((FOLDER / f"{language}.yml").read_text("utf-8"), _LOADER)  # noqa: S506
    return {**(PHRASES if language == ENGLISH else {}), **dict(_flat(document, ""))}


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the keys of texts that are recognised by their English, each with a pattern of it."""
    found = []
    for key, sentence in sentences_of(ENGLISH).items():
        if key.startswith(_KNOWN) and isinstance(sentence, str):
            parts = re.split(r"\{(\w+)\}", sentence)
            told = [f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
            found.append((key, re.compile("".join(told), re.DOTALL)))
    return tuple(found)


def _flat(node: Mapping[str, Any], above: str) -> list[tuple[str, Phrase]]:
    found: list[tuple[str, Phrase]] = []
    for name, below in node.items():
        if isinstance(below, str) or set(below) <= {"zero", "one", "two", "few", "many", "other"}:
            found.append((above + name, below))
        else:
            found += _flat(below, f"{above}{name}.")
    return found
