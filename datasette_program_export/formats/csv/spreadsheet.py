"""What a spreadsheet would change in a text, and how the csv dialect ``spreadsheet`` prevents it.

Excel and LibreOffice read ``00123`` as 123, ``1/2`` as a date, ``1e5`` as 100000, and run what
begins with ``=``, ``+``, ``-`` or ``@``; quotes do not prevent this. Three ways were
tested with LibreOffice (7.4, cells compared) and considered for Excel:

- ``="00123"``, a formula whose result is the text: in both programs the cell shows and holds
  exactly this text, and saves it. In Excel such a text has at most 255 characters, and
  in LibreOffice no line break. LibreOffice's import dialog must be set to evaluate formulas,
  otherwise it shows the formula, with the text in it.
- a leading tab: invisible, but part of the text; and a reader that trims it sees the
  formula again, which is why a leading tab counts as dangerous itself.
- a leading apostrophe: safe everywhere, and visible everywhere.

So a text that a spreadsheet would misread is written as ``="…"``, or as ``'…`` if that is impossible.
A text is guarded if it contains a digit and could be a number, a date, a time or an amount in
any language: guarding too many texts changes nothing that a reader sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_CHARACTERS, MOST_LINES, MOST_COLUMNS = 32_767, 1_048_576, 16_384  # Excel's limits, and LibreOffice's lines
EXACT_INTEGERS = 10**15  # from here on a spreadsheet, which keeps 15 digits, may replace the last ones by zeros
_LONGEST_LITERAL = 255

# no number or date of a spreadsheet is longer, except digits and signs alone, which have no limit
_WORDY, _LONGEST = r"[^\W\d_]+", 50
_NO_SIGN = r"""\w\r\n"#;<=>?@\\^`{|}~\[\]!*&"""
_BETWEEN = rf"(?:\d|[^{_NO_SIGN}])"
# frequent, and not a value; but hexadecimal digits without a hyphen could be a number, such as 12e34
UUID = r"(?=[0-9Ee]*[A-DFa-df-])[0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}"
_is_formula = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]").match
_is_uuid = re.compile(UUID + r"\Z").match
# digits, signs and a few words (5 de mayo de 2024), with a digit or a sign between two words
_looks_like_value = re.compile(
    rf"(?=\D*\d){_BETWEEN}*(?:{_WORDY}{_BETWEEN}+){{0,3}}(?:{_WORDY})?\Z|true\Z|false\Z", re.IGNORECASE
).match
_is_signs = re.compile(rf"(?=\D*\d){_BETWEEN}*(?:[eE]{_BETWEEN}*)?\Z").match


def is_taken_for_something_else(text: str) -> bool:
    """Return whether a spreadsheet would run the text, or read it as a number, a date or a truth value."""
    if _is_formula(text):
        return True
    if len(text) > _LONGEST:
        return _is_signs(text) is not None
    return _looks_like_value(text) is not None and not _is_uuid(text)


def guarded(text: str) -> str:
    """Return the text in a form that a spreadsheet does not change."""
    if len(text) > _LONGEST_LITERAL or "\n" in text or "\r" in text:
        return "'" + text
    return '="' + text.replace('"', '""') + '"'


def has_many_digits(value: int | float) -> bool:
    """Return whether a spreadsheet, which shows and keeps 15 digits, would lose some."""
    if isinstance(value, int):
        return not -EXACT_INTEGERS < value < EXACT_INTEGERS
    return value - value == 0 and float(f"{value:.15g}") != value


def is_too_long(text: str) -> bool:
    """Return whether the text is too long for a cell: Excel counts UTF-16 code units."""
    return len(text) * 2 > MOST_CHARACTERS and len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS


def overflow(table: str, columns: Sequence[str], too_long: Sequence[int], lines: int) -> list[str]:
    """Return sentences about what does not fit into a spreadsheet."""
    found = [
        f"{table}.{column}: {count:,} cell(s) are longer than the {MOST_CHARACTERS:,} characters that a spreadsheet "
        "holds; the file has them whole, a spreadsheet cuts them."
        for column, count in zip(columns, too_long)
        if count
    ]
    for count, most, what in ((lines, MOST_LINES, "lines with the header"), (len(columns), MOST_COLUMNS, "columns")):
        if count > most:
            found.append(
                f"{table}: {count:,} {what}, and a spreadsheet holds {most:,}; the file has them all, "
                "a spreadsheet leaves out the rest."
            )
    return found
