"""What a CREATE TRIGGER statement says: the event that fires it, and the tables that it writes to.

Names in its body have no schema, and each write begins with one of four phrases
(https://www.sqlite.org/lang_createtrigger.html), so that the text alone tells them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .sql_tokens import SQLTextError, Token, tokens

_EVENTS = ("insert", "update", "delete")


@dataclass(frozen=True)
class TriggerText:
    """``event`` is insert, update or delete; ``writes`` are the folded names of the tables that it writes to.

    Both are empty for a text that cannot be read."""

    event: str = ""
    writes: frozenset[str] = frozenset()


def trigger_text(sql: str) -> TriggerText:
    """Return what a CREATE TRIGGER statement says."""
    try:
        parts = [token for token in tokens(sql) if token.kind != "comment"]
    except SQLTextError:
        return TriggerText()
    begin = next((i for i, t in enumerate(parts) if _is(t, "begin")), len(parts))
    event = next((t.name for t in parts[:begin] if t.kind == "word" and t.name in _EVENTS), None)
    return TriggerText(event or "", frozenset(_written(parts[begin:])))


def _written(body: list[Token]) -> list[str]:
    found = []
    for before, token, after in zip(body, body[1:], body[2:]):
        into = _is(token, "into")
        deleted = _is(before, "delete") and _is(token, "from")
        updated = _is(token, "update") and not _is(before, "do") and not _is(after, "or", "set")
        either = _is(before, "or") and _is(token, "rollback", "abort", "replace", "fail", "ignore")
        if (into or deleted or updated or either) and after.name is not None and not _is(after, "into"):
            found.append(after.name)
    return found


def _is(token: Token, *words: str) -> bool:
    return token.kind == "word" and token.name in words
