"""Take data out of a SQLite database: a record with all that belongs to it, a table, exact and complete.

    from datasette_program_export import Request, export, plan

    with export("practice.db", Request(table="clients", records=[(client_id,)])) as made:
        for chunk in made:
            file.write(chunk)

Nothing here needs Datasette; the plugin is ``datasette_program_export.plugin``.
"""

from .errors import ExportError, RefusedError
from .exporter import Export as export
from .findings import ImportReport
from .import_service import ImportService
from .importer import load
from .planner import Plan, plan
from .proof import Proof, prove
from .request import Request
from .service import ExportService
from .settings import Settings
from .source import Source
from .verifier import Report, verify
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
