"""The words of a chart, by key: one module for each language."""

from __future__ import annotations

from collections.abc import Callable

from .english import ENGLISH
from .german import GERMAN

Words = Callable[[str], str]
LANGUAGES = {"en": ENGLISH, "de": GERMAN}


def words_of(language: str) -> Words:
    """Return the words of a language by its code, such as ``de``; English where there are none of it."""
    return LANGUAGES.get(language, ENGLISH).__getitem__
