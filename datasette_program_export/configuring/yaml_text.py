"""Writes a proposal as settings: as data, and as the lines for ``metadata.yml`` with a comment at each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from .proposal import Found

PLUGIN = "datasette-program-export"
_BY_TABLE = ("secrets", "json_columns")
_ABOUT = {
    "persons": "Whose records these are: one person's export holds nobody else's rows. `persons: none`: nobody's.",
    "subjects": "What rows are called, and the columns that name one to a reader.",
    "virtual_foreign_keys": "References that the schema does not declare; they are followed like declared ones.",
    "secrets": "Columns, and keys in their JSON, that no export holds.",
    "json_columns": "Texts that hold JSON: written as JSON where a format can.",
    "files": "Columns that hold paths of files, with the folder of these: a package then holds the files.",
    "caches": "What the application can fill again: left out of a copy of the whole database.",
}
_MOST_TOLD = 40


def as_settings(found: Sequence[Found]) -> dict[str, Any]:
    """Return the settings of what is to be written, in the order of the lines."""
    made: dict[str, Any] = {}
    for setting in _ABOUT:
        written = [f for f in found if f.setting == setting and f.written]
        if not written:
            continue
        if setting == "subjects":
            made[setting] = {f.table: f.value for f in written}
        elif setting in _BY_TABLE:
            made[setting] = {}
            for one in written:
                made[setting].setdefault(one.table, []).extend(one.value)
        else:
            made[setting] = [f.value for f in written]
    return made


def as_yaml(database: str, found: Sequence[Found], secret: Sequence[str], preset: str | None, title: str | None) -> str:
    """Return the lines for ``metadata.yml``. ``secret`` are the columns that are left out by their names."""
    lines = [
        f"# Proposed by `program-export setup` for {_told(database)}. Read each line, keep what is right, check it:",
        "# program-export check -m metadata.yml DATABASE",
        "databases:",
        f"  {_key(database)}",
        "    plugins:",
        f"      {PLUGIN}:",
    ]
    inner = (
        []
        if preset is None
        else [f"# {_told(title or preset)} was recognised: the preset says the rest.", f"preset: {_value(preset)}"]
    )
    settings = as_settings(found)
    for setting, about in _ABOUT.items():
        here = [f for f in found if f.setting == setting]
        if here or (setting == "secrets" and secret):
            inner += ["", f"# {about}"]
            inner += _of_names(secret) if setting == "secrets" else []
            inner += [f"{setting}:"] if setting in settings else ["# files:"] if setting == "files" else []
            inner += _lines(setting, here)
    if not settings and preset is None:
        lines[-1] += " {}"
    return "\n".join([*lines, *(f"        {line}".rstrip() for line in _without_first_gap(inner))]) + "\n"


def _without_first_gap(lines: Sequence[str]) -> Sequence[str]:
    return lines[1:] if lines[:1] == [""] else lines


def _of_names(secret: Sequence[str]) -> Iterator[str]:
    if secret:
        more = f" and {len(secret) - _MOST_TOLD} more" if len(secret) > _MOST_TOLD else ""
        yield f"# Left out already, by their names: {', '.join(map(_told, secret[:_MOST_TOLD]))}{more}"


def _lines(setting: str, found: Sequence[Found]) -> Iterator[str]:
    """Yield the lines below a setting; those that are not to be written, as comments."""
    written = [f for f in found if f.written]
    if setting in _BY_TABLE:
        for table in dict.fromkeys(f.table for f in written):
            here = [f for f in written if f.table == table]
            columns = [column for f in here for column in f.value]
            why = "; ".join(dict.fromkeys(_told(f.why) for f in here))
            yield f"  {_key(table)} {_value(columns)}  # {why}"
    for one in found:
        if one.written and setting in _BY_TABLE:
            continue
        line = f"- {_value(one.value)}"
        if setting in (*_BY_TABLE, "subjects"):
            line = f"{_key(one.table)} {_value(one.value)}"
        elif setting == "files":
            line = ", ".join(f"{_key(f'{one.table}.{c}')} {_value(folder)}" for c, folder in one.value.items())
        yield ("  " if one.written else "#   ") + f"{line}  # {_told(one.why)}"


def _value(value: Any) -> str:
    """Return a value as YAML in one line."""
    quoted = _quoted(value)
    if "\\n" in quoted or "\\u00" in quoted:  # a line break or a control character
        return quoted
    text = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, sort_keys=False, width=2**31)
    return text.strip()[1:-1]


def _key(name: str) -> str:
    """Return a name as the key of a mapping, with its colon."""
    if not name or len(name) > 100 or any(not c.isprintable() for c in name):
        return _quoted(name) + ":"
    text = yaml.safe_dump({name: 0}, default_flow_style=True, allow_unicode=True, width=2**31).strip()
    return text[1:].removesuffix("0}").rstrip()


def _quoted(value: Any) -> str:
    """Return a value in YAML's JSON form, which keeps line breaks and control characters in one line."""
    return json.dumps(value)


def _told(text: str) -> str:
    """Return text for a comment: in one line, of visible characters."""
    return "".join(c if c.isprintable() else " " for c in text)
