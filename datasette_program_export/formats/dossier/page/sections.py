"""One section for each table: its rows as a list of facts, as cards, as a table, or in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby, islice
from operator import itemgetter

from ...dataset import Row
from ...description.language.catalogue import Words
from ..kept_rows import KeptRows, KeptTable
from .files import FileCells
from .layouts import Section
from .markup import cell, text
from .naming import Naming
from .values import Values

_OPEN_ROWS, _OPEN_CARDS = 25, 6  # so many are seen at once; the rest is folded
_WIDE = ('class="prose', "<img", "<details", "<svg", "<pre", "<table", 'class="nested"', 'class="file"')
_STAMPS = ("created_at", "updated_at", "modified_at", "created", "updated", "modified", "last_viewed")
Rows = Iterator[tuple[int, Row]]


class Sections:
    """Writes sections. ``subject`` is the table of the one record asked for, if it is one."""

    def __init__(self, kept: KeptRows, naming: Naming, values: Values, files: FileCells, subject: str | None) -> None:
        self._kept, self._naming, self._values, self._files, self._subject = kept, naming, values, files, subject
        self._say: Words = naming.say

    def write(self, section: Section, heading: str) -> Iterator[str]:
        """Yield a section in pieces."""
        table = section.table
        yield f'<section class="group" id="s{table.number}" aria-labelledby="h{table.number}">\n'
        count = f' <span class="count">{text(self._say.number(table.rows))}</span>' if table.rows != 1 else ""
        yield f'<h2 id="h{table.number}">{text(heading)}{count}</h2>\n'
        for above, rows in self._groups(section):
            if above is not None:
                yield f'<h3 class="above">{above}</h3>\n'
            if section.line is not None:
                write, most, head, tail = partial(self._event, section), _OPEN_ROWS, '<ol class="events">\n', "</ol>"
            elif section.cards:
                card = partial(self._card, section, 3 if above is None else 4)
                write, most, head, tail = card, _OPEN_CARDS, "", ""
            else:
                write, most = partial(self._line, section), _OPEN_ROWS
                head, tail = self._head(section, heading), "</tbody></table></div>"
            yield from self._folded(rows, most, head, tail, write)
        yield "</section>\n"

    def _groups(self, section: Section) -> Iterator[tuple[str | None, Rows]]:
        """Yield the rows in groups, each with the link to the row that they belong to; one group without a link."""
        key, table = section.above, section.table
        rows = self._kept.rows(table, key, section.line)
        if key is None:
            yield None, ((line, row) for line, _, row in rows)
            return
        for above, group in groupby(rows, key=itemgetter(1)):
            link = text(self._say("dossier.without"))
            if above is not None:
                link = self._link(self._kept.tables[key.table], above)
            yield link, ((line, row) for line, _, row in group)

    def _folded(self, rows: Rows, most: int, head: str, tail: str, write: Callable[[int, Row], str]) -> Iterator[str]:
        """Yield rows between ``head`` and ``tail``; what is more than ``most`` is folded."""
        first = list(islice(rows, most + 3))  # a few more are not worth a click
        second = next(rows, None)
        yield head
        yield from (write(line, row) for line, row in first)
        yield tail + "\n"
        if second is not None:
            yield f'<details class="more"><summary>{text(self._say("dossier.more"))}</summary>\n{head}'
            yield from (write(line, row) for line, row in chain([second], rows))
            yield f"{tail}</details>\n"

    def _head(self, section: Section, heading: str) -> str:
        columns = section.columns
        names = (cell(text(self._called(section, i)), len(columns), ' scope="col"', "th") for i in columns)
        return (
            f'<div class="scroll" tabindex="0" role="group" aria-label="{text(heading)}">'
            f"<table><thead><tr>{''.join(names)}</tr></thead><tbody>\n"
        )

    def _line(self, section: Section, line: int, row: Row) -> str:
        columns = section.columns
        cells = (cell(self._cell(section, i, row) or "–", len(columns), ' dir="auto"') for i in columns)
        return f'<tr class="row" id="{section.table.anchor(line)}">{"".join(cells)}</tr>\n'

    def _card(self, section: Section, level: int, line: int, row: Row) -> str:
        anchor = section.table.anchor(line)
        if section.table.name == self._subject:  # its title is that of the page
            return f'<div class="subject row" id="{anchor}">{self.facts(section, row, section.columns)}</div>\n'
        title = self._naming.row(section.table, row, line)
        said = {section.table.places.get(name) for name in self._naming.heads(section.table.name)}
        named = self._files.places(section.table)
        shown = [i for i in section.columns if i in named or (row[i] != title and i not in said)]
        facts = self.facts(section, row, shown)
        head = f'<h{level} dir="auto">{text(title)}</h{level}>'
        return f'<article class="card row" id="{anchor}">{head}{facts}</article>\n'

    def _event(self, section: Section, line: int, row: Row) -> str:
        assert section.line is not None
        title = self._naming.row(section.table, row, line)
        said = {section.line, *(section.table.places[c] for c in self._naming.title_columns(section.table.name))}
        named = self._files.places(section.table)
        facts = self.facts(section, row, [i for i in section.columns if i in named or i not in said])
        when = self._cell(section, section.line, row)
        return (
            f'<li class="row" id="{section.table.anchor(line)}"><span class="when">{when}</span>'
            f'<div><strong dir="auto">{text(title)}</strong>{facts}</div></li>\n'
        )

    def facts(self, section: Section, row: Row, columns: Sequence[int]) -> str:
        """Return columns of a row as a list of facts; what has no value is not in it."""
        found, stamps = [], []
        for place in columns:
            shown = self._cell(section, place, row)
            name = text(self._called(section, place))
            if shown and section.table.fields[place].name.lower() in _STAMPS:
                stamps.append(f"<div><dt>{name}</dt> <dd>{shown}</dd></div>")
            elif shown:
                wide = ' class="wide"' if any(mark in shown for mark in _WIDE) else ""
                found.append(f'<div{wide}><dt>{name}</dt><dd dir="auto">{shown}</dd></div>')
        told = f'<dl class="facts">{"".join(found)}</dl>' if found else ""
        return told + (f'<dl class="stamps">{"".join(stamps)}</dl>' if stamps else "")

    def _called(self, section: Section, place: int) -> str:
        name = section.table.fields[place].name
        return self._naming.column(name, section.table.name if section.described.primary_key == (name,) else None)

    def _cell(self, section: Section, place: int, row: Row) -> str:
        """Return a value: as a link where it refers to a row of this file, and as the file that it names."""
        field, value = section.table.fields[place], row[place]
        if (named := self._files.cell(section.table.name, field.name, value)) is not None:
            return named
        keys = [k for k in section.described.foreign_keys if field.name in k.columns] if value is not None else []
        for key in keys:
            if (found := self._kept.parent(section.table, row, key)) is not None:
                return self._link(*found)
        shown = self._values(field, value)
        return (
            f'{shown} <span class="gone">({text(self._say("dossier.gone"))})</span>'
            if keys and section.cards
            else shown
        )

    def _link(self, table: KeptTable, line: int) -> str:
        title = self._naming.row(table, self._kept.row(table, line), line)
        return f'<a href="#{table.anchor(line)}"><bdi>{text(title)}</bdi></a>'
