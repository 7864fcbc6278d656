"""Exports data from a SQLite database, exactly and completely: a record with all that belongs to it, a table, a query.

    from datasette_program_export import Request, export, load, plan, prove, verify

    anna = Request(table="clients", records=[(client_id,)])
    print(plan("practice.db", anna).rows, "rows")
    with export("practice.db", anna) as made, open("anna.json", "wb") as file:
        for chunk in made:
            file.write(chunk)

    assert verify("anna.json").status == "complete"  # the file alone
    assert prove("anna.json").proven  # by import into a new database
    load("copy.db", "anna.json")  # all rows or none

Nothing here needs Datasette; the plugin is ``datasette_program_export.plugin``. A name is imported when it is first
used (PEP 562), so that the commands start quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .comparing.comparer import compare
    from .comparing.report import Comparison
    from .database.source import Source
    from .errors import ExportError, RefusedError
    from .exporting.exporter import Export
    from .exporting.exporter import Export as export
    from .formats.registry import Format
    from .importing.importer import load
    from .importing.proof.prove import Proof, prove
    from .importing.report import ImportReport
    from .options.hooks.specs import hookimpl
    from .options.hooks.values import ExportFacts, OwnerRule
    from .options.request import Request
    from .options.settings import Settings
    from .planning.planner import Plan, plan
    from .service.export_service import ExportService
    from .service.import_service import ImportService
    from .verifying.report import Report
    from .verifying.verifier import verify

__all__ = [
    "Comparison",
    "Export",
    "ExportError",
    "ExportFacts",
    "ExportService",
    "Format",
    "ImportReport",
    "ImportService",
    "OwnerRule",
    "Plan",
    "Proof",
    "RefusedError",
    "Report",
    "Request",
    "Settings",
    "Source",
    "__version__",
    "compare",
    "export",
    "hookimpl",
    "load",
    "plan",
    "prove",
    "verify",
]

_PLACES = {
    "Comparison": ".comparing.report:Comparison",
    "Export": ".exporting.exporter:Export",
    "ExportError": ".errors:ExportError",
    "ExportFacts": ".options.hooks.values:ExportFacts",
    "ExportService": ".service.export_service:ExportService",
    "Format": ".formats.registry:Format",
    "ImportReport": ".importing.report:ImportReport",
    "ImportService": ".service.import_service:ImportService",
    "OwnerRule": ".options.hooks.values:OwnerRule",
    "Plan": ".planning.planner:Plan",
    "Proof": ".importing.proof.prove:Proof",
    "RefusedError": ".errors:RefusedError",
    "Report": ".verifying.report:Report",
    "Request": ".options.request:Request",
    "Settings": ".options.settings:Settings",
    "Source": ".database.source:Source",
    "compare": ".comparing.comparer:compare",
    "export": ".exporting.exporter:Export",
    "hookimpl": ".options.hooks.specs:hookimpl",
    "load": ".importing.importer:load",
    "plan": ".planning.planner:plan",
    "prove": ".importing.proof.prove:prove",
    "verify": ".verifying.verifier:verify",
}

if not TYPE_CHECKING:  # else a type checker would take every name for one of this package

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used. Raises AttributeError if there is none of this name."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, original = _PLACES[name].partition(":")
        found = globals()[name] = getattr(import_module(module, __name__), original)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
