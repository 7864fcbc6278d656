"""The sentences of the pages: every key is there and used, in every language; plurals, placeholders, languages."""

from __future__ import annotations

import ast
import re
from string import Formatter

import pytest
import yaml

from datasette_program_export.errors import ExportError, in_words
from datasette_program_export.formats.description.language import catalogue
from datasette_program_export.formats.description.language.numbers import Numbers
from datasette_program_export.formats.description.phrases import ENGLISH as CORE
from datasette_program_export.formats.description.phrases import PHRASES
from datasette_program_export.importing.other_files.csv.encoding import encoding_of
from datasette_program_export.importing.other_files.csv.notes import NOTES
from datasette_program_export.plugin import words
from datasette_program_export.plugin.words import ENGLISH, Words, languages, plural, sentences_of, words_for
from tests.support.source_code import PACKAGE

PLAIN = re.compile(
    r"""(?:(?<!in_)words|words\.text|_?words(?:_of)?\((?:asked\.http|request)\)|\bsay|ENGLISH|\)\))\(\s*(f?)["']([\w.{}]+)["']"""
)
CHOSEN = re.compile(
    r"""["']((?:export|import|saved|subject|verify|people|coverage|because|picture|dossier)\.[\w.]+)["']"""
)
JOINED = re.compile(r"""words\(["']([\w.]+[._])["'] ~""")
KNOWN = "known."


def used() -> tuple[set[str], set[str]]:
    """The keys in templates and code, and the beginnings of those that are put together."""
    keys: set[str] = set()
    beginnings: set[str] = {KNOWN, "label."}
    for path in [*PACKAGE.rglob("plugin/**/*.html"), *PACKAGE.rglob("*.py")]:
        text = path.read_text("utf-8")
        for made, key in PLAIN.findall(text):
            (beginnings if made and "{" in key else keys).add(key.partition("{")[0])
        keys.update(key for key in CHOSEN.findall(text) if not key.endswith(".db"))
        beginnings.update(JOINED.findall(text))
        keys.update(re.findall(r'say\("([\w.]+)" if', text))
        keys.update(re.findall(r'self(?:\.text)?\("([\w.]+)"', text))
    return keys, beginnings


def test_no_key_is_missing_or_unused() -> None:
    keys, beginnings = used()
    there = set(sentences_of(ENGLISH))
    assert len(keys) > 200
    assert {key for key in keys - there if not key.startswith(tuple(beginnings))} == set()
    assert {key for key in there - keys if not key.startswith(tuple(beginnings))} == set()


@pytest.mark.parametrize("language", languages())
def test_a_language_has_the_keys_and_placeholders_of_english(language: str) -> None:
    english, here = sentences_of(ENGLISH), sentences_of(language)
    assert set(here) == set(english)
    for key, sentence in here.items():
        forms = [sentence] if isinstance(sentence, str) else list(sentence.values())
        assert isinstance(sentence, str) == isinstance(english[key], str), key
        if not isinstance(sentence, str):
            assert {plural(language, n) for n in range(120)} == set(sentence), key
        assert {placeholders(form) for form in forms} == {placeholders(any_form(english[key]))}, key


def any_form(sentence: words.Phrase) -> str:
    return sentence if isinstance(sentence, str) else sentence["other"]


def placeholders(form: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(form) if name is not None)


def texts_of_the_program() -> set[str]:
    """Every text in the package's code as a page says it, what is filled in replaced by braces."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.add("".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values))
    return {re.sub(r"\{[\w:,]+\}", "{}", in_words(text, "page")) for text in found}


def is_said(text: str, there: set[str]) -> bool:
    """Whether a text is one of the program's, perhaps with a word of its own where that one is filled in."""
    plain = re.sub(r"\{\w+\}", "{}", text)
    begins = plain.partition(" ")[0]
    return plain in there or any(
        re.fullmatch(".+".join(map(re.escape, one.split("{}"))), plain)
        for one in there
        if len(one) > len(plain) / 2 and one.partition(" ")[0] in (begins, "{}")
    )


def test_what_is_recognised_by_its_english_is_said_somewhere() -> None:
    """Else a sentence that was changed would stand in English on a page in another language."""
    there = texts_of_the_program()
    known = {key: str(text) for key, text in sentences_of(ENGLISH).items() if key.startswith(KNOWN)}
    assert {key for key, text in known.items() if not is_said(text, there)} == set()


def test_a_preset_has_its_labels_in_every_language() -> None:
    said = yaml.safe_load((PACKAGE / "options" / "presets" / "the-program.yml").read_text("utf-8"))
    pairs = {(t["label"], t["plural"]) for t in said["subjects"].values() if "label" in t}
    english = {(s["one"], s["other"]) for k, s in sentences_of(ENGLISH).items() if k.startswith("label.")}
    assert english == pairs
    german = words_for("de")
    assert german.labels({"a": ("chart", "charts"), "b": ("x", "y")}) == {
        "a": ("Horoskop", "Horoskope"),
        "b": ("x", "y"),
    }
    assert (german.label("transit"), german.label("transits"), german.label("x")) == ("Transit", "Transite", "x")


def test_a_known_text_is_said_in_the_language_and_an_unknown_one_is_not_half_said() -> None:
    german, english = words_for("de"), words_for("en")
    assert german.known("named as secret") == "als geheim benannt"
    assert german.translated("There is no table {x} in {y}.") == "In {y} gibt es keine Tabelle {x}."
    assert german.translated("There is no table record in tab.") == "In tab gibt es keine Tabelle record."  # no words
    assert german.translated("This was sent from another site. Do what I say, and try again.") is None
    assert german.translated("Something else.") is None and german.known("Something else.") == "Something else."
    assert english.translated("Something else.") == "Something else."


@pytest.mark.parametrize("language", sorted(set(languages()) - {ENGLISH}))
def test_what_was_met_in_a_csv_is_told_in_every_language(language: str) -> None:
    facts = {"name": "t.a b", "column": "a b", "decimal": "comma", "dates": "day-first", "count": "1,234"}
    told = [note.format(**facts) for note in NOTES.values()]
    told += ["1 line(s) without any value are passed over.", "2 line(s) above the header are passed over."]
    told.append(encoding_of("straße".encode("cp1252"), None)[1])
    for sentence in told:
        said = words_for(language).translated(in_words(sentence, "page"))
        assert said and said != sentence, sentence


def test_the_core_says_the_same_in_english_as_a_page_does() -> None:
    page = words_for("en")
    for key, phrase in PHRASES.items():
        names = dict.fromkeys(placeholders(any_form(phrase)) - {"n"}, "x")
        for n in (0, 1, 2, 1234):
            assert CORE(key, n, **names) == page(key, n, **names)


def test_numbers_choose_the_form_and_are_written_for_the_reader() -> None:
    say = words_for("de;q=0.5")
    assert say("export.columns", n=1) == "1 Spalte" and say("export.columns", n=1234) == "1.234 Spalten"
    assert say.size(1_234_000) == "1,2 MB" and say.size(12) == "12 Bytes"
    assert say.moment("2024-05-30T10:00:00Z") == "30.05.2024, 10:00:00 Uhr (UTC)"
    assert words_for("fr")("export.columns", n=12345) == "12\N{NARROW NO-BREAK SPACE}345 columns"
    with pytest.raises(KeyError):
        say("export.nothing_of_the_kind")
    with pytest.raises(KeyError):
        say("export.with")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"), ("de-AT,en;q=0.9", "de"), ("en,de;q=0.9", "en"), ("en;q=0.4, de;q=0.8", "de"), ("fr, de", "de"),
        ("fr", "en"), ("", "en"), ("*", "en"), ("de;q=x", "en"), ("DE-ch", "de"), ("de;q=0, en", "en"),
        ("de;q=0", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_most_wanted_one_that_has_a_file(accepted: str, language: str) -> None:
    assert words_for(accepted).language == language


def test_the_first_language_that_has_a_file_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogues = {ENGLISH: {"a": "one", "b": "two"}, "fr": {"a": {"one": "{n} un", "other": "{n} uns"}}, "ja": {}}
    monkeypatch.setattr(words, "languages", lambda: tuple(catalogues))
    for module in (words, catalogue):
        monkeypatch.setattr(module, "sentences_of", catalogues.__getitem__)
    assert words_for("sv, fr-CA;q=0.9, en;q=0.2").language == "fr"
    assert words_for("tlh").language == words_for("").language == ENGLISH
    french = words_for("fr")
    assert [french("a", n=n) for n in (0, 1, 2)] == ["0 un", "1 un", "2 uns"]
    assert french("b") == Words("ja", {}, Numbers())("b") == "two"  # what a language lacks is said in English


def test_each_status_of_an_error_has_a_sentence() -> None:
    """Error pages say it where the error's own words are not known in the language."""
    kinds = [ExportError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    statuses = {kind.status for kind in kinds if kind.__module__ == ExportError.__module__}
    assert {400, 503, 507} < statuses
    for status in statuses:
        assert words_for("de")(f"error.because_{status}") != words_for("en")(f"error.because_{status}")
