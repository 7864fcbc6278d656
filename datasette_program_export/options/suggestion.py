"""What may have been meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, known: Iterable[str]) -> str:
    """Return a question with the known name that is most like a wrong one, or nothing."""
    folded = {k.casefold(): k for k in reversed(list(known))}
    found = get_close_matches(name.casefold(), list(folded), 1)
    return f" Did you mean {folded[found[0]]}?" if found else ""
