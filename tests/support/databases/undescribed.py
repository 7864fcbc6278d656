"""A shop's database without any foreign key, and databases with odd names: what ``setup`` has to find its way in."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.databases.building import database

BCRYPT = "$2b$12$" + "a" * 53
SHOP = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT, password TEXT, "
    "prefs TEXT)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, placed_on TEXT, created_by INTEGER)",
    "CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER, product_sku TEXT, amount INTEGER)",
    "CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, name TEXT, parent_id INTEGER)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner_type TEXT, owner_id INTEGER, body TEXT)",
    "CREATE TABLE app_settings (key TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE geocoding_cache (place TEXT PRIMARY KEY, answer TEXT)",
    "CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT, login TEXT, entry TEXT)",
    "CREATE TABLE audit_log (id INTEGER PRIMARY KEY, what TEXT, customer_id INTEGER)",
    "CREATE TABLE boxes (id INTEGER PRIMARY KEY, product_id TEXT, order_id INTEGER)",  # a text, and orders long gone
)
ODD = (
    'CREATE TABLE "a/b" (id INTEGER PRIMARY KEY, "x.y" TEXT)',
    'CREATE TABLE "漢字" (id INTEGER PRIMARY KEY, "a/b_id" INTEGER, "名前" TEXT)',
    'CREATE TABLE "new\nline" (id INTEGER PRIMARY KEY, "col\numn" TEXT, "tab\t" TEXT)',
    'CREATE TABLE "null" ("true" TEXT, "no" TEXT, "- x: {" TEXT)',
    'CREATE TABLE "\'\'"" quo" (id, "it\'s" TEXT)',
    'CREATE TABLE "" ("" TEXT)',
    'CREATE TABLE "# c" (id INTEGER PRIMARY KEY, "null_id" INTEGER, password TEXT)',
    "CREATE TABLE none (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT)",
    f'CREATE TABLE "{"long " * 60}" (id INTEGER PRIMARY KEY, name TEXT)',
    "CREATE VIEW broken AS SELECT * FROM gone",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "CREATE TABLE wr (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID",
    "CREATE TABLE gen (id INTEGER PRIMARY KEY, a INT, b INT AS (a + 1), c TEXT AS (unknown_function(a)))",
    "INSERT INTO \"a/b\" VALUES (1, 'p')",
    "INSERT INTO \"漢字\" VALUES (1, 1, '山田')",
    "INSERT INTO \"new\nline\" VALUES (1, 'first', NULL)",
    "INSERT INTO wr VALUES ('k', x'00')",
    "INSERT INTO \"null\" VALUES (CAST(x'ff41' AS TEXT), 'b', 'c')",
)


def shop(folder: Path, rows: int = 40) -> Path:
    """Write shop.db, and return its path."""
    path = folder / "shop.db"
    connection = database(path, *SHOP)
    connection.execute("BEGIN")
    for i in range(1, rows + 1):
        prefs = json.dumps({"news": True, "mail": {"password": "canary"}})
        person = (i, f"First{i}", f"Last{i % 7}", f"a{i}@example.org", None, prefs)
        connection.execute("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)", person)
        order = (i, i % 20 + 1, f"2024-01-{i % 28 + 1:02}", i % 2 + 1)
        connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", order)
        connection.execute("INSERT INTO order_lines VALUES (?, ?, ?, 2)", (i, i, f"S{i % 5}"))
        note = (i, "Customer" if i % 2 else r"App\Models\Order", i, "a long note " * 20 + str(i))
        connection.execute("INSERT INTO notes VALUES (?, ?, ?, ?)", note)
        connection.execute("INSERT INTO audit_log VALUES (?, 'looked', ?)", (i, i))
        connection.execute("INSERT INTO boxes VALUES (?, ?, ?)", (i, f"x{i}", 1000 + i))
    for i in range(5):
        connection.execute("INSERT INTO products VALUES (?, ?, ?, ?)", (i + 1, f"S{i}", f"Thing {i}", 1 if i else None))
    connection.execute("INSERT INTO app_settings VALUES ('smtp_password', 'canary'), ('theme', 'dark')")
    connection.executemany("INSERT INTO staff VALUES (?, ?, ?, ?)", [(i, f"S{i}", f"s{i}", BCRYPT) for i in (1, 2)])
    connection.execute("COMMIT")
    connection.close()
    return path


def odd(folder: Path) -> Path:
    """Write odd.db, and return its path."""
    path = folder / "odd.db"
    connection = database(path)
    connection.create_function("unknown_function", 1, str, deterministic=True)
    for statement in ODD:
        connection.execute(statement)
    connection.close()
    return path
