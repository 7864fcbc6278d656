"""Random values, and random databases with cycles, compound keys, mixed affinities and collations."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass

from hypothesis import strategies as st

INTEGERS = st.integers(-(2**63), 2**63 - 1)
REALS = st.floats(allow_nan=False, width=64)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(st.none(), INTEGERS, REALS, TEXTS, st.binary(max_size=20))

# few, and alike under some affinity or collation: so that references often hold
KEYS = (1, 2, 3, "1", "2", 1.0, "a", "A", "a ", "b", b"a", None)
TYPES = ("INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "")
COLLATIONS = ("BINARY", "NOCASE", "RTRIM")
# the statement's own parts of a primary key
PRIMARY_KEYS = (
    "id INTEGER PRIMARY KEY, k {type} COLLATE {collation} UNIQUE",
    "id {type} COLLATE {collation} PRIMARY KEY, k INTEGER",
    "id {type} COLLATE {collation} NOT NULL, k {type2} COLLATE {collation2} NOT NULL, PRIMARY KEY (id, k)",
    "id {type} COLLATE {collation} NOT NULL, k {type2}, PRIMARY KEY (id), UNIQUE (id, k)",
)


@dataclass(frozen=True)
class Built:
    """A database's statements, and which tables hold people."""

    statements: tuple[str, ...]
    persons: tuple[str, ...]

    def open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        for statement in self.statements:
            with contextlib.suppress(sqlite3.IntegrityError):  # not every row fits its table
                connection.execute(statement)
        return connection


@st.composite
def databases(draw, with_persons: bool = True) -> Built:
    """Up to five tables that refer to each other and themselves, with up to ten rows each."""
    count = draw(st.integers(1, 5))
    names = [f"t{i}" for i in range(count)]
    forms = {name: draw(st.integers(0, len(PRIMARY_KEYS) - 1)) for name in names}
    statements = [_table(draw, name, names, forms) for name in names]
    for name in names:
        for _ in range(draw(st.integers(0, 10))):
            values = [draw(st.sampled_from(KEYS)) for _ in range(6)]
            values[0] = draw(st.integers(1, 5)) if forms[name] == 0 else values[0]
            statements.append(f"INSERT OR IGNORE INTO {name} VALUES ({', '.join(map(_literal, values))})")
    persons = draw(st.sets(st.sampled_from(names), max_size=2)) if with_persons else set()
    return Built(tuple(statements), tuple(sorted(persons)))


def _table(draw, name: str, names: list[str], forms: dict[str, int]) -> str:
    def typed() -> dict[str, str]:
        return {
            "type": draw(st.sampled_from(TYPES)),
            "collation": draw(st.sampled_from(COLLATIONS)),
            "type2": draw(st.sampled_from(TYPES)),
            "collation2": draw(st.sampled_from(COLLATIONS)),
        }

    parts = [PRIMARY_KEYS[forms[name]].format(**typed())]
    columns = [f"f{i} {draw(st.sampled_from(TYPES))} COLLATE {draw(st.sampled_from(COLLATIONS))}" for i in range(4)]
    keys = []
    for _ in range(draw(st.integers(0, 3))):
        parent = draw(st.sampled_from(names))
        mine = draw(st.permutations(["f0", "f1", "f2", "f3"]))
        if forms[parent] in (2, 3) and draw(st.booleans()):
            keys.append(f"FOREIGN KEY ({mine[0]}, {mine[1]}) REFERENCES {parent} (id, k)")
        elif forms[parent] == 2:
            continue  # half of a compound key names no row
        elif forms[parent] == 0 and draw(st.booleans()):
            keys.append(f"FOREIGN KEY ({mine[0]}) REFERENCES {parent.upper()} (k)")
        else:
            keys.append(f"FOREIGN KEY ({mine[0]}) REFERENCES {parent}{draw(st.sampled_from(['', ' (id)']))}")
    # table constraints come last in SQL; a key's own constraints are split off its columns
    constraints = [c for c in parts[0].split(", ") if c.startswith(("PRIMARY KEY (", "UNIQUE ("))]
    first, _, rest = parts[0].partition(", PRIMARY KEY (")
    body = [first, *columns, *([f"PRIMARY KEY ({rest}"] if rest else []), *keys]
    assert len(constraints) <= 2
    without = " WITHOUT ROWID" if forms[name] in (2, 3) and draw(st.booleans()) else ""
    return f"CREATE TABLE {name} ({', '.join(body)}){without}"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return f"'{value}'" if isinstance(value, str) else repr(value)
