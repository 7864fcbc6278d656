"""The views of saved profiles."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import yaml
from datasette import Response

from ...errors import DeniedError, NotFoundError, RequestError, in_words
from ...options.profiles import Profile, checked_name, options_of
from .. import host
from ..host.permission_hooks import PLUGIN, PROFILES
from ..host.protocols import Actor, Datasette, HttpRequest
from ..http.answers import (
    Failure,
    answer_headers,
    answered,
    check_may_look,
    data_answer,
    done_answer,
    for_a_browser,
    page_answer,
    posted,
)
from ..http.forms import check_same_site, sent_pairs
from ..http.parameters import pairs_of
from ..request.asked import ExportContext
from ..request.form import OPEN, SAVE_AS, SAVE_FOR
from ..request.profiles import exportable_in, profiles_url, saved_for, seen_in_settings, shown, store_of
from ..request.replay import address_from, asked_again, planned
from ..server.identity import owner_of
from ..words import IN_ENGLISH, Words, words_of
from .addresses import with_query

_NOT_SHOWN = Failure("Your saved options cannot be shown")
_SAID = (
    "format", "layout", "members", "dialect", "delimiter", "compress", "limit", "offset", "tables", "without", "stop",
    "person",
)  # fmt: skip
_CHOICES = {
    ("blobs", "inline"): "saved.choice.blobs",
    ("guide", "page"): "saved.choice.guide",
    ("cascade", True): "saved.choice.cascade",
    ("cascade", False): "saved.choice.alone",
    ("parents", "needed"): "saved.choice.parents",
    ("parents", "none"): "saved.choice.no_parents",
    ("others", "include"): "saved.choice.others",
    ("secrets", "include"): "saved.choice.secrets",
}


@posted(Failure("The options were not saved"))
async def save(request: HttpRequest, datasette: Datasette) -> Response:
    """Save the choice in a form or an address as a profile, under the name that is sent with it."""
    check_same_site(request)
    pairs = await sent_pairs(request)
    said = dict(pairs)
    everybody = said.get(SAVE_FOR) == "everybody"
    if said.get(SAVE_FOR) not in ("me", "everybody"):
        raise RequestError(f"{SAVE_FOR} must be me or everybody.")
    await _check_may_save(datasette, request.actor, everybody)
    try:
        name = checked_name(said.get(SAVE_AS, ""))
    except RequestError as error:
        if not for_a_browser(request):
            raise
        return _back_with(request, datasette, pairs, str(error))  # the choices are not lost
    address = address_from(request, [(n, v) for n, v in pairs if n not in (SAVE_AS, SAVE_FOR)])
    asked = await asked_again(request, datasette, address)
    asked = replace(asked, settings=asked.settings.model_copy(update={"max_rows": None}))
    await planned(asked)  # report an unknown name now, not when the profile is used
    asked = await _without_guess(asked)
    table = asked.request.table or asked.request.name
    made = Profile(
        name,
        asked.database.name,
        table if "table" in request.url_vars else None,
        options_of(asked.request),
        None if everybody else owner_of(request.actor),
    )
    saved = await asyncio.to_thread((await store_of(datasette)).save, made)
    told = words_of(request)("saved.saved", name=saved.name)
    place = f"{address['path']}?{address['query']}".rstrip("?")
    return done_answer(request, datasette, place, _told(datasette, saved, True), 201, message=told)


def _back_with(request: HttpRequest, datasette: Datasette, pairs: list[tuple[str, str]], error: str) -> Response:
    """Return a browser to the export page as it was, with what is wrong."""
    datasette.add_message(request, in_words(error, "page"), datasette.ERROR)
    address = address_from(request, [(n, v) for n, v in pairs if n != SAVE_FOR])
    place = f"{address['path']}?{urlencode([*pairs_of(address['query']), (OPEN, 'save')])}#save"
    return Response.redirect(place, 303, headers=answer_headers(datasette))


async def _without_guess(asked: ExportContext) -> ExportContext:
    """Leave out the tables of people where they are those of the guess, which the page writes into its form."""
    if not asked.request.person:
        return asked
    free = replace(asked, request=asked.request.model_copy(update={"person": ()}))
    plan = await planned(free)
    return free if plan is not None and tuple(plan.person) == asked.request.person else asked


@posted(Failure("The saved options were not deleted"))
async def delete(request: HttpRequest, datasette: Datasette) -> Response:
    """Delete one's own profile, or, with the permission for that, one for everybody."""
    check_same_site(request)
    asked_for = request.url_vars["profile"]
    saved = await _shown(datasette, request.actor)
    found = next((p for p in saved if p.id == asked_for), None)
    if found is None or found.id is None:
        raise NotFoundError("There is no such saved choice, or it is not yours.")
    if found.owner is None:
        await _check_may_save(datasette, request.actor, everybody=True)
    await asyncio.to_thread((await store_of(datasette)).delete, found.id)
    told = words_of(request)("saved.deleted", name=found.name)
    return done_answer(request, datasette, profiles_url(datasette), {"ok": True}, message=told)


@answered(_NOT_SHOWN)
async def profiles_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the profiles that the actor may use."""
    profiles = await _list(request, datasette, words_of(request))
    context = {"profiles": profiles, "signed_in": request.actor is not None}
    context["kept_for_good"] = (await host.site_settings(datasette)).jobs_dir is not None
    return await page_answer(request, datasette, "program_export_profiles.html", context)


@answered(_NOT_SHOWN)
async def profiles_data(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the profiles that the actor may use as JSON."""
    return data_answer(datasette, {"profiles": await _list(request, datasette)})


async def _check_may_save(datasette: Datasette, actor: Actor, everybody: bool) -> None:
    if everybody and not await host.may(datasette, actor, PROFILES):
        raise DeniedError("You may not save or delete a choice for everybody.")
    if not everybody and owner_of(actor) is None:
        raise DeniedError("You are not signed in, so nobody could tell that the choice is yours.")


async def _shown(datasette: Datasette, actor: Actor) -> list[Profile]:
    """Return the profiles of this actor, and those for everybody whose tables the actor may see."""
    found = []
    for profile in await saved_for(datasette, actor):
        if profile.owner is None:
            exportable = await exportable_in(datasette, actor, profile.database)
            if not await shown(datasette, actor, profile, exportable):
                continue
        found.append(profile)
    return found


async def _list(request: HttpRequest, datasette: Datasette, words: Words = IN_ENGLISH) -> list[dict[str, Any]]:
    await check_may_look(request, datasette)
    may_delete = await host.may(datasette, request.actor, PROFILES)
    saved = await _shown(datasette, request.actor)
    told = [_told(datasette, p, p.owner is not None or may_delete, words) for p in reversed(saved)]
    for name in [n for n in datasette.databases if n != "_internal"]:
        exportable = await exportable_in(datasette, request.actor, name)
        settings = await host.settings_for(datasette, name)
        if exportable:
            told += [_told(datasette, p, False, words) for p in seen_in_settings(settings, name, exportable)]
    return told


def _told(datasette: Datasette, profile: Profile, may_delete: bool, words: Words = IN_ENGLISH) -> dict[str, Any]:
    """Return a profile as JSON data."""
    urls, of = datasette.urls, profile.database
    subject = urls.table(of, profile.table) if profile.table is not None else urls.database(of)
    fixed = profile.id is None
    options = dict(profile.options)
    lines = {"databases": {of: {"plugins": {PLUGIN: {"profiles": {profile.name: options}}}}}}
    return {
        "name": profile.name,
        "for": "everybody" if profile.owner is None else "me",
        "kept_in": "settings" if fixed else "saved",
        "database": of,
        "table": profile.table,
        "options": options,
        "words": ", ".join(_in_words(options, words)),
        "yaml": yaml.safe_dump(lines, allow_unicode=True, sort_keys=False, width=1000),
        "links": {
            "page": with_query(f"{subject}/-/program-export", [("_export_profile", profile.name)]),
            "delete": f"{profiles_url(datasette)}/{profile.id}/delete" if may_delete and not fixed else None,
        },
    }


def _in_words(options: dict[str, Any], words: Words) -> Iterator[str]:
    for field, value in options.items():
        if field in _SAID:
            said = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else words.known(str(value))
            yield words(f"saved.option.{field}", value=said)
        elif (field, value) in _CHOICES:
            yield words(_CHOICES[field, value])
