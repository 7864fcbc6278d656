"""Databases shaped like those of well-known applications: schemas and rows are invented after facts about them."""

from __future__ import annotations

WIDE = ", ".join(f"c{number} REAL" for number in range(700))
APPLICATIONS: dict[str, tuple[str, ...]] = {
    "Django": (
        "CREATE TABLE auth_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, username varchar(150) NOT NULL UNIQUE,"
        " is_staff bool NOT NULL, date_joined datetime NOT NULL)",
        "CREATE TABLE shop_item (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, data text NOT NULL"
        " CHECK ((JSON_VALID(data) OR data IS NULL)), price decimal NOT NULL, owner_id integer NOT NULL"
        " REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE INDEX shop_item_owner ON shop_item (owner_id)",
        "INSERT INTO auth_user VALUES (1, 'ann', 1, '2024-01-02 03:04:05.678901'), (4, 'bob', 0, '2024-02-03 00:00')",
        "INSERT INTO shop_item VALUES (1, '{\"a\": [1, 2.50]}', 9.99, 1), (2, '\"text\"', 10, 4), (3, 'null', 0.1, 1)",
        "DELETE FROM shop_item WHERE id = 3",
    ),
    "GeoPackage": (
        "CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, srs_id INTEGER)",
        "CREATE TABLE roads (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom LINESTRING, at POINT, name TEXT)",
        "CREATE VIRTUAL TABLE rtree_roads_geom USING rtree(id, minx, maxx, miny, maxy)",
        # a stand-in for the functions of the spatial library, which its triggers call
        "CREATE TRIGGER rtree_roads_geom_insert AFTER INSERT ON roads WHEN NEW.geom NOT NULL BEGIN"
        " INSERT OR REPLACE INTO rtree_roads_geom VALUES (NEW.fid, length(NEW.geom), length(NEW.geom), 0, 1); END",
        "CREATE TRIGGER rtree_roads_geom_delete AFTER DELETE ON roads BEGIN"
        " DELETE FROM rtree_roads_geom WHERE id = OLD.fid; END",
        "INSERT INTO gpkg_contents VALUES ('roads', 'features', -1)",
        "INSERT INTO roads VALUES (1, x'4750000100', x'47500002', 'one'), (2, x'47500001ff00', NULL, ' Two ')",
        "INSERT INTO roads VALUES (7, NULL, NULL, '')",
    ),
    "PocketBase": (
        "CREATE TABLE _logs (id TEXT PRIMARY KEY DEFAULT ('r'||lower(hex(randomblob(7)))) NOT NULL, level INTEGER"
        " DEFAULT 0 NOT NULL, message TEXT DEFAULT '' NOT NULL, data JSON DEFAULT '{}' NOT NULL,"
        " created TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ')) NOT NULL)",
        "CREATE INDEX idx_logs_auth ON _logs (JSON_EXTRACT(data, '$.auth'))",
        "CREATE TABLE posts (id TEXT PRIMARY KEY NOT NULL, tags JSON DEFAULT '[]' NOT NULL,"
        " likes NUMERIC DEFAULT 0 NOT NULL)",
        "INSERT INTO _logs VALUES ('r1', 0, 'GET /', '{\"auth\":\"guest\"}', '2024-01-01 00:00:00.000Z')",
        "INSERT INTO posts VALUES ('p1', '[\"x\"]', 1), ('p2', '', 2.5)",
    ),
    "Zotero": (
        "CREATE TABLE items (itemID INTEGER PRIMARY KEY, key TEXT NOT NULL, dateAdded TIMESTAMP NOT NULL DEFAULT"
        " CURRENT_TIMESTAMP, UNIQUE (key))",
        "CREATE TABLE itemDataValues (valueID INTEGER PRIMARY KEY, value UNIQUE)",
        "CREATE TABLE itemData (itemID INT, fieldID INT, valueID INT, PRIMARY KEY (itemID, fieldID),"
        " FOREIGN KEY (itemID) REFERENCES items(itemID) ON DELETE CASCADE,"
        " FOREIGN KEY (valueID) REFERENCES itemDataValues(valueID))",
        "CREATE TRIGGER fk_removal BEFORE DELETE ON items FOR EACH ROW BEGIN"
        " DELETE FROM itemData WHERE itemID = OLD.itemID; END",
        "INSERT INTO items VALUES (1, 'ABCD2345', '2024-01-01'), (2, 'EFGH2345', '2024-01-01 00:00:00')",
        "INSERT INTO itemDataValues VALUES (1, '2024'), (2, 2024), (3, 'A title'), (4, x'00')",
        "INSERT INTO itemData VALUES (1, 110, 3), (1, 14, 1), (2, 14, 2), (2, 110, 4)",
    ),
    "Datasette with a search": (
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT, body TEXT)",
        "CREATE VIRTUAL TABLE docs_fts USING FTS5 (title, body, content=[docs])",
        "CREATE TRIGGER docs_ai AFTER INSERT ON docs BEGIN"
        " INSERT INTO docs_fts (rowid, title, body) VALUES (new.rowid, new.title, new.body); END",
        "CREATE TRIGGER docs_ad AFTER DELETE ON docs BEGIN"
        " INSERT INTO docs_fts (docs_fts, rowid, title, body) VALUES ('delete', old.rowid, old.title, old.body); END",
        "CREATE VIEW titles AS SELECT id, upper(title) AS title FROM docs",
        "INSERT INTO docs VALUES (1, 'alpha', 'x'), (2, NULL, 'y'), (3, 'gamma', NULL)",
    ),
    "700 columns": (
        f"CREATE TABLE measured (id INTEGER PRIMARY KEY, {WIDE})",
        "INSERT INTO measured (id, c0, c699) VALUES (1, 0.1, -1e300), (2, NULL, 2.5)",
    ),
}
