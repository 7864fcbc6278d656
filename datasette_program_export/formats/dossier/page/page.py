"""The page of a dossier, from its first byte to the machine's copy. It needs no other file, and no script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from ...dataset import Dataset
from ...description.coverage_text import coverage_sentences
from ...description.language.catalogue import Words
from ...registry import Options
from ..charts import wheel_css
from ..kept_rows import KeptRows
from ..machine_copy import MachineCopy
from ..seal import BEGINNING, COPY_ENDS, copy_begins
from .dictionary import dictionary
from .files import FileCells
from .layouts import Layouts
from .markup import text
from .naming import Naming
from .sections import Sections
from .special import special
from .subject import Subject
from .values import Values

_FOLDER = Path(__file__).parent


@cache
def _part(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _allowed(part: str) -> str:
    """Return how a policy names a style or a script: by its hash, so that no other is run."""
    return f"'sha256-{b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"


class Page:
    """``kept`` are all rows; ``copy`` is written last. The page is in the language of ``say``."""

    def __init__(self, dataset: Dataset, options: Options, kept: KeptRows, copy: MachineCopy, say: Words) -> None:
        self._dataset, self._options, self._kept, self._copy, self._say = dataset, options, kept, copy, say
        self._naming = Naming(dataset, options, say)
        self._subject = Subject(dataset, self._naming, kept)
        values = Values(say, special(say))
        one, covered = self._subject.one, dataset.coverage()
        self._files = FileCells(copy.files(), covered.files, kept, say)
        dangling = covered.dangling_by_reference.keys()
        self._layouts = Layouts(kept, self._naming, dict(dataset.schema.tables), one, dangling)
        self._sections = Sections(kept, self._naming, values, self._files, one)

    def pieces(self) -> Iterator[bytes]:
        """Yield every byte before the end."""
        yield BEGINNING + self._say.language.encode() + b'">\n'
        for part in (self._head(), self._header(), self._main(), self._footer()):
            for piece in part:
                yield piece.encode()
        yield copy_begins(self._copy.kind)
        yield from self._copy.lines()
        yield COPY_ENDS

    def _head(self) -> Iterator[str]:
        style, script = _part("dossier.css") + wheel_css(), _part("dossier.js")
        policy = (
            f"default-src 'none'; style-src {_allowed(style)}; script-src {_allowed(script)}; "
            f"img-src data:{' blob:' if self._files else ''}; base-uri 'none'; form-action 'none'"
        )
        yield (
            f'<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
            f'<meta name="generator" content="{text(str(self._dataset.head["generator"]))}">\n'
            f"<title>{text(self._subject.title)}</title>\n<style>{style}</style>\n</head>\n"
        )

    def _header(self) -> Iterator[str]:
        say, head = self._say, self._dataset.head
        rows = sum(table.rows for table in self._kept.tables.values())
        lead = say(
            "dossier.lead",
            rows=say("rows", rows),
            tables=say("dossier.tables", len(self._kept.tables)),
            source=str(head["source"]),
            moment=say.moment(str(head["created_at"])),
        )
        yield f'<body>\n<a class="skip" href="#all">{text(say("dossier.skip"))}</a>\n<header>\n'
        yield f'<p class="eyebrow">{text(self._subject.eyebrow)}</p>\n<h1 dir="auto">{text(self._subject.title)}</h1>\n'
        yield f'<p class="lead">{text(lead)}</p>\n'
        told = text(say("dossier.found", found="{0}", all="{1}"))
        yield (
            f'<search class="tools" hidden><label for="find">{text(say("dossier.search"))}</label>'
            f'<input id="find" type="search" autocomplete="off" spellcheck="false">'
            f'<output id="found" for="find" aria-live="polite" data-told="{told}"></output></search>\n'
        )
        yield f'<nav aria-label="{text(say("dossier.contents"))}"><ul>\n'
        for name in self._subject.order:
            if (table := self._kept.tables[name]).rows:
                yield f'<li><a href="#s{table.number}">{text(self._heading(name))}</a></li>\n'
        for key in (*(["file"] if self._files else ()), "coverage", "dictionary", "check"):
            to = "files" if key == "file" else key
            yield f'<li><a href="#{to}">{text(say(f"dossier.{key}.short"))}</a></li>\n'
        yield "</ul></nav>\n</header>\n"

    def _main(self) -> Iterator[str]:
        yield '<main id="all">\n'
        for name in self._subject.order:
            if self._kept.tables[name].rows:
                yield from self._sections.write(self._layouts.of(name), self._heading(name))
        if not any(table.rows for table in self._kept.tables.values()):
            yield f"<p>{text(self._say('dossier.nothing'))}</p>\n"
        yield "</main>\n"

    def _heading(self, name: str) -> str:
        return self._naming.one(name) if name == self._subject.one else self._naming.table(name)

    def _footer(self) -> Iterator[str]:
        say = self._say
        sentences = coverage_sentences(self._dataset.coverage(), self._naming.labels(), say)
        empty = [self._naming.table(name) for name, table in self._kept.tables.items() if not table.rows]
        if empty:
            sentences = [*sentences, say("dossier.empty", tables=", ".join(empty))]
        yield "<footer>\n"
        if self._files:
            yield from self._files.section(self._options.title)
        yield _group("coverage", say("dossier.coverage.title"))
        yield f"<p>{text(say('dossier.coverage.holds'))}</p>\n"
        needs = self._files.needing_scripts()
        yield _listed(sentences or [say("dossier.coverage.all")])
        yield (f'<p class="needs">{text(needs)}</p>\n' if needs else "") + "</section>\n"
        yield from dictionary(self._dataset, self._kept, self._naming)
        yield _group("check", say("dossier.check.title")) + f"<p>{text(say('dossier.check.how'))}</p>\n"
        name = self._options.title
        yield f'<p class="command"><code>program-export verify {text(name)}.html</code></p>\n'
        yield f"<p>{text(say('dossier.check.copy', size=say.size(self._copy.size)))}</p>\n"
        save = text(say("dossier.save"))
        yield f'<p><button type="button" class="save" data-name="{text(name)}" hidden>{save}</button></p>\n'
        other = "zip" if self._files else "json"
        yield f'<p class="command"><code>program-export convert {text(name)}.html -o {text(name)}.{other}</code></p>\n'
        yield f"<p>{text(say('dossier.check.import'))}</p>\n"
        yield f'<p class="command"><code>program-export import {text(name)}.html DATABASE.db --preview</code></p>\n'
        made = say("dossier.made", generator=str(self._dataset.head["generator"]))
        yield f'<p class="lead">{text(made)}</p>\n</section>\n</footer>\n<script>{_part("dossier.js")}</script>\n'


def _group(name: str, title: str) -> str:
    return f'<section class="group" id="{name}" aria-labelledby="h-{name}">\n<h2 id="h-{name}">{text(title)}</h2>\n'


def _listed(sentences: Sequence[str]) -> str:
    return '<ul class="told">' + "".join(f"<li>{text(sentence)}</li>" for sentence in sentences) + "</ul>\n"
