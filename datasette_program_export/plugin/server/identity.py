"""Ids that cannot be guessed, and whose a job is."""

from __future__ import annotations

import hashlib
import json
import secrets

from ..host.protocols import Actor


def new_id() -> str:
    """A name that cannot be guessed: who knows it of a job that nobody signed in made, may have its result."""
    return secrets.token_urlsafe(24)


def owner_of(actor: Actor) -> str | None:
    """Whose a job is: the actor's id, without what else is known of them; None for nobody.

    A token with restrictions is somebody else than its holder: it is not to list what it may not see."""
    if not actor:
        return None
    who = {"id": actor["id"]} if actor.get("id") is not None else dict(actor)
    if "_r" in actor:
        who["_r"] = actor["_r"]
    return hashlib.sha256(json.dumps(who, sort_keys=True, default=str).encode()).hexdigest()
