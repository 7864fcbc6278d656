"""The seven actions of the plugin, and the hooks that decide them on Datasette 0.x and 1.0.

``program-export``: everyone who may see a table, unless an ``allow`` block, the site's own
permissions or ``--default-deny`` say otherwise; and so ``program-export-verify`` (have files
checked) and ``allow_verify``. ``program-export-secrets`` (include columns with secrets),
``program-export-audit`` (read the log), ``program-export-profiles`` (save choices for everybody),
``program-export-setup`` (have settings proposed) and ``program-import``: root only, unless ``allow_secrets``,
``allow_audit``, ``allow_profiles``, ``allow_setup`` and ``allow_import`` say otherwise. The hooks are here; the
functions that ask for these permissions are in ``access``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datasette.utils import actor_matches_allow

from .protocols import Actor, Datasette, on_1

PLUGIN = "datasette-program-export"
EXPORT, SECRETS, AUDIT = "program-export", "program-export-secrets", "program-export-audit"
PROFILES, VERIFY = "program-export-profiles", "program-export-verify"
IMPORT, SETUP = "program-import", "program-export-setup"
_BLOCKS = {EXPORT: "allow", SECRETS: "allow_secrets", AUDIT: "allow_audit", PROFILES: "allow_profiles"}
_BLOCKS |= {VERIFY: "allow_verify", IMPORT: "allow_import", SETUP: "allow_setup"}
OURS = frozenset(_BLOCKS)
OPEN = frozenset({EXPORT, VERIFY})  # to everybody, by default


def blocks(datasette: Datasette, action: str) -> Iterator[tuple[str | None, Any]]:
    """Yield the allow blocks for an action: for the whole site (None), and for each database with its own block."""
    name = _BLOCKS[action]
    yield None, (datasette.plugin_config(PLUGIN) or {}).get(name)
    for database in list(datasette.databases):
        own = datasette.plugin_config(PLUGIN, database=database, fallback=False) or {}
        if name in own:
            yield database, own[name]


def actions() -> list[Any]:
    """Return the actions, for Datasette 1.0."""
    from datasette.permissions import Action
    from datasette.resources import DatabaseResource, TableResource

    return [
        Action(
            name=EXPORT,
            abbr="pe",
            description="Export rows",
            resource_class=TableResource,
        ),  # view-table is checked separately: also_requires mixes up the rules of two actions (1.0a41)
        Action(
            name=SECRETS,
            abbr="pes",
            description="Export columns that hold secrets",
            resource_class=DatabaseResource,
        ),
        Action(name=AUDIT, abbr="pea", description="Read the log of exports"),
        Action(name=PROFILES, abbr="pep", description="Save choices of an export for everybody"),
        Action(
            name=SETUP,
            abbr="peu",
            description="Have settings proposed",
            resource_class=DatabaseResource,
        ),  # only of tables that the actor may see and export
        Action(name=VERIFY, abbr="pev", description="Have exported files checked"),
        Action(
            name=IMPORT,
            abbr="pi",
            description="Import files",
            resource_class=DatabaseResource,
        ),  # insert-row and update-row of each table are required too
    ]


def rules(datasette: Datasette, actor: Actor, action: str) -> Any:
    """Return the rules that the settings set for an action, for Datasette 1.0: rows of parent, child, allow, reason."""
    if action not in _BLOCKS:
        return None
    from datasette.permissions import PermissionSQL

    found = []
    for number, (database, block) in enumerate(blocks(datasette, action)):
        if block is not None:
            allow = actor_matches_allow(actor, block)
        elif database is None and action in OPEN and not on_1(datasette).default_deny:
            allow = True
        else:
            continue
        key = f"{action.replace('-', '_')}_{number}"
        found.append(
            PermissionSQL(
                sql=f"SELECT :{key} AS parent, NULL AS child, {int(allow)} AS allow, :{key}_why AS reason",
                params={key: database, f"{key}_why": f"{PLUGIN}: {_BLOCKS[action]}"},
            )
        )
    return found


def allowed_0x(datasette: Datasette, actor: Actor, action: str, resource: Any) -> bool | None:
    """Return what the settings decide for an action, for Datasette 0.x; None leaves the decision to others.

    ``resource`` is a database, or a tuple of database and table.
    """
    if action not in _BLOCKS:
        return None
    database = resource[0] if isinstance(resource, tuple) else resource
    found = dict(blocks(datasette, action))
    block = found.get(database) if found.get(database) is not None else found[None]
    if block is not None:
        allow: bool = actor_matches_allow(actor, block)
        return allow
    if action in OPEN:
        return None
    return bool(actor and actor.get("id") == "root") or None
