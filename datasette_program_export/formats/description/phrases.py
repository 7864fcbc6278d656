"""The sentences of plans and coverage by key, in English; a page gives those of its reader's language instead.

A phrase has named placeholders (``{name}``); one that depends on a number ``n`` has several forms, by Unicode's plural
categories (``one``, ``other``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Phrase = str | Mapping[str, str]  # one form, or a form for each plural category
Number = Callable[[int], str]

PHRASES: dict[str, Phrase] = {
    "and": "{first} and {last}",
    "and_more": "{first} and {count} more",
    "rows": {"one": "{n} row", "other": "{n} rows"},
    "rows_of": {"one": "{n} row of {table}", "other": "{n} rows of {table}"},
    # what is left out, and why
    "coverage.person": "{what} not asked for: not included ({along}).",
    "coverage.of_a_person": "{what} of a person not asked for: not included ({along}).",
    "coverage.by_rule": "{what}: not included, withheld by the plugin {plugin}: {why}.",
    "coverage.hidden": "{name}: not included, as you may not see that table ({along}).",
    "coverage.left_out": "{name}: not included, {why}.",
    "coverage.as_you_asked": "{name}: not included, as you asked.",
    "coverage.views": "{count} views are not included, as they are computed from tables ({tables}); "
    "export them by themselves.",
    "coverage.search_indexes": "{count} search indexes are not included ({tables}); they can be made again from "
    "their tables.",
    "coverage.caches": "{count} caches are not included, as the application fills them again ({tables}); ask for "
    "them by name.",
    "coverage.tables": "{count} tables are not included ({tables}): {why}.",
    "coverage.one_of": "one {label}",
    "coverage.a_row_of": "a row of {table}",
    "coverage.dangling": {
        "one": "{who} refers to {parent} that is not included ({columns}).",
        "other": "{who} refer to {parent} that is not included ({columns}).",
    },
    "coverage.nowhere": {
        "one": "{who} refers to {parent} that does not exist in the database ({columns}).",
        "other": "{who} refer to {parent} that does not exist in the database ({columns}).",
    },
    # files that rows name
    "files.in_all": {
        "one": "{inside} of {n} file that rows name, {size} bytes",
        "other": "{inside} of {n} files that rows name, {size} bytes",
    },
    "files.missing": {
        "one": "{column}: {n} of {named} files is not included, as it is not there",
        "other": "{column}: {n} of {named} files are not included, as they are not there",
    },
    "files.outside": {
        "one": "{column}: {n} of {named} files is not included, as its name is no path within the folder",
        "other": "{column}: {n} of {named} files are not included, as their names are no paths within the folder",
    },
    "files.hidden": {
        "one": "{column}: {n} of {named} files is not included, as the person who asked may not see it",
        "other": "{column}: {n} of {named} files are not included, as the person who asked may not see them",
    },
    "files.link": {
        "one": "{column}: {n} of {named} files is not included, as a link leads to it",
        "other": "{column}: {n} of {named} files are not included, as links lead to them",
    },
    "files.special": {
        "one": "{column}: {n} of {named} files is not included, as it is no ordinary file",
        "other": "{column}: {n} of {named} files are not included, as they are no ordinary files",
    },
    "files.denied": {
        "one": "{column}: {n} of {named} files is not included, as it cannot be read",
        "other": "{column}: {n} of {named} files are not included, as they cannot be read",
    },
    "files.changed": {
        "one": "{column}: {n} of {named} files is not included, as it changed while it was read",
        "other": "{column}: {n} of {named} files are not included, as they changed while they were read",
    },
    "files.database": {
        "one": "{column}: {n} of {named} files is not included, as it is a database (export it by itself)",
        "other": "{column}: {n} of {named} files are not included, as they are databases (export them by themselves)",
    },
    "files.large": {
        "one": "{column}: {n} of {named} files is not included, as it is larger than allowed here (file_mb)",
        "other": "{column}: {n} of {named} files are not included, as they are larger than allowed here (file_mb)",
    },
    "files.full": {
        "one": "{column}: {n} of {named} files is not included, as there are more than one package may hold "
        "(files_mb, files_most)",
        "other": "{column}: {n} of {named} files are not included, as there are more than one package may hold "
        "(files_mb, files_most)",
    },
    "files.form": {
        "one": "{column}: {n} of {named} files is not included, as this kind of file holds none; a package "
        "or a dossier does",
        "other": "{column}: {n} of {named} files are not included, as this kind of file holds none; a package "
        "or a dossier does",
    },
    # who was taken for people
    "people.asked": {
        "one": "{tables} was taken for people, as was asked for: rows of people who were not asked for are not "
        "included.",
        "other": "{tables} were taken for people, as was asked for: rows of people who were not asked for are not "
        "included.",
    },
    "people.guessed": {
        "one": "{tables} was taken for people, by its name and columns: rows of people who were not asked for are not "
        "included.",
        "other": "{tables} were taken for people, by their names and columns: rows of people who were not asked for "
        "are not included.",
    },
    "people.none_asked": "No table was taken for people, as was asked for: rows of other people may be included.",
    "people.none_guessed": "No table was taken for people: if some hold people, rows of others are included.",
    "people.doubtful": "{table} was not taken for people, although it has {columns}.",
    # why rows are in the plan
    "because.this": "because {along} = this {label}",
    "because.this_row": "because {along} = this row of {table}",
    "because.one_of": "because {along} = one of these {label}",
    "because.one_row_of": "because {along} = one of these rows of {table}",
    "because.points": {"one": "because {along} points to it", "other": "because {along} points to them"},
    # cautions before a file is made
    "caution.too_many": "This is more than the {most} rows that may be exported here at once. The download will be "
    "refused: leave out a table, stop a connection, or ask for fewer rows.",
    "caution.page_rows": "A {form} is a page that a browser has to bear: it holds at most {most} rows, and these are "
    "{rows}. It will be refused. Take a package with START-HERE.html (guide: page), or ask for fewer rows.",
    "caution.page_bytes": "A {form} is a page that a browser has to bear: it holds at most {most} MB, and this is "
    "about {size} MB, {files} MB of it files. It will probably be refused. Take a package with "
    "START-HERE.html (guide: page), or leave something out.",
    "caution.page_files": "A {form} is a page that a browser has to bear: it holds at most {most} MB, and the files "
    "alone are {files} MB. It will be refused. Take a package with START-HERE.html (guide: page), or leave "
    "their column out.",
    "caution.hub": "Most of this file, {what}, comes along {along}. If that is not meant, leave out {table}, or do "
    "not follow {along}.",
    "caution.lines": "{what}: a spreadsheet shows only the first {most}. The file holds them all; ask for fewer, or "
    "open it in another program.",
    "caution.columns": "{table} has {count} columns: a spreadsheet shows only the first {most}.",
    "caution.long": "{column} holds texts that are too long for a spreadsheet's cell{seen}: it would cut them.",
    "caution.sheets": "{what}: a sheet holds {most}, so they go on in the next sheet.",
    "caution.no_workbook": "{table} has {count} columns, and a sheet holds {most}: the download will be refused. Leave "
    "columns out, or choose another kind of file.",
    "caution.long_sheet": "{column} holds texts that are too long for a cell{seen}: they stand on a sheet of their "
    "own.",
    "caution.digits": "{column} holds numbers of more than 15 digits{seen}, which a spreadsheet would round: they "
    "stand as text.",
    "caution.binary_text": "{column} holds binary data{seen}, such as pictures: they stand as text (base64), which "
    "nobody can look at there.",
    "caution.values": {"one": " ({n} value)", "other": " ({n} values)"},
    "caution.of_looked_at": " ({count} of {rows} rows that were looked at)",
    "caution.looked_at": " (in the {rows} rows that were looked at)",
    "caution.binary": "{column} holds binary data{seen}: {form} writes it as text (base64) and does not say so; a "
    "package does.",
    "caution.untyped": "Numbers where the column has no type ({columns}){seen}: {form} does not tell 1 from the text "
    "1; a package does.",
    "caution.texts": "Texts where the column is for binary data ({columns}){seen}: {form} does not tell them from "
    "base64; a package does.",
    "caution.odd": "Texts with a zero byte, or that are not UTF-8 ({columns}){seen}: many programs cut the former, "
    "and {form} writes the latter as base64 and does not say so; a package does.",
    "caution.empty": "Nothing (NULL) beside empty texts ({columns}){seen}: {form} tells them apart by quotes alone, "
    "which many programs do not see; a package says it.",
    # the picture of a plan
    "picture.what": "What is exported from {source}",
    "picture.told": "{tables} tables as boxes, lines from each table to those that its rows point to. The same facts "
    "stand in words below the picture.",
    "picture.more_tables": "… and {count} more tables",
    "picture.at_least": {"one": "at least {n} row", "other": "at least {n} rows"},
    "picture.subject": "{rows}, asked for",
    "picture.needed": "{rows}, added as needed",
    "picture.left_out": "left out",
    "picture.not_in_it": "not in it",
    "picture.not_seen": "not for you to see",
    "picture.kept_back": " ({count} kept back)",
    "picture.stopped": " (stopped)",
    "picture.points": "{along} points to {table}",
    # settings that are proposed
    "proposal.nothing": "{database} has no tables, so there is nothing to propose.",
    "proposal.by_names": {
        "one": "{database}: {n} table. Names and types were looked at, no row.",
        "other": "{database}: {n} tables. Names and types were looked at, no row.",
    },
    "proposal.by_rows": {
        "one": "{database}: {tables}. {n} row was looked at, {where}.",
        "other": "{database}: {tables}. {n} rows were looked at, {where}.",
    },
    "proposal.tables": {"one": "{n} table", "other": "{n} tables"},
    "proposal.here": "on this computer; nothing left it",
    "proposal.on_the_server": "on the server",
    "proposal.preset": "It was recognised by the preset {preset}, which knows most of it.",
    "proposal.persons": "People",
    "proposal.subjects": "What rows are called",
    "proposal.virtual_foreign_keys": "References that are not declared",
    "proposal.secrets": "Secrets",
    "proposal.json_columns": "Texts that hold JSON",
    "proposal.files": "Files that rows name",
    "proposal.caches": "Caches and logs",
    "proposal.example": "{record}: {rows}",
    "proposal.without": "Without these settings: {rows}",
    "proposal.at_least": "at least {rows}",
    "proposal.holds": {"one": "{n} row: {what}.", "other": "{n} rows: {what}."},
    "proposal.no_rows": "no rows.",
}


class Say(Protocol):
    """Gives the sentences of one language."""

    @property
    def number(self) -> Number:
        """How whole numbers are written."""
        ...

    def __call__(self, key: str, n: int | None = None, **names: Any) -> str:
        """Return the sentence of a key, filled in. Raises KeyError for an unknown key or placeholder."""
        ...

    def known(self, text: str) -> str:
        """Return what a document or an error says in English in this language, if it is known; else as it is."""
        ...


@dataclass(frozen=True)
class English:
    """The sentences in English, as files and the command line have them."""

    number: Number = "{:,}".format

    def __call__(self, key: str, n: int | None = None, **names: Any) -> str:
        """Return the sentence of a key, filled in. Raises KeyError for an unknown key or placeholder."""
        found = PHRASES[key]
        form = found if isinstance(found, str) else found["one" if n == 1 else "other"]
        return form.format(**names, **({} if n is None else {"n": self.number(n)}))

    def known(self, text: str) -> str:
        """Return the text."""
        return text


ENGLISH = English()


def listed(names: Sequence[str], say: Say = ENGLISH) -> str:
    """Return names as words: ``a, b and c``."""
    first, last = ", ".join(names[:-1]), ", ".join(names[-1:])
    return say("and", first=first, last=last) if first else last
