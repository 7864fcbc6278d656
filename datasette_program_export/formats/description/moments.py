"""Moments as texts in UTC, to the second, as documents, logs and pages write them (ISO 8601)."""

from __future__ import annotations

from datetime import datetime, timezone

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def moment_text(moment: datetime) -> str:
    """Return a moment that has a time zone as a text."""
    return moment.astimezone(timezone.utc).strftime(_FORM)


def now_text() -> str:
    """Return the present moment as a text."""
    return moment_text(datetime.now(timezone.utc))


def seconds_text(seconds: float | None) -> str | None:
    """Return seconds since 1970, as ``time.time()`` counts them, as a text; None stays None."""
    return moment_text(datetime.fromtimestamp(seconds, timezone.utc)) if seconds is not None else None


def parse_moment(text: str) -> datetime:
    """Return the moment that ``moment_text`` wrote. Raises ValueError for another text."""
    return datetime.strptime(text, _FORM).replace(tzinfo=timezone.utc)
