"""Make ids that cannot be guessed; identify the owner of a job, and the person who gets a share."""

from __future__ import annotations

import hashlib
import json
import secrets

from ..host.protocols import Actor


def new_id() -> str:
    """Return an id that cannot be guessed: it is the only protection of a job whose creator was not signed in."""
    return secrets.token_urlsafe(24)


def owner_of(actor: Actor) -> str | None:
    """Return a hash that identifies the owner of a job by the actor's id alone; None if nobody is signed in.

    A token with restrictions is a different owner than its holder, so that it cannot list what it may not see."""
    if not actor:
        return None
    who = {"id": actor["id"]} if actor.get("id") is not None else dict(actor)
    if "_r" in actor:
        who["_r"] = actor["_r"]
    return hashlib.sha256(json.dumps(who, sort_keys=True, default=str).encode()).hexdigest()


def person_of(actor: Actor) -> str | None:
    """Return a hash that identifies the person, for fair shares; None if nobody is signed in.

    All tokens of an actor are one person, so that they do not multiply a share."""
    return owner_of({name: value for name, value in (actor or {}).items() if name != "_r"})
