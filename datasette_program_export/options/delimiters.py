"""The characters that can stand between the fields of a csv: their words, and which of them are taken where."""

from __future__ import annotations

WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}  # a csv of unknown origin has one of these
OFFERED = ("comma", "semicolon", "tab")  # on the export page
_SIGNS = ",;\t|:~^#!$%&*<>?()[]{}\\`"
# Of an export: none that stands in a number or in base64, that quotes, or that begins a formula
WRITTEN = _SIGNS + "_"
# Of the forerunner's API, which also took some that are no good in a spreadsheet
SERVICE = _SIGNS + "@' "
# Of a csv that is read: any, but what ends a line or quotes
NEVER_READ = '"\r\n'


def word_of(delimiter: str) -> str:
    """The word for a delimiter, where it has one: a tab would not be seen."""
    return next((word for word, sign in WORDS.items() if sign == delimiter), delimiter)


def delimiter_of(word: str) -> str:
    """The delimiter that a word stands for; anything else stands for itself."""
    return WORDS.get(word, word)
