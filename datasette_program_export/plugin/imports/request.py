"""Turn an HTTP request and its actor into an ImportContext: what may be imported, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from datasette.utils import tilde_decode

from ...database.schema import fold
from ...errors import DeniedError, ExportError, NotFoundError, RequestError, UnsupportedError
from ...importing.choices import KINDS, POLICIES, ImportChoices
from ...importing.report import ImportReport
from ...importing.staging.columns import ColumnMapping
from ...options.settings import Settings
from .. import host
from ..host import writing as host_writing
from ..host.permission_hooks import IMPORT, SECRETS
from ..host.protocols import Actor, Database, Datasette, HttpRequest
from ..http.answers import not_seen

_HIDDEN = "Something in a table that you may not see stands against it. Ask the person who runs this site."
YES_OR_NO = {  # fields, and the choices of an import that they are
    **{name: name for name in ("allow_dangling", "allow_stale_indexes", "triggers", "header", "create", "alter")},
    "skip_bad": "leave_out_bad_rows",  # the server chooses the file into which they go
}
_TEXTS = ("on_conflict", "table", "delimiter", "encoding", "decimal", "dates", "nan", "rows_at", "keys", "sheet")
_YES = {"1": True, "on": True, "true": True, "yes": True, "0": False, "off": False, "false": False, "no": False}


@dataclass(frozen=True)
class ImportRights:
    """What an actor may do in a database, by tables; ``secrets``: write secret columns, and see them compared.

    ``create``: make tables. ``alter``: the tables to which columns may be added."""

    database: str
    visible: frozenset[str]
    insert: frozenset[str]
    update: frozenset[str]
    secrets: bool
    create: bool = False
    alter: frozenset[str] = frozenset()

    def check_tables(self, intake: ColumnMapping) -> None:
        """Check that the actor may see all tables that the file writes or references, before rows are compared.

        Raises UnsupportedError or DeniedError if not.
        """
        made = intake.additions
        if intake.construction is not None or not intake.schema:
            raise UnsupportedError(
                f"The database {self.database} has no tables yet. What makes them is SQL in the file, which is not "
                "run on a site: datasette program-export import does it."
            )
        staged = intake.staging.tables
        if made.tables and not self.create:
            raise DeniedError(f"You may not make tables in {self.database} (create-table).")
        for name in made.columns:
            if name in self.visible and name not in self.alter:
                raise DeniedError(f"You may not add columns to {name} (alter-table).")
        for name in [*staged, *(f.table for f in intake.findings.errors if f.table)]:
            if name in made.tables:
                continue
            table = intake.schema.find(name)
            if table is None or table.name not in self.visible:
                raise UnsupportedError(
                    f"There is no table {name} in {self.database}, or you may not see it. Its rows would be lost."
                )
        for one in staged.values():
            for key in one.table.foreign_keys:
                if key.problem is None and key.other_table not in self.visible:
                    raise DeniedError(
                        f"{one.table.name} refers to {key.other_table}, which you may not see: whether that is right "
                        "could not be looked at for you."
                    )
            secret = intake.known.secret_columns(one.table) if intake.known is not None else {}
            given = sorted(set(secret) & set().union(*one.shapes))
            if given and not self.secrets:
                names = ", ".join(f"{one.table.name}.{column}" for column in given)
                raise DeniedError(f"The file gives values for what is secret ({names}); you may not import those.")

    def lacking(self, report: ImportReport) -> list[str]:
        """Return a sentence for each change in the report that the actor may not make."""
        found = []
        for name, table in report.tables.items():
            made = table.created and self.create and self.insert
            if (table.insert or table.counter is not None) and name not in self.insert and not made:
                found.append(f"You may not insert rows into {name} (insert-row).")
            if table.update and name not in self.update:
                found.append(f"You may not change rows of {name} (update-row).")
        return found

    def check_changes(self, report: ImportReport) -> None:
        """Check that the actor may make all changes in the report. Raises DeniedError if not."""
        if lacking := self.lacking(report):
            raise DeniedError(" ".join(lacking))

    def shown(self, report: ImportReport) -> ImportReport:
        """Return the report without details of tables that the actor may not see, such as one that references a row."""

        seen = self.visible | {name for name, table in report.tables.items() if table.created}

        def told(findings: Any) -> list[Any]:
            hidden = [f for f in findings if f.table is not None and f.table not in seen]
            changed = [f.model_copy(update={"message": _HIDDEN, "table": None, "column": None}) for f in hidden[:1]]
            return [f for f in findings if f not in hidden] + changed

        lists = ("findings", "notes", "left_out")
        return report.model_copy(update={name: told(getattr(report, name)) for name in lists})


@dataclass(frozen=True)
class ImportContext:
    """An import request that has passed the permission checks."""

    datasette: Datasette
    http: HttpRequest
    database: Database
    settings: Settings
    rights: ImportRights


async def resolve_import(datasette: Datasette, http: HttpRequest) -> ImportContext:
    """Make an ImportContext of an HTTP request.

    Raises NotFoundError, DeniedError, UnsupportedError, SettingsError, SourceError.
    """
    route, actor = tilde_decode(http.url_vars["database"]), http.actor
    database = host.database_for(datasette, route)
    if database is None or not await host.may(datasette, actor, "view-database", database.name):
        raise await _nothing(datasette, actor, route)
    if not await host.may(datasette, actor, IMPORT, database.name):
        raise DeniedError(
            f"You may not import into {database.name}; perhaps after signing in. The person who runs this site says "
            "how: by a log-in page, an address or a token."
        )
    if why := host_writing.why_not_written(database):
        raise UnsupportedError(why)
    with host.readable(database):
        visible = await host.visible_tables(datasette, actor, database)
        insert = await host_writing.tables_to_write(datasette, actor, database, "insert-row")
        update = await host_writing.tables_to_write(datasette, actor, database, "update-row")
        alter = await host_writing.tables_to_write(datasette, actor, database, "alter-table")
        create = await host_writing.may_make_tables(datasette, actor, database)
        if not (insert | update):
            raise DeniedError(f"You may not insert or change rows in {database.name}.")
        settings = await host.settings_for(datasette, database.name, visible)
    secrets = await host.may(datasette, actor, SECRETS, database.name)
    rights = ImportRights(database.name, visible, insert, update, secrets, create, alter)
    return ImportContext(datasette, http, database, settings, rights)


async def _nothing(datasette: Datasette, actor: Actor, route: str) -> ExportError:
    if await host.may(datasette, actor, "view-instance"):
        return NotFoundError(f"There is no database {route} here, or you may not see it.")
    return not_seen()


async def may_import(datasette: Datasette, actor: Actor, database: Database | None) -> bool:
    """Check whether a link to the import page is useful to this actor."""
    if database is None or not await host.may(datasette, actor, IMPORT, database.name):
        return False
    if host_writing.why_not_written(database):
        return False
    actions = ("insert-row", "update-row")
    return any([await host_writing.tables_to_write(datasette, actor, database, action) for action in actions])


def choices_of(pairs: list[tuple[str, str]], rights: ImportRights) -> dict[str, Any]:
    """Return the import choices in a form's fields or an address. Raises RequestError, which names the wrong field."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name == "csrftoken" or value == "":
            continue
        if name in _TEXTS:
            found[name] = value
        elif name == "skip_lines":
            if not (value.isdecimal() and value.isascii() and len(value) < 8):
                raise RequestError("skip_lines is a number of lines.")
            found[name] = int(value)
        elif name == "cells":
            column, sign, kind = value.rpartition("=")
            if not sign or not column or kind not in KINDS:
                raise RequestError(f"cells needs column=kind, a kind being one of {', '.join(KINDS)}.")
            found.setdefault(name, {})[column] = kind
        elif name == "match":
            found.setdefault(name, []).append(value)
        elif name in YES_OR_NO:
            if value.lower() not in _YES:
                raise RequestError(f"{name} is 1 or 0.")
            found[YES_OR_NO[name]] = _YES[value.lower()]
        elif name == "without":
            found.setdefault(name, []).append(value)
        elif name == "on_conflict_for":
            table, sign, policy = value.rpartition("=")
            if not sign or (policy and policy not in POLICIES):
                raise RequestError(f"on_conflict_for needs table=policy, a policy being one of {', '.join(POLICIES)}.")
            if policy:
                found.setdefault(name, {})[table] = policy
        elif name == "pk":
            found[name] = (*found.get(name, ()), value)
        elif name in ("map", "types"):
            for column, to in _columns_in(name, value):
                if column in found.get(name, {}):
                    raise RequestError(f"{name} names {column} twice: which is meant?")
                found.setdefault(name, {})[column] = (to or None) if name == "map" else to.upper()
        else:
            raise RequestError(f"{name} is no choice of an import.")
    folded = {fold(name) for name in rights.visible}
    asked_for = [found["table"]] if "table" in found and not found.get("create") else []
    for name in [*found.get("on_conflict_for", {}), *asked_for]:
        if fold(name) not in folded:
            raise RequestError(f"There is no table {name} in {rights.database}, or you may not see it.")
    for name in found.get("match", ()):
        if not any(fold(name[:at]) in folded for at, character in enumerate(name) if character == "."):
            raise RequestError(f"match is table.column, of a table that you may see in {rights.database}, not {name}.")
    ImportChoices.of(found)
    return found


def _columns_in(name: str, value: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs in a field, which a form has on one line each. Raises RequestError."""
    for line in filter(str.strip, value.splitlines()):
        column, sign, to = line.strip().rpartition("=")
        if not sign or not column:
            raise RequestError(f"{name} needs a column of the file, = and what it is in the table, on each line.")
        yield column, to
