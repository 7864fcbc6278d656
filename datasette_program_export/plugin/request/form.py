"""Turn the export page's form into the grammar of a request.

A form sends every field, including empty ones and choices that do not apply to other choices (the
layout of another format). A box without a tick sends nothing, so each has a hidden field beside it.
Our field ``MARK`` shows that the request comes from the form; only then are such fields ignored. An
address that a person wrote is taken literally. The page's own fields (search text, page of rows,
whether to show the file's beginning, the name for saving, the part that is open) are not part of a
request, and every other address refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from datasette.utils import tilde_decode
from datasette.utils.asgi import Request

from ...database.schema import fold
from ...errors import RequestError
from ...formats.registry import NAMES, get_format
from ...options.grammar import PREFIX
from ...options.request import DEFAULT_FORMAT, NOBODY, PACKAGE
from ..host.protocols import HttpRequest
from ..http.parameters import pairs_of
from .kinds import of_kind

MARK, FIND, PAGE, SAMPLE, SAVE_AS = (PREFIX + name for name in ("form", "find", "page", "sample", "save_as"))
COLUMNS, OPEN = f"{PREFIX}columns", f"{PREFIX}open"  # a table whose columns are shown; a folded part
FOUND = f"{PREFIX}found"  # the search whose pages are turned: another search begins on its first page
_OWN = (MARK, FOUND, FIND, PAGE, SAMPLE, SAVE_AS, COLUMNS, OPEN)
# Each ticked box, and a hidden field for each box there is: what has a box and no tick is not wanted
BOX, TICKED = f"{PREFIX}box", f"{PREFIX}with"  # tables and columns
EDGE, FOLLOWED = f"{PREFIX}edge", f"{PREFIX}follow"  # references
LINKED = f"{PREFIX}linked"  # beside the box of cascade: the cascade without the box, 1 or 0
SAVE_FOR = f"{PREFIX}save_for"  # the value of the save buttons, sent only when saving
FROM, UNTIL = f"{PREFIX}from.", f"{PREFIX}until."
_OF_REFERENCES = tuple(PREFIX + name for name in ("parents", "others", "person", "stop"))
_OF_CSV = {f"{PREFIX}dialect": "exact", f"{PREFIX}delimiter": ","}
Pairs = list[tuple[str, str]]
_MOST_WORDS, _LONGEST_FIND = 100, 1_000  # each word becomes one condition


@dataclass(frozen=True)
class Form:
    """A parsed address of the export page.

    ``http`` is the request without the page's own fields; ``address`` is the full address to redirect
    to, or None if the request did not come from the form."""

    http: HttpRequest
    find: str
    page: int
    sample: bool
    save_as: str
    address: str | None
    columns: str = ""
    opened: frozenset[str] = frozenset()


def read_form(http: HttpRequest) -> Form:
    """Parse an address of the export page. Raises RequestError."""
    given = pairs_of(http.query_string)
    own = {name: value for name, value in given if name in _OWN}
    pairs = [(name, value) for name, value in given if name not in own]
    if MARK in own:
        pairs = _meant(pairs, http.url_vars)
    if own.get(FOUND, find := own.get(FIND, "").strip()) != find:
        own.pop(PAGE, None)
    page = own.get(PAGE) or "1"
    if not (page.isascii() and page.isdigit() and int(page[:9]) > 0 and len(page) < 9):
        raise RequestError(f"{PAGE} must be a whole number, 1 or more.")
    if len(find) > _LONGEST_FIND or len(find.split()) > _MOST_WORDS:
        raise RequestError(f"{FIND} holds at most {_MOST_WORDS} words, of {_LONGEST_FIND:,} characters together.")
    kept = [(name, own[name]) for name in _OWN[2:] if own.get(name)]
    address = "?" + urlencode([*pairs, *kept]) if MARK in own else None
    return Form(
        _with_query(http, pairs) if own else http,
        find,
        int(page),
        bool(own.get(SAMPLE)),
        own.get(SAVE_AS, ""),
        address,
        own.get(COLUMNS, ""),
        frozenset({"rows"} if own.get(PAGE) or find else ()) | {own.get(OPEN, "")},
    )


def _with_query(http: HttpRequest, pairs: Pairs) -> HttpRequest:
    changed: HttpRequest = Request({**http.scope, "query_string": urlencode(pairs).encode()}, http.receive)
    return changed


def without_records(http: HttpRequest) -> HttpRequest:
    """Return the same request without the picked rows: the request for the rows to pick from."""
    pairs = pairs_of(http.query_string)
    return _with_query(http, [(name, value) for name, value in pairs if not name.startswith(PREFIX)])


def _meant(pairs: Pairs, place: Mapping[str, str]) -> Pairs:
    """Return the fields that have a meaning, with dates as filters."""
    pairs = _ticked(of_kind(_without_nobody(pairs)))
    dates = [(name, value) for name, value in pairs if name.startswith((FROM, UNTIL))]
    found = [(n, v) for n, v in pairs if not n.startswith((FROM, UNTIL)) and (v or not n.startswith(PREFIX))]
    filters = list(_ranges(dates))
    chosen = dict(found)
    cascades = _cascades(chosen, place)
    if not cascades and "table" in place:
        own = fold(tilde_decode(place["table"])) + "."
        without = f"{PREFIX}without"
        found = [(n, v) for n, v in found if n not in _OF_REFERENCES and (n != without or fold(v).startswith(own))]
    name = chosen.get(f"{PREFIX}format", DEFAULT_FORMAT)
    if name in NAMES:
        found = [pair for pair in found if _goes_with(pair, name, several=cascades or "table" not in place)]
    return [*found, *filters]


def _without_nobody(pairs: Pairs) -> Pairs:
    """Drop ``none`` beside ticked tables of people: the form always sends it, so that no tick means nobody."""
    person = f"{PREFIX}person"
    named = any(name == person and value != NOBODY for name, value in pairs)
    return [(name, value) for name, value in pairs if not (named and name == person and value == NOBODY)]


def _ticked(pairs: Pairs) -> Pairs:
    """Return the fields with boxes that are not ticked as what is left out, or not followed."""
    own = (BOX, TICKED, EDGE, FOLLOWED, LINKED)
    given = {name: [value for key, value in pairs if key == name] for name in own}
    found = [(name, value) for name, value in pairs if name not in own]
    for boxes, ticks, option in ((BOX, TICKED, "without"), (EDGE, FOLLOWED, "stop")):
        ticked = set(given[ticks])
        found += [(PREFIX + option, name) for name in dict.fromkeys(given[boxes]) if name not in ticked]
    cascade = f"{PREFIX}cascade"
    if given[LINKED]:
        told = "1" if any(name == cascade for name, _ in pairs) else "0"
        found = [(name, value) for name, value in found if name != cascade]
        found += [(cascade, told)] if told != given[LINKED][0] else []
    return found


def _cascades(chosen: dict[str, str], place: Mapping[str, str]) -> bool:
    told = chosen.get(f"{PREFIX}cascade")
    return told == "1" or (told is None and ("pks" in place or f"{PREFIX}record" in chosen))


def _goes_with(pair: tuple[str, str], name: str, several: bool) -> bool:
    """Check whether a field applies to the chosen format."""
    field, value = pair
    form = get_format(name)
    if field == f"{PREFIX}layout":
        return value in form.layouts and value != "rows"
    if field == f"{PREFIX}compress":  # a package is already compressed
        return not form.compressed and not (several and form.holds_one)
    if field in (f"{PREFIX}members", f"{PREFIX}blobs", f"{PREFIX}guide"):
        return name == PACKAGE
    if field in _OF_CSV:
        if not form.any_delimiter and field == f"{PREFIX}delimiter":
            return False
        return form.delimiter is not None and value != _OF_CSV[field]
    return True


def _ranges(dates: Pairs) -> Iterator[tuple[str, str]]:
    """Convert dates, both inclusive, to Datasette's filters.

    The last day includes its times, so the next day is the exclusive bound: as text,
    ``2024-05-31 10:00`` sorts after ``2024-05-31``."""
    for name, value in dates:
        if not value:
            continue
        column = name.removeprefix(FROM).removeprefix(UNTIL)
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise RequestError(f"{column}: a date is written like 2024-05-31.") from None
        if name.startswith(FROM):
            yield f"{column}__gte", day.isoformat()
        elif day < date.max:
            yield f"{column}__lt", (day + timedelta(days=1)).isoformat()


def chosen_range(http: HttpRequest, column: str) -> tuple[str, str] | None:
    """Return the two inclusive dates that a column's filters mean, or None if they mean something else."""
    found = []
    for lookup, back in (("gte", 0), ("lt", 1)):
        values = http.args.getlist(f"{column}__{lookup}")
        if len(values) > 1:
            return None
        try:
            day = date.fromisoformat(values[0]) - timedelta(days=back) if values else None
        except (ValueError, OverflowError):
            return None
        found.append(day.isoformat() if day else "")
    return found[0], found[1]
