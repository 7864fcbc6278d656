"""One database with every awkward value and every awkward shape that SQLite lets one make."""

from __future__ import annotations

import math
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.databases.building import database, quoted

AFFINITIES = ("INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "")
JOURNALS = {"UTF-8": "wal", "UTF-16le": "delete", "UTF-16be": "wal"}


class BadText(bytes):
    """The bytes of a text that is not valid in the database's encoding."""


def _integers() -> Iterator[tuple[str, int]]:
    yield from ((str(n), n) for n in (0, 1, -1))
    for size in (1, 2, 3, 4, 6):  # the sizes in which SQLite stores integers; MessagePack's are among them
        limit = 2 ** (8 * size - 1)
        yield f"the largest of {size} bytes", limit - 1
        yield f"beyond {size} bytes", limit
        yield f"the smallest of {size} bytes", -limit
        yield f"below {size} bytes", -limit - 1
        yield f"the largest of {size} bytes without sign", 2 * limit - 1
        yield f"beyond {size} bytes without sign", 2 * limit
    yield from ((f"2^53{n:+}", 2**53 + n) for n in (-1, 0, 1))
    yield from ((f"-2^53{-n:+}", -(2**53) - n) for n in (-1, 0, 1))
    yield from (("2^63-1", 2**63 - 1), ("2^63-2", 2**63 - 2), ("-2^63", -(2**63)), ("-2^63+1", 1 - 2**63))


REALS = {
    "minus zero": -0.0,
    "zero": 0.0,
    "one": 1.0,
    "0.1": 0.1,
    "a third": 1 / 3,
    "0.1 + 0.2": 0.1 + 0.2,
    "the smallest": 5e-324,
    "the smallest normal": sys.float_info.min,
    "the largest": sys.float_info.max,
    "minus the largest": -sys.float_info.max,
    "1e-7": 1e-07,
    "1e15": 1e15,
    "1e16": 1e16,
    "1e21": 1e21,
    "1e22": 1e22,
    "1e23": 1e23,
    "17 digits": 123456789012345680.0,
    "17 digits of a longitude": 176.59051753707058,
    "halfway between two": 9007199254740993.5,
    "2^53 as real": 2.0**53,
    "2^63 as real": 2.0**63,
    "-2^63 as real": -(2.0**63),
    "2^64 as real": 2.0**64,
    "infinity": math.inf,
    "minus infinity": -math.inf,
}
WORDS = (
    *("", " ", "\t", "\n", "\r", "\r\n", "\0", "NULL", "null", "\\N", "None", "nan", "NaN", "Infinity", "-Infinity"),
    *("inf", "true", "True", "0", "-0", "00123", "+1", "1.0", "1e5", "0x10", "1_000", ".5", "5.", "1e999", " 5 "),
    *("+1-555-0123", "9007199254740993", "9223372036854775808", "123456789012345678901234567890", "2024-02-30"),
    *("=1+1", "@x", "+x", "-x", "=cmd|' /C calc'!A0", "-- x", "/* x", "'); DROP TABLE t; --", "?1", ":a", "$a", "%s"),
    *("'", '"', "''", '""', '"a"', "a'b\"c`d", "`", "„“”‚‘’«»", "\\", "\\n", "\\u0041", "a\\", ";", ",", "a;b,c", "|"),
    *("a\tb", "\ta\t", "a\rb", "\ra\r", "a\nb", "\na\n", "a\r\nb", "\r\na\r\n", "\x0b\x0c\x1a\x1b\x7f", "a\x1fb\x1ec"),
    *("a\0b", "\0a", "a\0", "\0\0", "\ufeffa", "a\ufeff", "\u2028", "a\u2029b", "\x85", "\ufffe", "\uffff", "\ufffd"),
    *("😀", "\U0010ffff", "𝒳", "e\u0301", "é", "ﬁ", "İı", "\u200e\u202eאבג", "مرحبا", "李", "\u200d\u200b\xa0\xad"),
    *(" leading", "trailing ", " both ", "  ", "<b>&amp;</b>", "\x00\x01\x02", "\ud7ff\ue000"),
    *("QQ==", "AAECAw==", "data:;base64,QQ==", "X'00'", "b'\\x00'", '{"$base64": true, "encoded": "QQ=="}'),
    *('{"$base64":true,"encoded":"QQ==","type":"text"}', '{"$real":"Infinity"}', '{"$real": "x"}', '{"$other": 1}'),
    *('["$real"]', '{"a":{"$real":"Infinity"}}', '{"\\u0024real": "Infinity"}', '{"$": 1}', '{"": "$"}'),
)
JSON_TEXTS = (
    *("{}", "[]", " {}", "{} ", "[ ]", "{\t}", "1", '"a"', "true", "-1.5e3", "{broken", "[1,]", "{'a': 1}", "[NaN]"),
    *("[Infinity]", "[01]", "[1e400]", "[-0]", "[-0.0, 1E5, 1e-07, 2.50]", "[9223372036854775808]"),
    *('{"a" :  1 ,"b":[ 1,2 ]}', '{"a":1,"a":2}', '{"z":1,"a":2}', '{"\\u00e9": "\\/"}', '["\\ud83d\\ude00"]', "{}{}"),
    *(
        '["\\ud800"]',
        '["\x01"]',
        '["\x7f"]',
        '["\u2028"]',
        '["\U0001f600"]',
        '{"a":\n1}',
        "[1\r\n]",
        "[]\n",
        "[1] // x",
    ),
    *('{"a": "}"}', '["]", "\\""]', '["\\\\"]', "{}\0", "[\0]", "\ufeff{}", '{"€": null}', '["{\\"a\\": 1}"]', "[[]]"),
    *("[176.59051753707058, 0.1, 123456789012345680.0]", '{"rowid": 1, "": 2}', "[" * 64 + "]" * 64),
    *("[" * 65 + "]" * 65, '{"a":' * 64 + "1" + "}" * 64, '{"a":' * 65 + "1" + "}" * 65, f"[{'9' * 299}]"),
    *(f"[{'9' * 300}]", f"[0.{'1' * 400}]", "[" * 3000, "[" + "1," * 500 + "1]", '["' + "x" * 70_000 + '"]'),
)
BAD_TEXTS = {
    "a lone byte": b"\xff",
    "a lone byte inside": b"a\xffb",
    "a truncated pair": b"a\xc3",
    "a truncated three": b"\xe2\x82",
    "a truncated four": b"\xf0\x9f\x98",
    "a lone continuation": b"\x80",
    "an overlong slash": b"\xc0\xaf",
    "an overlong NUL": b"\xc0\x80",
    "a surrogate": b"\xed\xa0\x80",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "Latin-1": "Müller".encode("latin-1"),
    "with NUL": b"\0\xff\0",
    "with quotes and lines": b'\xff",\r\n\t;',
    "in JSON": b'["\xff"]',
    "all upper bytes": bytes(range(128, 256)),
}
BLOBS = {
    "an empty blob": b"",
    "a blob of NUL": b"\0",
    "a blob of every byte": bytes(range(256)),
    "a blob of one byte": b"A",
    "a blob that is text": "Müller 😀".encode(),
    "a blob that is NULL": b"NULL",
    "a blob that is JSON": b'{"a": 1}',
    "a blob that is a number": b"5",
    "a blob that is a quote": b"'\"",
    "a blob that is no UTF-8": b"\xff\xfe",
    "100 kB of zeros": bytes(100_000),
    "the beginning of a gzip file": bytes.fromhex("1f8b0800000000000003"),
}
GOOD_VALUES: tuple[tuple[str, Any], ...] = (
    ("NULL", None),
    *_integers(),
    *REALS.items(),
    *((f"text {w!a}", w) for w in WORDS),
    *((f"JSON {w[:40]!a} of {len(w)}", w) for w in JSON_TEXTS),
    ("40,000 characters", "ä" * 40_000),
    ("40,000 quotes", '"' * 40_000),
    *BLOBS.items(),
)
#: every value of a UTF-8 database
VALUES = (*GOOD_VALUES, *((f"{name}, as text", BadText(raw)) for name, raw in BAD_TEXTS.items()))
# half a surrogate pair: SQLite takes what follows for the other half
NOT_UTF16 = (
    "\ud800",
    "a\ud800",
    "\udc00",
    "a\udc00b",
    "\ud800a",
    "\ud800\ud800",
    "\udc00\ud800",
    "\udbff\0",
    "\0\udfff",
)


def values(encoding: str) -> tuple[tuple[str, Any], ...]:
    """Every value that a database of this encoding can hold and give back."""
    return VALUES if encoding == "UTF-8" else GOOD_VALUES


def write_not_utf16(path: Path, encoding: str) -> Path:
    """Write a UTF-16 database with the one table ``t``, whose texts are not UTF-16."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
        texts = (BadText(text.encode(encoding, "surrogatepass")) for text in NOT_UTF16)
        insert(connection, "t", enumerate(texts))
        connection.commit()
    return path


ODD_TABLES = (
    *("", " ", "a b", 'a"b', "a'b", "a`b", "a]b", "a.b", "a..", ".hidden", "a/b", "a:b", "a\\b", "a|b", "../up"),
    *(
        "😀",
        "É",
        "é",
        "e\u0301",
        "ﬁ",
        "fi",
        "ſ",
        "straße",
        "STRASSE",
        "select",
        "table",
        "main",
        "temp.x",
        "CON",
        "aux.",
    ),
    *(
        "nul.txt",
        "COM1",
        "a\nb",
        "a\tb",
        "a%20b",
        "-rf",
        "$t",
        "?",
        "\ufeffx",
        "\u202ex",
        "1",
        "NULL",
        "tables",
        "export",
    ),
    *(
        "export.json",
        "integrity",
        "datapackage",
        "x" * 120,
        "x" * 120 + "y",
        "x" * 100 + "_2",
        "README",
        "a:b_2",
        "program_export",
    ),
)
ODD_COLUMNS = (
    *("", " ", 'a"b', "a'b", "a`b", "a]b", "a.b", "rowid", "$base64", "$real", "encoded", "select", "a\nb", "a\r\nb"),
    *("a\tb", "a,b", "a;b", "a\\b", "\\u0041", "😀", "É", "é", "=1+1", "-- x", "1", "NULL", "table", "row", "c0"),
    *("\ufeffx", "\u2028", "x" * 300, "a\x01b", "?1", ":a", "__proto__"),
)


def affinity_table(affinity: str, holds_json: bool = False) -> str:
    """The name of the table that holds every value in a column of that affinity."""
    return f"{'json' if holds_json else 'plain'}_{affinity.lower() or 'none'}"


#: settings by which columns of every affinity are known to hold JSON
JSON_COLUMNS = {affinity_table(affinity, True): ["v"] for affinity in AFFINITIES}


def write(path: Path, encoding: str = "UTF-8", journal: str | None = None, only: str | None = None) -> Path:
    """Write the database, in one of the encodings of ``JOURNALS``.

    ``only`` "values" or "names" leaves out the tables with odd names, or the others: quicker where
    every table is looked at for itself."""
    with closing(sqlite3.connect(path, isolation_level=None)) as new:
        new.execute(f"PRAGMA encoding = '{encoding}'")
        new.execute("CREATE TABLE of_no_rows (id INTEGER PRIMARY KEY, v TEXT DEFAULT 'x', j JSON)")
    every = [value for _, value in values(encoding)]
    with closing(database(path, journal=journal or JOURNALS[encoding])) as connection:
        connection.execute("BEGIN")
        if only != "names":
            _columns(connection, every)
            _by_value(connection, every)
            _shapes(connection, every)
        if only != "values":
            _names(connection)
        connection.execute("COMMIT")
    return path


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows, with bad texts as texts, into columns in the table's order."""
    for row in rows:
        slots = ", ".join(map(_slot, row))
        given = [value for value in row if not isinstance(value, BadText)]
        connection.execute(f"INSERT OR IGNORE INTO {quoted(table)} VALUES ({slots})", given)


def _slot(value: Any) -> str:
    # as a literal: the bytes of a parameter would be taken for UTF-8 in a UTF-16 database, too
    return f"CAST(X'{value.hex()}' AS TEXT)" if isinstance(value, BadText) else "?"


def _fill(connection: sqlite3.Connection, table: str, columns: str, every: list[Any], options: str = "") -> None:
    connection.execute(f"CREATE TABLE {quoted(table)} ({columns}) {options}")
    insert(connection, table, enumerate(every))


def _columns(connection: sqlite3.Connection, every: list[Any]) -> None:
    """Every value in columns of every affinity."""
    for affinity in AFFINITIES:
        for holds_json in (False, True):
            _fill(connection, affinity_table(affinity, holds_json), f"id INTEGER PRIMARY KEY, v {affinity}", every)
    _fill(connection, "declared_json", "id INTEGER PRIMARY KEY, v JSON", every)
    _fill(connection, "strict_any", "id INTEGER PRIMARY KEY, v ANY", every, "STRICT")


def _by_value(connection: sqlite3.Connection, every: list[Any]) -> None:
    """The value as the key, and as all there is."""
    given = [value for value in every if value is not None]
    connection.execute("CREATE TABLE value_is_key (v PRIMARY KEY NOT NULL, n) WITHOUT ROWID")
    insert(connection, "value_is_key", ((value, number) for number, value in enumerate(given)))
    connection.execute("CREATE TABLE text_is_key (v TEXT COLLATE NOCASE PRIMARY KEY)")
    insert(connection, "text_is_key", ((value,) for value in every))
    for affinity in ("", "TEXT", "JSON"):
        connection.execute(f"CREATE TABLE {quoted('single ' + affinity)} (v {affinity})")
        insert(connection, f"single {affinity}", ((value,) for value in every))
    connection.execute("CREATE TABLE nothing_and_empty (a, b TEXT, c BLOB)")
    empty = (None, "", b"")
    insert(connection, "nothing_and_empty", ((a, b, c) for a in empty for b in empty for c in empty))
    width = 300
    connection.execute(f"CREATE TABLE wide ({', '.join(f'c{i}' for i in range(width))})")
    small = [value for value in every if not isinstance(value, (str, bytes)) or len(value) < 2000]
    insert(connection, "wide", ((*(small[(row * 7 + i) % len(small)] for i in range(width)),) for row in range(20)))


SHAPES = (
    # SQLite computes these: in the order of columns one is before what it is made from
    """CREATE TABLE computed (id INTEGER PRIMARY KEY, twice AS (id * 2), v, kind TEXT AS (typeof(v)) STORED,
       same AS (v), j JSON AS (json_array(id)))""",
    # references of all sorts, some to nothing
    "CREATE TABLE tree (id INTEGER PRIMARY KEY, parent REFERENCES tree, v)",
    "INSERT INTO tree VALUES (1, 1, 'own parent'), (2, 3, NULL), (3, 2, ''), (4, NULL, 'root'), (5, 99, 'orphan')",
    "CREATE TABLE hen (id INTEGER PRIMARY KEY, egg REFERENCES egg, v)",
    "CREATE TABLE egg (id INTEGER PRIMARY KEY, hen NOT NULL REFERENCES hen, v)",
    "INSERT INTO hen VALUES (1, 2, x'00'), (2, NULL, -0.0)",
    "INSERT INTO egg VALUES (1, 2, 1e999), (2, 1, 0.1)",
    "CREATE TABLE pair (a TEXT, b INTEGER, v, PRIMARY KEY (b, a)) WITHOUT ROWID",
    "CREATE TABLE of_pair (id INTEGER PRIMARY KEY, x TEXT, y, FOREIGN KEY (y, x) REFERENCES pair (b, a))",
    "INSERT INTO pair VALUES ('', 1, 'v'), ('a,b', -1, NULL), ('~2F', 9223372036854775807, 0.5)",
    "INSERT INTO of_pair VALUES (1, '', 1), (2, 'a,b', '-1'), (3, NULL, 1), (4, 'nobody', 7)",
    "CREATE TABLE word (w TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE of_word (id INTEGER PRIMARY KEY, w REFERENCES word, lost REFERENCES nowhere)",
    "INSERT INTO word VALUES ('Abc'), ('É'), ('é')",
    "INSERT INTO of_word VALUES (1, 'aBC', 1), (2, 'É', NULL), (3, 'nobody', 'x')",
    # keys and counters of their own
    "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v)",
    "INSERT INTO counted VALUES (9223372036854775807, 'last'), (-9223372036854775808, 'first'), (0, NULL)",
    "CREATE TABLE of_gaps (v)",
    "INSERT INTO of_gaps (rowid, v) VALUES (-5, 'a'), (7, 'b'), (1000, 'c')",
    "CREATE TABLE no_rowid_to_see (rowid TEXT, _rowid_ REAL, oid)",
    "INSERT INTO no_rowid_to_see VALUES ('b', 0.1, NULL), ('a', 1, '1'), ('a', 1, 1), ('a', 1, 1)",
    "CREATE TABLE of_null_keys (k TEXT PRIMARY KEY, v)",
    "INSERT INTO of_null_keys VALUES (NULL, 1), (NULL, 2), ('', 3)",
    # columns that came later: the rows of before do not hold them
    "CREATE TABLE older (id INTEGER PRIMARY KEY)",
    "INSERT INTO older VALUES (1), (2)",
    "ALTER TABLE older ADD COLUMN r DEFAULT -0.0",
    "ALTER TABLE older ADD COLUMN i REAL DEFAULT 9007199254740993",
    "ALTER TABLE older ADD COLUMN x DEFAULT 1e999",
    "ALTER TABLE older ADD COLUMN b DEFAULT x'00ff'",
    "ALTER TABLE older ADD COLUMN t TEXT DEFAULT 'it''s'",
    "CREATE TABLE strict_columns (i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT",
    "INSERT INTO strict_columns VALUES (1, 1, '1', x'31', '1'), (NULL, -0.0, '', x'', 1.0)",
    # what hangs on tables; the trigger must not fire where the rows are loaded
    "CREATE TABLE log (id INTEGER PRIMARY KEY, what)",
    "CREATE TABLE watched (id INTEGER PRIMARY KEY, v TEXT CHECK (length(v) < 100), UNIQUE (v))",
    "CREATE INDEX watched_part ON watched (lower(v)) WHERE v IS NOT NULL",
    """CREATE TRIGGER tells AFTER INSERT ON watched BEGIN
       INSERT INTO log (what) VALUES ('new; ' || new.v); UPDATE watched SET v = v || '!' WHERE id = new.id; END""",
    "INSERT INTO watched VALUES (1, 'a;b'), (2, 'BEGIN'), (3, NULL)",
    "CREATE VIEW seen AS SELECT id, v, v IS NULL AS is_null, typeof(v) FROM plain_none",
    'CREATE VIEW "odd; \'view" AS SELECT 1 AS "a\nb", 0.1 + 0.2 AS sum, x\'00\' AS b, 1e999 AS "$real", NULL AS n',
    "CREATE VIRTUAL TABLE search USING fts5(title, body)",
    "INSERT INTO search VALUES ('one', 'a \"quoted\" word'), ('', NULL), (char(0) || 'x', 5)",
    "PRAGMA user_version = -7",
    "PRAGMA application_id = 1234567890",
)
VIEWS = ("seen", "odd; 'view")


def _shapes(connection: sqlite3.Connection, every: list[Any]) -> None:
    for statement in SHAPES:
        connection.execute(statement)
    for number, value in enumerate(every):
        given = () if isinstance(value, BadText) else (value,)
        connection.execute(f"INSERT INTO computed (id, v) VALUES ({number}, {_slot(value)})", given)


def _names(connection: sqlite3.Connection) -> None:
    """Tables and columns of odd names; each table tells its own name."""
    for number, name in enumerate(ODD_TABLES):
        connection.execute(f"CREATE TABLE {quoted(name)} (id INTEGER PRIMARY KEY, v)")
        insert(connection, name, [(number, name)])
    columns = ", ".join(map(quoted, ODD_COLUMNS))
    connection.execute(f"CREATE TABLE odd_columns ({columns})")
    connection.execute(f"CREATE TABLE odd_json ({', '.join(quoted(c) + ' JSON' for c in ODD_COLUMNS)})")
    texts = ("{}", '{"$real": "Infinity"}', "[1,  2]", "x", None, 1.5, b"\xff", BadText(b"\xff"), math.inf)
    for table in ("odd_columns", "odd_json"):
        count = len(ODD_COLUMNS)
        insert(connection, table, ((*(texts[(row + i) % len(texts)] for i in range(count)),) for row in range(9)))
