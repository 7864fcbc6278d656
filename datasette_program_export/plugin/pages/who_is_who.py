"""The part of the export page that says who was taken for people, and what is kept back for that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from ...options.grammar import PREFIX, format_options, row_path
from ...options.request import NOBODY, Request
from ...planning.plan import Plan
from ...planning.wording import Say, kept_back, people_sentences
from ..request.asked import ExportContext
from .addresses import carried


def who_is_who(asked: ExportContext, plan: Plan, say: Say) -> dict[str, Any]:
    """Return the template's variables about people; without people that were guessed or asked for, nearly none."""
    people, request = plan.coverage.people, asked.request
    uncertain = people is not None and people.known_by in ("guess", "request")
    known = set(people.tables) if people is not None else set()
    kept = kept_back(plan, say)
    found: dict[str, Any] = {
        "people": people_sentences(plan.coverage, say) if uncertain else [],
        "kept_back": kept,
        "include_url": _address(asked, request.model_copy(update={"others": "include"})),
    }
    if people is not None and uncertain:
        tables = dict.fromkeys([*people.tables, *people.doubtful, *(t.table for t in plan.tables)])
        found |= {
            "nobody": NOBODY,
            "nobody_url": _address(asked, request.model_copy(update={"person": (NOBODY,)})) if people.tables else None,
            "guess_url": _address(asked, request.model_copy(update={"person": ()})) if not plan.person else None,
            "may_be_people": [
                (name, name in known) for name in dict.fromkeys([*people.tables, *people.doubtful, *tables])
            ],
        }
    return found


def with_guess(asked: ExportContext, plan: Plan) -> ExportContext:
    """Return the context with the guess as a part of the request, so that its addresses mean the same tomorrow."""
    if not plan.person:
        return asked
    return replace(asked, request=asked.request.model_copy(update={"person": tuple(plan.person)}))


def _address(asked: ExportContext, request: Request) -> str:
    """Return the query of the export page for a request; the path names the first record, if any."""
    options = format_options(request)
    if "pks" in asked.http.url_vars:
        options.remove((f"{PREFIX}record", row_path(request.records[0])))
    kept = [] if request.records else carried(asked.http.args)
    return "?" + urlencode([*kept, *options])
