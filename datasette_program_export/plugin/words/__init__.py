"""The sentences of the pages, by key: one YAML file for each language, chosen by Accept-Language.

A key is the path to a sentence in the file, with points: ``export.download``. A sentence has named placeholders
(``{name}``); one with a number ``n`` may have several forms, by the plural categories of Unicode's CLDR that its
language has (``one``, ``other``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .numbers import Numbers, by_weight, numbers_for

FOLDER = Path(__file__).parent
ENGLISH = "en"
Sentence = str | Mapping[str, str]  # one form, or a form for each plural category

_PLURALS: dict[str, Callable[[int], str]] = {  # whole numbers only; other languages have no plural, or that of English
    **dict.fromkeys(("fr", "pt", "hi"), lambda n: "one" if n in (0, 1) else "other"),
    **dict.fromkeys(("ja", "ko", "zh", "id", "th", "vi"), lambda _: "other"),
}


@dataclass(frozen=True)
class Words:
    """The sentences of one language, and its numbers. Call it with a key to get the sentence."""

    language: str
    sentences: Mapping[str, Sentence]
    number: Numbers

    def __call__(self, key: str, n: int | None = None, **names: Any) -> str:
        """Return the sentence of a key, filled in. Raises KeyError for an unknown key or placeholder."""
        found, language = self.sentences.get(key), self.language
        if found is None:
            found, language = sentences_of(ENGLISH)[key], ENGLISH
        if not isinstance(found, str):
            found = found[plural(language, n or 0)] if n is not None else found["other"]
        return found.format(**names, **({} if n is None else {"n": self.number(n)}))


def words_for(accept_language: str) -> Words:
    """Return the words of the first language in Accept-Language, by weight, that has a file; else the English ones."""
    known = languages()
    for tag in by_weight(accept_language):
        found = tag if tag in known else tag.partition("-")[0]
        if found in known:
            return Words(found, sentences_of(found), numbers_for(accept_language))
    return Words(ENGLISH, sentences_of(ENGLISH), numbers_for(accept_language))


def plural(language: str, n: int) -> str:
    """Return the plural category of a whole number in a language: ``one`` or ``other``."""
    rule = _PLURALS.get(language.partition("-")[0])
    return rule(n) if rule is not None else "one" if n == 1 else "other"


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a file."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


@cache
def sentences_of(language: str) -> Mapping[str, Sentence]:
    """Return all sentences of a language by their keys."""
    document = yaml.safe_load((FOLDER / f"{language}.yml").read_text("utf-8"))
    return dict(_flat(document, ""))


def _flat(node: Mapping[str, Any], above: str) -> list[tuple[str, Sentence]]:
    found: list[tuple[str, Sentence]] = []
    for name, below in node.items():
        if isinstance(below, str) or set(below) <= {"zero", "one", "two", "few", "many", "other"}:
            found.append((above + name, below))
        else:
            found += _flat(below, f"{above}{name}.")
    return found
