"""Checks that a format of a plugin has all its parts, each of its kind, before anything uses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ...files.compression import SUFFIXES
from ...options.request import choices_of
from .format import PURPOSES, Format
from .members import Member

SUFFIX = re.compile(r"[a-z0-9][a-z0-9_.-]{0,19}")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*", re.ASCII)
_YES_OR_NO = (
    *("lossless", "self_verifying", "described", "streams"),
    *("compressed", "any_delimiter", "sized_as_planned", "gives_rows", "edited", "one_table", "speaks"),
)
_FUNCTIONS = ("encode", "encode_table", "decode")


def faults_of(form: Any) -> Iterator[str]:
    """Yield what is wrong with a format, as ends of a sentence; a sound one yields nothing."""
    if not isinstance(form, Format):
        yield f"is a {type(form).__name__}, not a Format"
        return
    for name, is_right, what in _RULES:
        if not is_right(getattr(form, name)):
            yield f"has no right {name}: it must be {what}"
            return  # what is of another kind cannot be looked at any further
    if form.encode is None and form.encode_table is None:
        yield "has neither encode nor encode_table, so it writes nothing"
    if form.one_table and None in (form.encode, form.encode_table, form.member):
        yield "has one_table, but not all of encode, encode_table and member"
    if form.decode is None and (form.beginnings or form.self_verifying):
        yield "has no decode, so it can have no beginnings, and its files cannot verify themselves"
    if form.proving_layout is not None and form.proving_layout not in form.layouts:
        yield "has a proving_layout that is not among its layouts"


def _text(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _all(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(map(kind, value))


def _or_none(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or kind(value)


def _suffix(value: Any) -> bool:
    return _text(SUFFIX)(value) and value.rpartition(".")[2] not in SUFFIXES.values()


def _beginning(value: Any) -> bool:
    return isinstance(value, bytes) and 3 <= len(value) <= 64


def _is_layouts(value: Any) -> bool:
    return isinstance(value, tuple) and "rows" in value and set(value) <= set(choices_of("layout"))


_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("name", _text(re.compile(r"[a-z][a-z0-9_-]{0,39}")), "a word of small letters, digits, - and _"),
    ("help", lambda value: _line(value) and bool(value), "a sentence on one line"),
    ("good_for", _line, "a text on one line"),
    ("purpose", lambda value: value in ("", *PURPOSES), f"empty, or one of {', '.join(PURPOSES)}"),
    ("extension", _suffix, "a suffix in small letters, without the first dot, that is no suffix of a compression"),
    ("suffixes", _all(_suffix), "a tuple of suffixes in small letters, without their first dots"),
    ("media_type", _text(_MEDIA_TYPE), "a media type, as text/csv"),
    ("ending", _or_none(_text(re.compile(r"[a-z0-9]{1,20}"))), "None, or small letters and digits"),
    ("beginnings", _all(_beginning), "a tuple of bytes, each 3 to 64 long"),
    ("layouts", _is_layouts, f"a tuple with rows, of {', '.join(choices_of('layout'))}"),
    ("member", _or_none(lambda value: isinstance(value, Member)), "None, or a Member"),
    ("delimiter", _or_none(lambda value: isinstance(value, str) and len(value) == 1), "None, or one character"),
    ("needs", _or_none(_text(re.compile(r"[A-Za-z_]\w*"))), "None, or the name of a module"),
    ("holds", _or_none(_line), "None, or the name of a file in a zip"),
    ("proving_layout", _or_none(lambda value: isinstance(value, str)), "None, or a layout"),
    *((name, _or_none(callable), "None, or a function") for name in _FUNCTIONS),
    *((name, lambda value: isinstance(value, bool), "True or False") for name in _YES_OR_NO),
)
