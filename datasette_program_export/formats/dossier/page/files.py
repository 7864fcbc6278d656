"""Shows the files that rows name: in their row, and all of them in a list with size and SHA-256, to be saved.

Pictures stand in their row, so that they are seen without scripts, up to a size of each and of all. The page's script
takes the bytes of larger ones, and of what is saved, out of the machine's copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...description.coverage import ColumnFiles
from ...description.language.catalogue import Words
from ...package.file_kinds import called
from ..images import data_address
from ..kept_files import KeptFile, KeptFiles
from ..kept_rows import KeptRows, KeptTable
from .markup import text

_OPEN = 25  # files that are seen at once; the rest is folded
MOST_OF_ONE, MOST_TOGETHER = 300_000, 5_000_000  # bytes of pictures that stand in their rows: of one, of all
_UNKNOWN = "application/octet-stream"  # nothing that a browser would run
_TURNING = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")  # signs that let a name look like another


class FileCells:
    """``covered`` says of which columns there are files; in ``kept``, columns that hold pictures are marked."""

    def __init__(self, files: KeptFiles, covered: Iterable[ColumnFiles], kept: KeptRows, say: Words) -> None:
        self._files, self._say = files, say
        self._shown = 0
        self._scripted: set[int] = set()
        self._columns = {(one.table, one.column) for one in covered}
        for table, column in self._columns:
            if files.has_pictures(table, column):
                kept.tables[table].looks[kept.tables[table].places[column]].images = True

    def __bool__(self) -> bool:
        return bool(self._files.all)

    def places(self, table: KeptTable) -> set[int]:
        """Return the places of a table's columns that name files: they are shown, whatever else says the same."""
        return {place for name, place in table.places.items() if (table.name, name) in self._columns}

    def cell(self, table: str, column: str, value: object) -> str | None:
        """Return a cell that names a file; None of any other."""
        if (table, column) not in self._columns or value in (None, "", b""):
            return None
        found = self._files.of(table, column, value)
        if found is None:
            return f'{_told(str(value))} <span class="gone">({text(self._say("dossier.file.gone"))})</span>'
        size = self._say.size(found.bytes)
        told = _shown(str(value), found)
        alt = text(self._say("dossier.picture", column=_plain(told), size=size))
        told = f'<a href="#file-{found.number}">{_told(told)}</a> <span class="gone">{text(size)}</span>'
        if found.picture is None:
            return f'<span class="file">{told} {self._button(found)}</span>'
        if found.bytes <= MOST_OF_ONE and self._shown + found.bytes <= MOST_TOGETHER:
            self._shown += found.bytes
            image = f'<img src="{data_address(self._files.content(found), found.picture)}" alt="{alt}" loading="lazy">'
        else:
            self._scripted.add(found.number)
            image = f'<img data-file="{found.number}" alt="{alt}" hidden>'
            told += f' <span class="gone needs">({text(self._say("dossier.file.needs_script"))})</span>'
        return f'<figure class="file">{image}<figcaption>{told} {self._button(found)}</figcaption></figure>'

    def needing_scripts(self) -> str | None:
        """Return a sentence if some pictures are shown by a script only. Ask for it after all cells are written."""
        if not self._scripted:
            return None
        one, together = (self._say.size(most) for most in (MOST_OF_ONE, MOST_TOGETHER))
        return self._say("dossier.file.scripted", len(self._scripted), one=one, together=together)

    def section(self, name: str) -> Iterator[str]:
        """Yield the list of all files; ``name`` is that of the page's own file, without extension."""
        say = self._say
        yield '<section class="group" id="files" aria-labelledby="h-files">\n'
        count = f' <span class="count">{text(say.number(len(self._files.all)))}</span>'
        yield f'<h2 id="h-files">{text(say("dossier.file.title"))}{count}</h2>\n'
        yield f"<p>{text(say('dossier.file.told'))}</p>\n"
        yield f'<div class="needs"><p>{text(say("dossier.file.without"))}</p>\n'
        command = f"program-export convert {name}.html -o {name}.zip"
        yield f'<p class="command"><code>{text(command)}</code></p></div>\n'
        lines = [self._line(found) for found in self._files.all]
        yield f'<ul class="files">\n{"".join(lines[:_OPEN])}</ul>\n'
        if rest := lines[_OPEN:]:
            yield f'<details class="more"><summary>{text(say("dossier.more"))}</summary>\n'
            yield f'<ul class="files">\n{"".join(rest)}</ul></details>\n'
        yield "</section>\n"

    def _line(self, found: KeptFile) -> str:
        last = called(found.name, found.path)
        return (
            f'<li id="file-{found.number}" data-path="{text(found.path)}" data-name="{text(_plain(last))}"'
            f' data-type="{found.picture or _UNKNOWN}">{_told(_shown(found.name, found))}'
            f' <span class="gone">{text(self._say.size(found.bytes))}</span> {self._button(found)}'
            f' <code><span class="gone">SHA-256</span> {found.sha256}</code></li>\n'
        )

    def _button(self, found: KeptFile) -> str:
        label = text(self._say("dossier.file.save_one", name=_plain(_shown(found.name, found))))
        said = text(self._say("dossier.file.save"))
        return (
            f'<button type="button" class="get" data-file="{found.number}" aria-label="{label}" hidden>{said}</button>'
        )


def _shown(value: str, file: KeptFile) -> str:
    """Return the path that a cell holds; instead of an id, which says nothing to a person, the file's own name."""
    name = called(value, file.path)
    return value if value.endswith(name) else name


def _told(name: str) -> str:
    return f"<bdi>{text(_plain(name))}</bdi>"


def _plain(name: str) -> str:
    return _TURNING.sub("\ufffd", name)
