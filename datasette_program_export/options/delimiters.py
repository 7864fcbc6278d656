"""The characters that may separate the fields of a CSV file, their words, and where each is accepted."""

from __future__ import annotations

WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}  # a CSV file of unknown origin has one of these
OFFERED = ("comma", "semicolon", "tab")  # on the export page
_SIGNS = ",;\t|:~^#!$%&*<>?()[]{}\\`"
# For an export: no character that occurs in numbers or base64, that quotes, or that begins a formula
WRITTEN = _SIGNS + "_"
# For the forerunner's API, which also accepted some that spreadsheets do not handle
SERVICE = _SIGNS + "@' "
# For a CSV file that is read: any character that neither ends a line nor quotes
NEVER_READ = '"\r\n'


def word_of(delimiter: str) -> str:
    """Return the word for a delimiter if it has one (a tab would be invisible), else the delimiter."""
    return next((word for word, sign in WORDS.items() if sign == delimiter), delimiter)


def delimiter_of(word: str) -> str:
    """Return the delimiter that a word stands for; any other text is returned unchanged."""
    return WORDS.get(word, word)
