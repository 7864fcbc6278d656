"""The sentences of the pages: every key is there and used, in every language; plurals, placeholders, languages."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from datasette_program_export.plugin import words
from datasette_program_export.plugin.words import ENGLISH, Words, languages, plural, sentences_of, words_for
from datasette_program_export.plugin.words.numbers import Numbers
from tests.support.source_code import PACKAGE

PLAIN = re.compile(r"""(?:(?<!in_)words|_words\(request\)|\)\))\(\s*(f?)["']([\w.{}]+)["']""")
CHOSEN = re.compile(r"""["']((?:export|import)\.[\w.]+)["']""")


def used() -> tuple[set[str], set[str]]:
    """The keys in templates and code, and the beginnings of those that are put together."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    for path in [*PACKAGE.rglob("plugin/**/*.html"), *PACKAGE.rglob("plugin/**/*.py")]:
        text = path.read_text("utf-8")
        for made, key in PLAIN.findall(text):
            (beginnings if made else keys).add(key.partition("{")[0])
        keys.update(CHOSEN.findall(text))
    return keys, beginnings


def test_no_key_is_missing_or_unused() -> None:
    keys, beginnings = used()
    there = set(sentences_of(ENGLISH))
    assert len(keys) > 80 and keys - there == set()
    assert {key for key in there - keys if not key.startswith(tuple(beginnings))} == set()


@pytest.mark.parametrize("language", languages())
def test_a_language_has_the_keys_and_placeholders_of_english(language: str) -> None:
    english, here = sentences_of(ENGLISH), sentences_of(language)
    assert set(here) <= set(english)
    for key, sentence in here.items():
        forms = [sentence] if isinstance(sentence, str) else list(sentence.values())
        assert isinstance(sentence, str) == isinstance(english[key], str), key
        if not isinstance(sentence, str):
            assert {plural(language, n) for n in range(120)} == set(sentence), key
        wanted = english[key] if isinstance(english[key], str) else english[key]["other"]
        names = {name for _, name, _, _ in Formatter().parse(wanted)}
        for form in forms:
            assert {name for _, name, _, _ in Formatter().parse(form)} == names, key


def test_numbers_choose_the_form_and_are_written_for_the_reader() -> None:
    say = words_for("de;q=0.5")
    assert say("export.columns", n=1) == "1 column" and say("export.columns", n=1234) == "1.234 columns"
    with pytest.raises(KeyError):
        say("export.nothing_of_the_kind")
    with pytest.raises(KeyError):
        say("export.with")


def test_the_first_language_that_has_a_file_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogues = {ENGLISH: {"a": "one", "b": "two"}, "fr": {"a": {"one": "{n} un", "other": "{n} uns"}}, "ja": {}}
    monkeypatch.setattr(words, "languages", lambda: tuple(catalogues))
    monkeypatch.setattr(words, "sentences_of", catalogues.__getitem__)
    assert words_for("sv, fr-CA;q=0.9, en;q=0.2").language == "fr"
    assert words_for("tlh").language == words_for("").language == ENGLISH
    french = words_for("fr")
    assert [french("a", n=n) for n in (0, 1, 2)] == ["0 un", "1 un", "2 uns"]
    assert french("b") == Words("ja", {}, Numbers())("b") == "two"  # what a language lacks is said in English
