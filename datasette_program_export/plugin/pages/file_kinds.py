"""The part of the export page about kinds of file: what each is called, how large it will be, its options."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from ...formats.registry import member_names
from ...options.delimiters import OFFERED, delimiter_of
from ...options.grammar import DIALECTS, PREFIX
from ...options.request import DEFAULT_MEMBER, Request, choices_of
from ...planning.plan import Plan
from ...planning.warnings import too_large
from ...planning.written_sizes import size_as
from ..request.asked import ExportContext
from ..request.kinds import OF, Kind, kind_of, other_kinds, purposes
from ..words import Words

_PLAIN = Request()
_FOR_A_PERSON = "read"  # a purpose that is seen first for a record only: a whole table is seldom read as a page


def chosen_kind(asked: ExportContext) -> Kind:
    """Return the kind that was asked for; else a spreadsheet for chosen rows of a table or query, else one to keep."""
    request = asked.request
    if f"{PREFIX}format" in asked.http.args or request.profile is not None:
        return kind_of(request)
    chosen = request.scope == "query" or (request.scope == "table" and bool(asked.words or request.where))
    wanted = "spreadsheet" if chosen else "keep"
    return next(kind for kind in purposes() if kind.purpose == wanted)


@cache
def _has_zstandard() -> bool:
    return find_spec("zstandard") is not None


def with_kind(request: Request, kind: Kind) -> Request:
    """Return the request for a file of this kind."""
    said = {name.removeprefix(PREFIX): value for name, value in kind.pairs()}
    return request.model_copy(update=said)


def kind_size(plan: Plan, kind: Kind) -> int | None:
    """Return about how many bytes a file of this kind has; None if nothing tells."""
    return size_as(plan, kind.form, len(plan.tables) > 1)


def kinds(request: Request, chosen: Kind, plan: Plan, words: Words) -> dict[str, Any]:
    """Return the template's variables: ``purposes``, ``others``, and the ``other_chosen`` kind if one of these is."""
    meant = purposes()
    first, *more = meant
    to_read = [kind for kind in more if kind.purpose == _FOR_A_PERSON and request.scope == "record"]
    shown = [first, *to_read, *(kind for kind in more if kind.purpose != _FOR_A_PERSON)]
    by_name = other_kinds()
    others = [*(kind for kind in meant if kind not in shown), *by_name]
    found = {kind.value: _told(kind, request, kind == chosen, plan, words) for kind in [*meant, *by_name]}
    if chosen.value not in found:
        found[chosen.value] = _told(chosen, request, True, plan, words)
    told = found[chosen.value]
    return {
        "purposes": [found[kind.value] for kind in shown],
        "others": [found[kind.value] for kind in others],
        "other_chosen": None if chosen in shown else told,
    }


def _told(kind: Kind, request: Request, checked: bool, plan: Plan, words: Words) -> dict[str, Any]:
    form, several = kind.form, len(plan.tables) > 1
    said = request if checked else _PLAIN
    zipped = several and form.holds_one
    return {
        "value": kind.value,
        "title": words(f"export.purpose.{kind.purpose}") if kind.purpose else form.name,
        "name": words("export.several", name=form.name) if zipped else form.name,
        "help": words.known(form.help),
        "good_for": words.known(form.good_for),
        "size": _size(plan, kind, words),
        "refused": too_large(plan, form, words),
        "checked": checked,
        "choices": [_choice(option, kind, said, words) for option in kind.options(several)],
    }


def _size(plan: Plan, kind: Kind, words: Words) -> str | None:
    size = kind_size(plan, kind)
    if size is None:
        return None
    part = any(t.sampled is not None and t.sampled.rows < t.rows for t in plan.tables)
    compressed = kind.form.compressed or (len(plan.tables) > 1 and kind.form.holds_one)
    said = words.size(size)
    # the rows of a sample are less alike than neighbours are, so they are compressed less
    return words("export.up_to", size=said) if compressed and part else words("export.about", size=said)


def _choice(option: str, kind: Kind, request: Request, words: Words) -> dict[str, Any]:
    return {
        "name": f"{OF.removeprefix(PREFIX)}{option}.{kind.value}",
        "label": words(f"export.option.{option}"),
        "options": _values(option, kind, words),
        # a page of a language offers files in it; the address says so
        "chosen": getattr(request, option) or (words.language if option == "language" else ""),
    }


def _values(option: str, kind: Kind, words: Words) -> list[tuple[str, str]]:
    """Return the values of an option with their words; the empty one, or the format's own, is the default."""
    if option == "layout":
        first = "tables" if kind.form.makes_database else "rows"  # what the default means
        said = {layout: words(f"export.layout.{layout}") for layout in kind.form.layouts if layout != "rows"}
        return [("", words(f"export.layout.{first}")), *said.items()]
    if option == "compress":
        known = ["gzip", "zstd"] if _has_zstandard() else ["gzip"]
        return [("", words("export.not_compressed")), *((name, name) for name in known)]
    if option == "members":
        return [("" if name == DEFAULT_MEMBER else name, name) for name in member_names()]
    if option == "blobs":
        return [(how if how != "files" else "", words(f"export.blobs.{how}")) for how in choices_of("blobs")]
    if option == "guide":
        return [(how if how != "text" else "", words(f"export.guide.{how}")) for how in choices_of("guide")]
    if option == "language":
        return [(language, words(f"export.language.{language}")) for language in choices_of("language")]
    if option == "dialect":
        return [(name, words.known(said)) for name, said in DIALECTS.items()]
    return [(delimiter_of(word), words.known(word)) for word in OFFERED]
