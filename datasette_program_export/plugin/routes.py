"""The URL patterns of the plugin; Datasette tries a plugin's routes before its own."""

from __future__ import annotations

import re

from ..formats.registry import endings
from .http.answers import View
from .imports import compare_views
from .imports import views as import_views
from .jobs import views as job_views
from .pages import audit
from .pages import export as views
from .pages import profiles as profile_views
from .pages import setup as setup_views
from .pages import verify as verification

_DATABASE = r"/(?P<database>[^/.]+)"
_TABLE = rf"{_DATABASE}/(?!-/)(?P<table>[^/.]+)"  # Datasette's own pages are below "-"
_ROW = rf"{_TABLE}/(?P<pks>[^/.]*)"
_JOBS = r"/-/program-export/jobs"
_JOB = rf"{_JOBS}/(?P<job>[\w-]+)"
_PROFILES = r"/-/program-export/profiles"
_SETUP = rf"{_DATABASE}/-/program-export/setup"
_IMPORT = rf"{_DATABASE}/-/program-import"
_FILE = rf"{_IMPORT}/(?P<file>[\w-]+)"

# Forms that skip Datasette's CSRF token, because we check the origin ourselves (``host.skips_token``), by path or path
# ending. File uploads: the code with which 0.x looks for its token cannot read them with today's python-multipart.
# The export page's form: people bookmark and share its address, which must not contain a token
OWN_FORMS = ("/-/program-export/verify", "/-/program-export/verify.json")
OWN_FORMS_ENDINGS = (
    "/-/program-export/job",
    "/-/program-export/profile",
    "/-/program-import",
    "/-/program-import.json",
    "/-/program-import/compare",
)

_ROUTES: list[tuple[str, View]] = [
    (r"^/-/program-export/audit$", audit.audit_page),
    (r"^/-/program-export/audit\.json$", audit.audit_lines),
    (r"^/-/program-export/verify$", verification.verify_page),
    (r"^/-/program-export/verify\.json$", verification.verify_data),
    (rf"^{_JOBS}$", job_views.jobs_page),
    (rf"^{_JOBS}\.json$", job_views.jobs_data),
    (rf"^{_JOB}$", job_views.job_page),
    (rf"^{_JOB}\.json$", job_views.job_state),
    (rf"^{_JOB}/result$", job_views.result),
    (rf"^{_JOB}/cancel$", job_views.cancel),
    (rf"^{_JOB}/again$", job_views.again),
    (rf"^{_JOB}/delete$", job_views.delete),
    (rf"^{_PROFILES}$", profile_views.profiles_page),
    (rf"^{_PROFILES}\.json$", profile_views.profiles_data),
    (rf"^{_PROFILES}/(?P<profile>[\w-]+)/delete$", profile_views.delete),
    (rf"^{_SETUP}$", setup_views.setup_page),
    (rf"^{_SETUP}\.json$", setup_views.setup_data),
    (rf"^{_SETUP}\.yml$", setup_views.setup_lines),
    (rf"^{_IMPORT}$", import_views.import_page),
    (rf"^{_IMPORT}\.json$", import_views.import_data),
    (rf"^{_IMPORT}/compare$", compare_views.upload_page),  # no file has this name: theirs are longer
    (rf"^{_FILE}$", import_views.file_page),
    (rf"^{_FILE}\.json$", import_views.file_state),
    (rf"^{_FILE}/preview$", import_views.preview),
    (rf"^{_FILE}/apply$", import_views.apply),
    (rf"^{_FILE}/bad-rows$", import_views.bad_rows),
    (rf"^{_FILE}/compare$", compare_views.compare_page),
    (rf"^{_FILE}/compare\.json$", compare_views.compare_data),
    (rf"^{_FILE}/compare/differences$", compare_views.differences),
    (rf"^{_FILE}/cancel$", import_views.cancel),
    (rf"^{_FILE}/delete$", import_views.delete),
    *((rf"^{base}/-/program-export$", views.page) for base in (_DATABASE, _TABLE, _ROW)),
    *((rf"^{base}/-/program-export\.json$", views.plan_data) for base in (_DATABASE, _TABLE, _ROW)),
    *((rf"^{base}/-/program-export/download$", views.download) for base in (_DATABASE, _TABLE, _ROW)),
    *((rf"^{base}/-/program-export/job$", job_views.create) for base in (_DATABASE, _TABLE, _ROW)),
    *((rf"^{base}/-/program-export/profile$", profile_views.save) for base in (_DATABASE, _TABLE, _ROW)),
]


def routes() -> list[tuple[str, View]]:
    """Return all patterns with their views; each format that has a file extension gets an address."""
    ending = rf"\.program(?P<ending>{'|'.join(map(re.escape, endings()))})"
    documents = [
        (rf"^{_DATABASE}/-/query{ending}$", views.query_document),
        *((rf"^{base}{ending}$", views.document) for base in (_DATABASE, _TABLE, _ROW)),
    ]
    return [*_ROUTES, *documents]
