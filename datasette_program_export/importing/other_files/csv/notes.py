"""What is told of a column after its cells were read, by what was met in it."""

from __future__ import annotations

NOTES = {
    "truth": "{count} word(s) for true and false in {name} are read as 1 and 0; "
    "the argument cells with {column}=text keeps them.",
    "words": "{count} word(s) such as true in {name} stay texts, as the file is in the form of this program; "
    "the argument cells with {column}=boolean makes them 1 and 0.",
    "base64": "{count} value(s) of {name} are read as binary data (base64).",
    "decimal": "{count} number(s) in {name} are read with a decimal {decimal}.",
    "dates": "{count} date(s) in {name} are read {dates} and become year-month-day.",
    "spelling": "{count} number(s) in {name} are changed in their spelling, such as zeros in front: "
    "the column's type stores numbers.",
    "numbers": "{count} number(s) in {name} stay texts, as the column has no type; "
    "the argument cells with {column}=number reads them.",
    "texts": "{count} value(s) of {name} are texts, where the column's type is a number.",
    "guards": "{count} cell(s) of {name} were written for a spreadsheet; their guards are taken off.",
    "rounded": "{count} number(s) in {name} are rounded to what SQLite stores.",
    "infinity": "{count} value(s) of {name} are read as infinity.",
    "digits": "{count} number(s) in {name} have 15 digits, as many as spreadsheets keep: a number here that has more, "
    "and is the same so far, stays as it is.",
}
