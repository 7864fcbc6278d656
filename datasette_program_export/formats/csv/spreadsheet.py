"""What a spreadsheet would change in a text, and how the csv dialect ``spreadsheet`` prevents it.

Excel and LibreOffice read ``00123`` as 123, ``1/2`` as a date, ``1e5`` as 100000, and run what
begins with ``=``, ``+``, ``-`` or ``@``; quotes do not keep them from it. Three ways were
tried with LibreOffice (7.4, cells compared) and weighed for Excel:

- ``="00123"``, a formula whose result is the text: the cell shows and holds the very text, in
  both, and gives it back when saved. In Excel such a text has at most 255 characters, and
  in LibreOffice no line break. LibreOffice's import dialog has to be told to evaluate formulas,
  else it shows the formula, with the text in it.
- a leading tab: not to be seen, but part of the text; and a reader that trims it has the
  formula again, which is why it counts as dangerous itself.
- a leading apostrophe: safe everywhere, and seen everywhere.

So a text that would be taken for something else is ``="…"``, and ``'…`` where that cannot be.
What contains a digit and looks as if it could be a number, a date, a time, or an amount in
any language is guarded: to guard a text too many changes nothing that a reader sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_CHARACTERS, MOST_LINES, MOST_COLUMNS = 32_767, 1_048_576, 16_384  # Excel's, and LibreOffice's lines
EXACT_INTEGERS = 10**15  # from here on a spreadsheet, which has 15 digits, may write zeros for the last
_LONGEST_LITERAL = 255

# no spreadsheet's number or date is longer, but for digits and signs alone, which may go on
_WORDY, _LONGEST = r"[^\W\d_]+", 50
_NO_SIGN = r"""\w\r\n"#;<=>?@\\^`{|}~\[\]!*&"""
_BETWEEN = rf"(?:\d|[^{_NO_SIGN}])"
# frequent, and no value: but hexadecimal digits without a hyphen could be a number, such as 12e34
UUID = r"(?=[0-9Ee]*[A-DFa-df-])[0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}"
_is_formula = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]").match
_is_uuid = re.compile(UUID + r"\Z").match
# digits, signs and a few words (5 de mayo de 2024), with a digit or a sign between two words
_looks_like_value = re.compile(
    rf"(?=\D*\d){_BETWEEN}*(?:{_WORDY}{_BETWEEN}+){{0,3}}(?:{_WORDY})?\Z|true\Z|false\Z", re.IGNORECASE
).match
_is_signs = re.compile(rf"(?=\D*\d){_BETWEEN}*(?:[eE]{_BETWEEN}*)?\Z").match


def is_taken_for_something_else(text: str) -> bool:
    """Whether a spreadsheet would run it, or would read a number, a date or a truth value in it."""
    if _is_formula(text):
        return True
    if len(text) > _LONGEST:
        return _is_signs(text) is not None
    return _looks_like_value(text) is not None and not _is_uuid(text)


def guarded(text: str) -> str:
    """The text in the form that a spreadsheet leaves alone."""
    if len(text) > _LONGEST_LITERAL or "\n" in text or "\r" in text:
        return "'" + text
    return '="' + text.replace('"', '""') + '"'


def is_too_long(text: str) -> bool:
    """Whether a cell of a spreadsheet cannot hold it: counted as Excel counts, in UTF-16."""
    return len(text) * 2 > MOST_CHARACTERS and len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS


def overflow(table: str, columns: Sequence[str], too_long: Sequence[int], lines: int) -> list[str]:
    """What of a table does not fit into a spreadsheet, in sentences."""
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
