"""The kinds of file that the export page offers: a few purposes, and each other format by its name.

A purpose is a format, with a dialect where the format has one for it. Each kind has fields of its own for the options
of its format; only those of the chosen kind have a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...formats.registry import NAMES, PURPOSES, Format, format_for_purpose, get_format
from ...options.grammar import PREFIX
from ...options.request import PACKAGE, Request

KIND = f"{PREFIX}kind"  # the value of the radio boxes
OF = f"{PREFIX}of."  # then an option, a point and a kind: a field of that kind only
_SPREADSHEET = "spreadsheet"  # a purpose, and the dialect of the csv formats for it
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Kind:
    """A kind of file. ``value`` is what the form sends for it: a purpose, or a format's name after a point."""

    value: str
    form: Format
    purpose: str = ""

    @property
    def dialect(self) -> str | None:
        """The dialect that the kind has, if its format has dialects and it does not leave the choice."""
        return _SPREADSHEET if self.purpose == _SPREADSHEET and self.form.delimiter is not None else None

    def pairs(self) -> Pairs:
        """Return the options of a request that say it."""
        found = [(f"{PREFIX}format", self.form.name)]
        return found if self.dialect is None else [*found, (f"{PREFIX}dialect", self.dialect)]

    def options(self, several: bool) -> tuple[str, ...]:
        """Return the options that its format has. ``several``: the file is of several tables."""
        form, found = self.form, []
        if len(form.layouts) > 1:
            found.append("layout")
        if form.name == PACKAGE:
            found += ["members", "blobs", "guide"]
        if form.delimiter is not None and self.dialect is None:
            found.append("dialect")
        if form.any_delimiter:
            found.append("delimiter")
        if form.speaks:
            found.append("language")
        if not form.compressed and not (several and form.holds_one):
            found.append("compress")
        return tuple(found)


def purposes() -> list[Kind]:
    """Return the kinds that have a purpose."""
    return [Kind(purpose, format_for_purpose(purpose), purpose) for purpose in PURPOSES]


def other_kinds() -> list[Kind]:
    """Return the formats that no purpose means as they are."""
    meant = {kind.form.name for kind in purposes() if kind.dialect is None}
    return [Kind(f".{name}", get_format(name)) for name in NAMES if name not in meant and get_format(name).is_installed]


def kind_of(request: Request) -> Kind:
    """Return the kind that a request asks for."""
    for kind in purposes():
        if kind.form.name == request.format and (kind.dialect or request.dialect) == request.dialect:
            return kind
    return Kind(f".{request.format}", get_format(request.format))


def of_kind(pairs: Pairs) -> Pairs:
    """Return the fields of a form with the chosen kind as options of a request, without those of other kinds."""
    chosen = next((value for name, value in pairs if name == KIND), None)
    known = {kind.value: kind for kind in [*purposes(), *other_kinds()]}
    found = []
    for name, value in pairs:
        option, _, kind = name.removeprefix(OF).partition(".")
        if not name.startswith(OF):
            found.append((name, value))
        elif kind == chosen:
            found.append((PREFIX + option, value))
    if chosen in known:
        found = [(name, value) for name, value in found if name != KIND] + known[chosen].pairs()
    return found
