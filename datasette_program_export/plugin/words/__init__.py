"""The sentences of the pages, by key: one YAML file for each language, chosen by Accept-Language.

How the files are read stands in ``formats/description/language/catalogue.py``, as exported files speak a language too.
"""

from __future__ import annotations

from ...formats.description.language.catalogue import ENGLISH, FOLDER, Phrase, Words, languages, plural, sentences_of
from ...formats.description.language.numbers import by_weight, numbers_for
from ..host.protocols import HttpRequest

__all__ = [
    "ENGLISH",
    "FOLDER",
    "IN_ENGLISH",
    "Phrase",
    "Words",
    "languages",
    "plural",
    "sentences_of",
    "words_for",
    "words_of",
]


def words_for(accept_language: str) -> Words:
    """Return the words of the first language in Accept-Language, by weight, that has a file; else the English ones."""
    known = languages()
    for tag in by_weight(accept_language):
        found = tag if tag in known else tag.partition("-")[0]
        if found in known:
            return Words(found, sentences_of(found), numbers_for(accept_language))
    return Words(ENGLISH, sentences_of(ENGLISH), numbers_for(accept_language))


def words_of(request: HttpRequest | None) -> Words:
    """Return the words for whoever sent a request."""
    return words_for(request.headers.get("accept-language", "") if request is not None else "")


IN_ENGLISH = words_for("")
