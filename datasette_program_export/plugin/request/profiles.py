"""Find the saved profiles that a person may use.

A profile for everybody that names a table exists only for those who may export that table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from ...database.schema import fold
from ...errors import ExportError, SettingsError, SpoolFullError, UnsupportedError
from ...formats.registry import member_names
from ...options.profiles import Profile, ProfileStore, with_profiles
from ...options.settings import Settings
from .. import host
from ..host.permission_hooks import PROFILES, SECRETS
from ..host.protocols import Actor, Datasette
from ..server.folder import jobs_folder, made_private
from ..server.identity import owner_of

_MOST_IN_A_MENU = 10


async def store_of(datasette: Datasette) -> ProfileStore:
    """Return the site's store of saved profiles. Raises UnsupportedError if none can be kept."""
    settings = await host.site_settings(datasette)
    try:
        return ProfileStore(await asyncio.to_thread(made_private, jobs_folder(datasette, settings)))
    except SettingsError:
        raise UnsupportedError(
            "The folder for saved choices cannot be used. Tell the person who runs this site (the setting is jobs_dir)."
        ) from None


async def saved_for(datasette: Datasette, actor: Actor, database: str | None = None) -> list[Profile]:
    """Return the profiles saved for everybody, then those of this actor.

    This does not check whether the actor may see the tables that they name.
    """
    settings = await host.site_settings(datasette)
    try:
        if not jobs_folder(datasette, settings).exists():
            return []
    except SpoolFullError:  # nothing was ever saved
        return []
    store = await store_of(datasette)
    return await asyncio.to_thread(store.found, owner_of(actor), database)


async def with_saved(
    datasette: Datasette, actor: Actor, database: str, exportable: frozenset[str], settings: Settings
) -> Settings:
    """Return the settings with the saved profiles that this actor may use in a database."""
    saved = await saved_for(datasette, actor, database)
    allowed = [p for p in saved if p.owner is not None or await shown(datasette, actor, p, exportable)]
    fixed = seen_in_settings(settings, database, exportable)
    return with_profiles(settings.model_copy(update={"profiles": {}}), [*fixed, *allowed])


async def shown(datasette: Datasette, actor: Actor, profile: Profile, exportable: frozenset[str]) -> bool:
    """Check whether a profile for everybody is visible to an actor who may export these tables."""
    if not exportable or not profile.told_to(exportable):
        return False
    if profile.table is None or fold(profile.table) in map(fold, exportable):
        return True
    return await host.stored_query(datasette, actor, profile.database, profile.table) is not None


def in_settings(settings: Settings, database: str) -> list[Profile]:
    """Return the profiles in a database's settings."""
    return [Profile(name, database, None, options) for name, options in settings.profiles.items()]


def seen_in_settings(settings: Settings, database: str, exportable: frozenset[str]) -> list[Profile]:
    """Return them for an actor who may export these tables; of other tables they say nothing."""
    found = (profile.seen_by(exportable) for profile in in_settings(settings, database))
    return [profile for profile in found if profile is not None]


async def offered(datasette: Datasette, actor: Actor, database: str, **subject: Any) -> list[str]:
    """Return the names of the profiles for the action menu of a subject (given as fields of a Request)."""
    try:
        settings = await host.settings_for(datasette, database)
        saved = [p for p in await saved_for(datasette, actor, database) if _saved_on(p, subject)]
        known = (None, *member_names())
        fitting = {
            p.name: p
            for p in [*in_settings(settings, database), *saved]
            if p.fits(**_asked(subject)) and p.options.get("members") in known
        }
        return [p.name for p in await _allowed(datasette, actor, database, fitting.values())][:_MOST_IN_A_MENU]
    except ExportError:  # a menu cannot show errors; the export page does
        return []


def _saved_on(profile: Profile, subject: dict[str, Any]) -> bool:
    name = subject.get("table") or subject.get("name")
    if profile.table is None or name is None:
        return profile.table is None and name is None
    return fold(profile.table) == fold(name)


def _asked(subject: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in subject.items() if value is not None}


async def _allowed(datasette: Datasette, actor: Actor, database: str, profiles: Iterable[Profile]) -> list[Profile]:
    found = list(profiles)
    if any(p.options.get("secrets") == "include" for p in found) and not await host.may(
        datasette, actor, SECRETS, database
    ):
        found = [p for p in found if p.options.get("secrets") != "include"]
    if any(p.names_tables for p in found):
        exportable = await exportable_in(datasette, actor, database)
        seen = [(p.seen_by(exportable) if p.id is None else p) for p in found]
        found = [p for p in seen if p is not None and p.told_to(exportable)]
    return found


def profiles_url(datasette: Datasette) -> str:
    """Return the URL of the list of profiles."""
    return str(datasette.urls.path("/-/program-export/profiles"))


async def saving(datasette: Datasette, actor: Actor) -> dict[str, Any]:
    """Return the template variables that say for whom this actor may save a choice."""
    return {
        "may_save_for_me": owner_of(actor) is not None,
        "may_save_for_everybody": await host.may(datasette, actor, PROFILES),
        "profiles_url": profiles_url(datasette),
    }


async def exportable_in(datasette: Datasette, actor: Actor, database: str) -> frozenset[str]:
    """Return the tables of a database that this actor may export; empty if the database does not exist."""
    found = datasette.databases.get(database)
    if found is None or found.name == "_internal":
        return frozenset()
    with host.readable(found):
        visible = await host.visible_tables(datasette, actor, found)
        return await host.exportable_tables(datasette, actor, found, visible)
