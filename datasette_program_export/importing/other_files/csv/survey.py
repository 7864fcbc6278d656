"""Looks through CSV before it is read: the table it goes into, how it begins, and the columns that the table lacks."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ....database.schema import fold
from ....errors import UnreadableError
from ....files.reading_limits import Limits
from ...choices import ImportChoices
from ...staging.columns import ColumnMapping
from ..concerns import check_nothing_to_make
from ..destination import destination
from ..survey import Survey
from .beginning import Beginning, beginning_of, beginning_with_new_columns
from .cells import as_plain_number
from .encoding import Content, faulty
from .new_names import check_names
from .reading import records, text_at_the_beginning


def look_at_csv(
    opened: Content, intake: ColumnMapping, choices: ImportChoices, limits: Limits
) -> tuple[ImportChoices, Beginning | None]:
    """Find the table that the rows go into, and plan what it lacks, if that is wanted.

    Return the choices with the table, and how the file begins, if that was found out here. Raises UnreadableError,
    RequestError."""
    text, encoding = text_at_the_beginning(opened, choices)
    if choices.table is None:
        begins = beginning_with_new_columns(text, None, choices)
        columns = [name.strip() for name in begins.names if name.strip()] if begins.header else []
        choices = choices.model_copy(update={"table": destination(intake, choices, columns)})
    assert choices.table is not None
    there = intake.schema.find(choices.table)
    if fold(choices.table) in intake.without:
        return choices, None
    if not (choices.create if there is None else choices.alter):
        check_nothing_to_make(choices, choices.table)
        return choices, None
    shown = intake.renaming.shown(there) if there is not None else None
    if shown is not None and choices.header is False:  # its columns are the table's
        return choices, beginning_of(text, shown, choices)
    begins = beginning_with_new_columns(text, shown, choices)
    if there is None and choices.header is None:
        check_names(begins.names)
    names = [name.strip() for name in begins.names]
    if not any(names) or len(set(map(fold, filter(None, names)))) != len([*filter(None, names)]):
        raise UnreadableError("The header has a column twice, or only columns without a name: none can be made of it.")
    survey = Survey(intake, choices)
    _look_at_rows(survey, choices, opened, encoding, begins, names, limits)
    survey.end()
    return choices, begins


def _look_at_rows(
    survey: Survey,
    choices: ImportChoices,
    opened: Content,
    encoding: str,
    begins: Beginning,
    names: Sequence[str],
    limits: Limits,
) -> None:
    """Look at each value in a column that may be new; rows of another width are told when they are read."""
    assert choices.table is not None
    survey.begin(choices.table)
    found = [survey.column(choices.table, name) if name else None for name in names]
    columns = [
        (place, column, choices.kind_of(name))
        for place, (name, column) in enumerate(zip(names, found))
        if column is not None
    ]
    width = max((place for place, name in enumerate(names, 1) if name), default=0)
    try:
        with opened() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as lines:
            for _ in range(choices.skip_lines):
                lines.readline()
            for _, row, quoted in records(lines, begins.delimiter, begins.skip, limits, choices.skip_lines):
                if not width <= len(row) or any(row[len(names) :]):
                    continue
                for place, column, kind in columns:
                    if kind is None:
                        column.see_text(as_plain_number(row[place], choices.decimal), quoted[place])
                    elif row[place]:
                        column.see_told(as_plain_number(row[place], choices.decimal), kind)
    except UnicodeError:
        raise faulty(opened, encoding) from None
