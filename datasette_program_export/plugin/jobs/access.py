"""Check who may download the result of a job, with the current permissions and settings."""

from __future__ import annotations

from ...errors import DeniedError
from .. import host
from ..host.protocols import Datasette, HttpRequest
from ..request.replay import asked_again, rules_of
from ..server.job_runner import Job


async def check_may_have(request: HttpRequest, datasette: Datasette, job: Job) -> None:
    """Check that the actor may download a job's result, with the current permissions and settings.

    Raises DeniedError, and what ``resolve_export`` raises.
    """
    asked = await asked_again(request, datasette, job.asked)
    if rules_of(asked) != job.rules:
        raise DeniedError(
            "What this site keeps back, or which rows belong together, was changed since this was exported. Start the "
            "export again."
        )
    most = asked.settings.max_rows
    if host.closed_by(datasette, asked.settings) and most is not None and (job.rows or 0) > most:
        raise DeniedError(f"This site gives at most {most:,} rows now, as its bulk downloads are closed.")
    seen = asked.visible
    if seen is not None and (job.visible is None or not seen.issuperset(job.visible)):
        raise DeniedError(
            f"You may not see all tables of {job.database} any more that you could when this was exported, or one is "
            "gone. Start the export again."
        )
