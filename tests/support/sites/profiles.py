"""Saved choices: saved and listed as a program does it."""

from __future__ import annotations

from typing import Any

from tests.support.sites.jobs import ask

PROFILES = "/-/program-export/profiles"
ARTIST = "/house/artists/1/-/program-export"
ARTISTS = "/house/artists/-/program-export"
HTML = {"accept": "text/html"}
FOR_ALL = {"allow_profiles": {"id": "root"}}


async def save(
    ds: Any, name: str, page: str = ARTIST, who: str | None = "anna", whose: str = "me", **options: Any
) -> Any:
    """Save a choice as a program does; ``options`` as a form has them."""
    fields = {"_export_save_as": name, "_export_save_for": whose, **{f"_export_{k}": v for k, v in options.items()}}
    return await ask(ds, "post", f"{page}/profile", who, data=fields)


async def listed(ds: Any, who: str | None = "anna") -> list[dict]:
    found: list[dict] = (await ask(ds, "get", f"{PROFILES}.json", who)).json()["profiles"]
    return found


async def names(ds: Any, who: str | None = "anna") -> list[str]:
    return [p["name"] for p in await listed(ds, who)]
