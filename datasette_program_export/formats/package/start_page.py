"""START-HERE.html: shows a package to the person who receives it; a page that needs no network and runs no script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from ...options.request import DEFAULT_MEMBER
from ..dataset import Dataset
from ..description.coverage_text import coverage_sentences
from ..description.language.catalogue import Words
from .datapackage import Resource
from .readme import NAME as README

NAME = "START-HERE.html"
_STYLE = """
:root{color-scheme:light dark}
body{max-width:46rem;margin:3rem auto;padding:0 1.2rem;font:1rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .6rem}
h2{font-size:1.2rem;margin:2.2rem 0 .5rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:start;padding:.4rem 1rem .4rem 0;border-bottom:1px solid #8886;vertical-align:top}
.number{text-align:end;font-variant-numeric:tabular-nums}
code{display:block;padding:.5rem .8rem;border:1px solid #8886;border-radius:.4rem}
a{text-underline-offset:.2em}
"""
_POLICY = f"default-src 'none'; style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
_TABLES = (DEFAULT_MEMBER, "tsv")  # what a spreadsheet program opens by double click


def start_page(
    dataset: Dataset, title: str, resources: Sequence[Resource], files: int, importable: bool, say: Words
) -> str:
    """Return the page, in the language of ``say``. ``title`` is that of the browser's window, ``files`` how many others
    there are, such as pictures. Not ``importable``: the tables are made for a spreadsheet."""
    counts = {name: table.rows for name, table in dataset.integrity().tables.items()}
    plain = all(resource.form in _TABLES for resource in resources)
    kept_back = coverage_sentences(dataset.coverage(), say=say) or [say("start.nothing_left")]
    lead = say(
        "dossier.lead",
        rows=say("rows", sum(counts.values())),
        tables=say("dossier.tables", len(resources)),
        source=str(dataset.head["source"]),
        moment=say.moment(str(dataset.head["created_at"])),
    )
    parts = [
        f"<h1>{_text(say('start.title'))}</h1>",
        f"<p>{_text(lead)}</p>",
        f"<p><strong>{_text(say('start.unpack'))}</strong></p>",
        f"<h2>{_text(say('start.files'))}</h2>",
        f"<p>{_text(say('start.open' if plain else 'start.for_programs'))}</p>",
        *_listed(resources, counts, say),
        *([f"<p>{_text(say('start.pictures', files))}</p>"] if files else ()),
        f"<p>{_text(say('start.readme', file=README))}</p>",
        f"<h2>{_text(say('start.left'))}</h2>",
        "<ul>" + "".join(f"<li>{_text(sentence)}</li>" for sentence in kept_back) + "</ul>",
        f"<h2>{_text(say('start.check'))}</h2>",
        f"<p>{_text(say('start.verify'))}</p><p><code>datasette program-export verify FILE.zip</code></p>",
        f"<p>{_text(say('start.load' if importable else 'start.not_to_load'))}</p>",
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="{say.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _listed(resources: Sequence[Resource], counts: Mapping[str, int], say: Words) -> list[str]:
    """Return the table of the files."""
    heads = (f"<th>{_text(say(f'start.{key}'))}</th>" for key in ("table", "file"))
    return [
        f'<table>\n<tr>{"".join(heads)}<th class="number">{_text(say("start.rows"))}</th></tr>',
        *(
            f'<tr><td>{_text(r.table)}</td><td><a href="{quote(r.path)}">{_text(r.path)}</a></td>'
            f'<td class="number">{say.number(counts[r.table])}</td></tr>'
            for r in resources
        ),
        "</table>",
    ]


def _text(value: str) -> str:
    """Return a text for HTML; what HTML cannot hold is a question mark."""
    return escape("".join(c if c.isprintable() else " " if c.isspace() else "?" for c in value))
