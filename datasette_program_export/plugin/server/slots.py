"""Share the places of this process between people, so that one person never takes the last.

The last free place is given only to somebody who holds none. A person is an actor's id
(``identity.person_of``); all visitors who are not signed in count as one, ``None``. With one place
in all, anybody may take it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from threading import Lock
from typing import Generic, TypeVar

from ...errors import BusyError

Person = str | None
T = TypeVar("T")
_REMEMBERED = 1000  # people whose last turn is known


def may_take(limit: int, held: Mapping[Person, int], person: Person) -> bool:
    """Return whether a person may take one of the places that are left of ``limit``; ``held`` counts those taken."""
    left = limit - sum(held.values())
    return left > 1 or (left == 1 and not held.get(person))


class FairQueue(Generic[T]):
    """What waits for a place, by id. People take turns, however much each has in it. It needs a lock of its caller."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Person, T]] = {}  # in the order in which they came
        self._served: dict[Person, int] = {}  # when a person last had their turn, as its number
        self._turns = count(1)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._waiting

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __iter__(self) -> Iterator[str]:
        return iter(self._waiting)

    def of(self, person: Person) -> int:
        """Return how much of a person waits."""
        return sum(person == one for one, _ in self._waiting.values())

    def put(self, id_: str, person: Person, item: T) -> None:
        """Let something wait."""
        self._waiting[id_] = person, item

    def drop(self, id_: str) -> None:
        """Let it wait no more, if it does."""
        self._waiting.pop(id_, None)

    def clear(self) -> None:
        """Drop all."""
        self._waiting.clear()

    def take(self, limit: int, held: Mapping[Person, int]) -> tuple[str, Person, T] | None:
        """Take out what gets the next of ``limit`` places; None if nothing may have one.

        The turn is of those who hold the fewest; among them, of those who had none for longest."""
        may = [p for p in {person: None for person, _ in self._waiting.values()} if may_take(limit, held, p)]
        if not may:
            return None
        turn = min(may, key=lambda person: (held.get(person, 0), self._served.get(person, 0)))
        self._note(turn)
        id_ = next(id_ for id_, (person, _) in self._waiting.items() if person == turn)
        return id_, turn, self._waiting.pop(id_)[1]

    def _note(self, person: Person) -> None:
        if len(self._served) > _REMEMBERED:
            self._served.clear()
        self._served[person] = next(self._turns)


def who_has(person: Person) -> str:
    """Return the beginning of a sentence about what a person has."""
    return "You have" if person is not None else "Visitors who are not signed in have"


class ConcurrencyLimit:
    """A counter of running operations by person, each of which holds a thread and a connection.

    ``what`` names one of them, ``doing`` says what they do, in the messages of BusyError.
    """

    def __init__(self, what: str, doing: str) -> None:
        self._what = what
        self._doing = doing
        self._lock = Lock()
        self._held: Counter[Person] = Counter()

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._held.total()

    def take(self, limit: int, person: Person) -> None:
        """Take a place. Raises BusyError if none is left for this person."""
        with self._lock:
            if not may_take(limit, self._held, person):
                raise BusyError(self._why_not(limit, person))
            self._held[person] += 1

    def give_back(self, person: Person) -> None:
        """Give a place back."""
        with self._lock:
            self._held[person] -= 1
            if not self._held[person]:
                del self._held[person]

    def _why_not(self, limit: int, person: Person) -> str:
        if self._held.total() >= limit:
            return f"Too many {self._what}s are {self._doing} at once. Try again in a moment."
        mine = self._held[person]
        things = f"{mine} {self._what}{'s' if mine > 1 else ''}"
        signing_in = "" if person is not None else " Sign in, or try again in a moment."
        return f"{who_has(person)} {things} {self._doing}; the last place is kept for others.{signing_in}"


SLOTS = ConcurrencyLimit("export", "running")
