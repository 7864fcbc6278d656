"""Columns with ordinary names whose values look like secrets: hashes of passwords, keys, tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...database.schema import Column, Table
from ...selection.secrets import sounds_secret
from ..names import words_of
from ..proposal import Found
from .json_texts import parsed

_LOOKS = (
    ("hashes of passwords", re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$")),
    ("hashes of passwords", re.compile(r"(\$argon2(id|i|d)\$|\$scrypt\$|scrypt:\d+|\$[156]\$[^$]+\$|\{SS?HA\d*\})")),
    ("hashes of passwords", re.compile(r"pbkdf2[_:]\w+[$:]")),
    ("private keys", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("signed tokens", re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}$")),
    ("keys of services", re.compile(r"(sk|pk|rk)_(live|test)_\w{16,}|sk-[\w-]{20,}|gh[pousr]_\w{30,}")),
    ("keys of services", re.compile(r"github_pat_\w{20,}|glpat-[\w-]{15,}|AIza[\w-]{35}$")),
    ("keys of services", re.compile(r"xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}$")),
)  # fmt: skip
_KEYS = ("key", "name", "setting", "option", "option_name", "config_key", "setting_key", "meta_key", "setting_name")
_VALUES = ("value", "val", "option_value", "setting_value", "config_value", "meta_value")


def find_secrets(table: Table, values: Mapping[str, Sequence[Any]]) -> Iterator[Found]:
    """Yield the columns, and the paths in JSON columns, that look secret by their values. Values are not told."""
    in_a_key = {*table.pk, *(c for key in table.foreign_keys for c in key.columns)}
    for column, found in values.items():
        texts = [v for v in found if isinstance(v, str)]
        kind = next((kind for kind, look in _LOOKS if any(look.match(text) for text in texts)), None)
        if kind is not None:
            why = f"values look like {kind}" + ("; it is part of a key" if column in in_a_key else "")
            yield _found(table, column, why, column not in in_a_key)
        for path in _paths(texts) if kind is None else ():
            yield _found(table, f"{column}.{path}", "a key in its JSON sounds like a secret", True)
    keys, held = (_named(values, names) for names in (_KEYS, _VALUES))
    if keys is not None and held is not None:
        named = sorted({v for v in values[keys] if isinstance(v, str) and _sounds_secret(v)})
        if named:
            yield _found(table, held, f"rows of {keys} sound like secrets, such as {_told(named[0])}", True)


def _found(table: Table, column: str, why: str, written: bool) -> Found:
    return Found(setting="secrets", table=table.name, value=[column], why=why, written=written)


def _named(values: Mapping[str, Sequence[Any]], names: Sequence[str]) -> str | None:
    return next((column for column in values if "_".join(words_of(column)) in names), None)


def _sounds_secret(name: str) -> bool:
    last = re.split(r"[.:/]", name)[-1]
    return 0 < len(last) <= 60 and sounds_secret(Column(last, "TEXT", "TEXT"))


def _told(name: str) -> str:
    return json.dumps(name[:60], ensure_ascii=False)


def _paths(texts: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for text in texts:
        for path in _secret_paths(parsed(text), ()):
            found.setdefault(path)
    return list(found)


def _secret_paths(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if len(path) > 6:
        return
    if isinstance(value, list):  # a path goes through lists
        for one in value[:20]:
            yield from _secret_paths(one, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not key or "." in key or key == "*":
                continue
            if isinstance(inner, str) and inner and _sounds_secret(key):
                yield ".".join((*path, key))
            else:
                yield from _secret_paths(inner, (*path, key))
