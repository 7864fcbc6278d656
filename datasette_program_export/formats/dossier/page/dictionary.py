"""The dictionary at the end of a dossier: what its tables and columns are, by descriptions and by the schema."""

from __future__ import annotations

from collections.abc import Iterator

from ...dataset import Dataset
from ..kept_rows import KeptRows
from .markup import cell, text
from .naming import Naming


def dictionary(dataset: Dataset, kept: KeptRows, naming: Naming) -> Iterator[str]:
    """Yield the section: for each table its name in the database, its columns, what they refer to, which are empty."""
    say = naming.say
    yield (
        '<section class="group" id="dictionary" aria-labelledby="h-dictionary">\n'
        f'<h2 id="h-dictionary">{text(say("dossier.dictionary.title"))}</h2>\n'
        f"<p>{text(say('dossier.dictionary.told'))}</p>\n"
    )
    for name, described in dataset.schema.tables.items():
        table = kept.tables[name]
        refers = {c: key.table for key in described.foreign_keys for c in key.columns}
        yield f"<details><summary>{text(naming.table(name))} <code>{text(name)}</code></summary>\n"
        if about := naming.about(name):
            yield f'<p class="about" dir="auto">{text(about)}</p>\n'
        yield '<div class="scroll" tabindex="0" role="group"'
        yield f' aria-label="{text(naming.table(name))}"><table><thead><tr>'
        for key in ("word", "name", "meaning"):
            yield f'<th scope="col">{text(say(f"dossier.dictionary.{key}"))}</th>'
        yield "</tr></thead><tbody>\n"
        for column, look in zip(described.columns, table.looks):
            told = [say("dossier.dictionary.key")] if column.name in described.primary_key else []
            if (other := refers.get(column.name)) is not None:
                told.append(say("dossier.dictionary.refers", table=naming.table(other)))
            if column.generated:
                told.append(say("dossier.dictionary.computed"))
            if not look.filled and table.rows:
                told.append(say("dossier.dictionary.empty"))
            meaning = f"{_about(naming.about(name, column.name))}{text(' '.join(told))}"
            shown = (text(naming.column(column.name)), f"<code>{text(column.name)}</code>", meaning)
            yield "<tr>" + "".join(cell(said, len(shown)) for said in shown) + "</tr>\n"
        yield "</tbody></table></div></details>\n"
    yield "</section>\n"


def _about(said: str | None) -> str:
    return f'<div class="about" dir="auto">{text(said)}</div>' if said else ""
