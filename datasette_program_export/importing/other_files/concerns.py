"""Which choices are for which files: one that says nothing of the file at hand is refused, and never passed over."""

from __future__ import annotations

from typing import Literal

from ...errors import RequestError
from ..choices import ImportChoices

Form = Literal["document", "script", "workbook", "columns", "csv", "json", "lines", "indented"]
_CALLED: dict[Form, str] = {
    "document": "a document of this program, which says itself how it is read",
    "script": "an SQL script, which makes its own tables",
    "workbook": "a workbook",
    "columns": "Parquet",
    "csv": "CSV",
    "json": "JSON",
    "lines": "JSON with a row a line",
    "indented": "YAML",
}
_Files = tuple[tuple[Form, ...], str]  # the forms that a choice is for, and what they are called
_CSV: _Files = (("csv",), "CSV")
_SHEETS: _Files = (("csv", "workbook"), "CSV and workbooks")
_PLAIN: _Files = (
    ("csv", "json", "lines", "indented", "workbook", "columns"),
    "CSV, JSON, YAML, Parquet and workbooks of other programs",
)
_TEXTS: _Files = (("csv", "json", "lines", "indented"), "CSV, JSON and YAML of other programs")
_CONCERNS: dict[str, _Files] = {
    "delimiter": _CSV,
    "header": _SHEETS,
    "skip_lines": _SHEETS,
    "decimal": _SHEETS,
    "dates": _SHEETS,
    "sheet": (("workbook",), "workbooks"),
    "cells": _PLAIN,
    "encoding": _TEXTS,
    "types": _PLAIN,
    "pk": _PLAIN,
    "nan": (("json", "lines", "indented", "columns"), "JSON, YAML and Parquet"),
    "rows_at": (("json", "indented"), "JSON that is one document, and YAML"),
}


def check_concerned(choices: ImportChoices, form: Form) -> None:
    """Check that every choice of how a file is read can be followed for this form. Raises RequestError."""
    if form in ("document", "script") and choices.create:
        raise RequestError(
            f"This file is {_CALLED[form]} and brings its own tables along: the argument create is only for plain "
            "rows. Leave it out; tables that are not there are made in a new database, with all that belongs to them."
        )
    for name, (forms, files) in _CONCERNS.items():
        if getattr(choices, name) != type(choices).model_fields[name].default and form not in forms:
            raise RequestError(
                f"This file is {_CALLED[form]}, and the argument {name} is only for {files}: leave it out."
            )
    if form in ("json", "lines", "indented", "columns") and any(kind != "number" for kind in choices.cells.values()):
        raise RequestError(
            f"This file is {_CALLED[form].partition(' ')[0]}, whose values say themselves what they are: of the "
            "argument cells, only COLUMN=number is for it."
        )


def check_nothing_to_make(choices: ImportChoices, table: str | None) -> None:
    """Check that no types and no key are chosen where no table and no column is made. Raises RequestError."""
    for name in ("types", "pk"):
        if getattr(choices, name):
            where = f"in {table}" if table is not None else "for the file"
            raise RequestError(
                f"No table and no column is made {where}, so there is nothing that the argument {name} could be about: "
                "leave it out, or see the argument create and the argument alter."
            )
