"""Finds formats by their name, their files' suffix and their address, and checks the choices of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import PluginError, RequestError, UnsupportedError
from ...options.delimiters import word_of
from ...options.request import Request
from .format import Format
from .registered import registered


class _Names(Sequence[str]):
    """The current names, in their order."""

    def __getitem__(self, place: Any) -> Any:
        return tuple(registered().formats)[place]

    def __iter__(self) -> Iterator[str]:  # Sequence's own asks for each by its place
        return iter(tuple(registered().formats))

    def __len__(self) -> int:
        return len(registered().formats)

    def __contains__(self, name: object) -> bool:
        return name in registered().formats


NAMES = _Names()


def get_format(name: str) -> Format:
    """Return the format of that name.

    Raises RequestError, which lists the known names; PluginError where it may be that of a plugin that failed."""
    known = registered()
    if name in known.formats:
        return known.formats[name]
    if name in known.taken:
        raise PluginError(known.taken[name])
    if known.faults:  # it may be one of theirs
        raise PluginError(f"There is no format {name}; a plugin failed to register its own: {' '.join(known.faults)}")
    raise RequestError(f"There is no format {name}. Known: {', '.join(NAMES)}.")


def format_for_file(name: str) -> str | None:
    """Return the name of the format for a file name's suffix, or None."""
    for candidate in NAMES:
        form = get_format(candidate)
        if any(name.lower().endswith("." + s) for s in (form.extension, *form.suffixes)):
            return candidate
    return None


def member_names() -> tuple[str, ...]:
    """Return the names of the formats whose files can be in a package, plain tables first."""
    found = [form for form in registered().formats.values() if form.member is not None]
    return tuple(form.name for form in sorted(found, key=lambda form: not form.described))


def format_for_purpose(purpose: str) -> Format:
    """Return the format for one of PURPOSES: the last in the order of lists, so that a better one takes over."""
    return [form for form in registered().formats.values() if form.purpose == purpose][-1]


def endings() -> dict[str, str]:
    """Return the names of the formats that have their own address, by its ending after ``.program``."""
    return {form.ending: name for name, form in registered().formats.items() if form.ending is not None}


def choices() -> Mapping[str, tuple[str, ...]]:
    """Return the possible values of the request's options that name formats, except ``format`` itself."""
    return {"members": member_names()}


def check_members(request: Request) -> None:
    """Check the format of a package's files. Raises RequestError if it cannot be in a package."""
    if request.members is None:
        return
    known = [repr(name) for name in member_names()]
    if repr(request.members) not in known:
        raise RequestError(f"members must be {', '.join(known[:-1])} or {known[-1]}.")


def check_choices(form: Format, request: Request) -> None:
    """Check that the format has the request's layout, dialect and delimiter. Raises UnsupportedError if not.

    Raises RequestError if ``members`` cannot be in a package."""
    check_members(request)
    if request.layout not in form.layouts:
        raise UnsupportedError(f"{form.name} has no layout {request.layout}; it has: {', '.join(form.layouts)}.")
    if request.language is not None and not form.speaks and request.guide != "page":
        known = [n for n in NAMES if get_format(n).speaks]
        raise UnsupportedError(f"language goes with {', '.join(known)}, and with a guide that is a page.")
    if form.delimiter is None and (request.dialect != "exact" or request.delimiter is not None):
        name = "delimiter" if request.dialect == "exact" else "dialect"
        known = [n for n in NAMES if get_format(n).delimiter is not None]
        raise UnsupportedError(f"{name} goes with {', '.join(known[:-1])} and {known[-1]}, not with {form.name}.")
    if form.delimiter is not None and not form.any_delimiter and request.delimiter not in (None, form.delimiter):
        own = word_of(form.delimiter)
        raise UnsupportedError(f"{form.name} has a {own} between its fields; for another delimiter, take csv.")
