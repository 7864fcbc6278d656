"""Tell of errors that nobody foresaw, and of downloads that break off, without a value of any row.

A traceback may be printed with all variables of its frames: Datasette does so where the package rich is installed, and
some handlers of logs do. So an exception that passed a frame with rows is neither raised on nor logged; its kind and
its place are.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable

from ...errors import BrokenExportError, ExportError

_log = logging.getLogger(__name__)


def unforeseen(error: BaseException) -> BrokenExportError:
    """Log the kind and place of an error that nobody foresaw; return an exception for people, without its message."""
    kind = type(error).__name__
    _log.error("%s; its message is left out, as it may hold values:\n%s", kind, _places(error))
    return BrokenExportError(f"It failed ({kind}). Tell the person who runs this site.")


def _places(error: BaseException) -> str:
    return "".join(traceback.format_list(traceback.extract_tb(error.__traceback__))).rstrip()


async def broken_off(sending: Awaitable[None]) -> str | None:
    """Wait until a body is sent; return why it broke off, as a sentence, or None if it is whole.

    A server cuts the connection of a body that stops before its end. Raises asyncio.CancelledError alone, a new one."""
    why, stopped = None, False
    try:
        await sending
    except asyncio.CancelledError:
        stopped = True
    except ExportError as error:
        why = str(error) or type(error).__name__
    except OSError:  # other servers than uvicorn raise it when the client is gone
        why = "The reader left."
    except Exception as error:
        why = str(unforeseen(error))
    if stopped:
        raise asyncio.CancelledError
    return why


def log_cut(why: str) -> None:
    """Log that a download was cut."""
    _log.warning("A download was cut: %s", why)
