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

Nothing here needs Datasette; the plugin is ``datasette_program_export.plugin``.
"""

from .database.source import Source
from .errors import ExportError, RefusedError
from .exporting.exporter import Export as export
from .importing.importer import load
from .importing.proof.prove import Proof, prove
from .importing.report import ImportReport
from .options.request import Request
from .options.settings import Settings
from .planning.planner import Plan, plan
from .service.export_service import ExportService
from .service.import_service import ImportService
from .verifying.report import Report
from .verifying.verifier import verify
from .version import __version__

__all__ = [
    "ExportError",
    "ExportService",
    "ImportReport",
    "ImportService",
    "Plan",
    "Proof",
    "RefusedError",
    "Report",
    "Request",
    "Settings",
    "Source",
    "__version__",
    "export",
    "load",
    "plan",
    "prove",
    "verify",
]
