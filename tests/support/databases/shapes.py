"""The shapes that a database of The Program can have: our own schemas, from what is known of it, with invented rows.

A table is a list of columns: ``?`` may be NULL, ``:I :F :B`` a number, ``:J :L`` a text that holds
a JSON object or list, ``>t`` and ``~t`` refer to t (ON DELETE CASCADE, SET NULL), ``=`` is unique.
Every table has rows 1 and 2, and row n refers to row n: all that belongs to a person has that person's number.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.support.databases.building import database

Tables = Mapping[str, str]
SINGLETONS = ("app_config", "user_preferences")

FIRST: Tables = {
    "app_config": "password_hash? app_version database_version:I",
    "user_preferences": "default_house_system default_ayanamsa default_zodiac aspect_orbs:J? color_scheme "
    "displayed_points:L?",
    "clients": "first_name? last_name? email? phone? notes?",
    "birth_data": "client_id>clients birth_date birth_time? time_unknown:B latitude:F longitude:F timezone "
    "utc_offset:I? city? state_province? country? rodden_rating? gender?",
    "charts": "client_id?>clients birth_data_id>birth_data chart_name? chart_type astro_system house_system? ayanamsa? "
    "zodiac_type calculation_params:J? chart_data:J last_viewed?",
    "chart_interpretations": "chart_id>charts element_type element_key ai_description ai_model? ai_prompt_version? "
    "version:I is_approved?",
    "interpretations": "interpretation_type key_identifier tradition? text_content source? is_user_custom:B",
    "aspect_patterns": "chart_id>charts pattern_type planets_involved:L description?",
    "transit_events": "chart_id>charts event_date transiting_planet natal_planet aspect_type orb:F? is_applying:B?",
    "session_notes": "client_id>clients note_date note_content?",
    "location_cache": "city_name state_province? country latitude:F longitude:F timezone geonames_id:I?=",
}

# The first single-user form: without clients and their notes
SINGLE: Tables = {
    name: re.sub(r"client_id\S* ", "", columns)
    for name, columns in FIRST.items()
    if name not in ("clients", "session_notes")
}

# The same, with three tables made again by hand
BY_HAND: Tables = {
    **SINGLE,
    "charts": "birth_data_id>birth_data chart_name? chart_type astro_system house_system? ayanamsa? zodiac_type "
    "chart_data:J calculation_params:J? last_viewed?",
    "chart_interpretations": "chart_id>charts element_type element_id ai_description? is_approved?",
}

HEAD: Tables = {
    **SINGLE,
    "app_config": SINGLE["app_config"] + " anthropic_api_key? google_api_key? guardian_api_key? nyt_api_key? "
    "newsapi_api_key? newspaper_style newspaper_sources_priority voice_name voice_personality voice_speaking_style "
    "voice_response_length voice_custom_personality?",
    "user_preferences": SINGLE["user_preferences"] + " enabled_paradigms:L? synthesis_depth companion_position",
    "birth_data": "name? relationship_type? notes? is_primary:B color? " + SINGLE["birth_data"],
    "chart_interpretations": "chart_id>charts element_type element_key astro_system ai_description ai_model? "
    "ai_prompt_version? version:I is_approved?",
    "historical_dates": "month_day= wikipedia_events:L? wikipedia_births:L? wikipedia_deaths:L? wikipedia_holidays:L? "
    "wikipedia_fetched_at? wikipedia_fetch_error? full_date? guardian_articles:L? guardian_fetched_at? "
    "guardian_fetch_error? nyt_articles:L? nyt_fetched_at? nyt_fetch_error? newspaper_sources? newspaper_content:J? "
    "newspaper_style? newspaper_generated_at? generation_prompt_hash?",
    "image_collections": "name collection_type description? style_prompt? border_style? is_complete:B is_active:B "
    "total_expected:I? include_card_labels:B reference_image_id?~generated_images prompt_tradition?",
    "generated_images": "image_type prompt style_prompt? file_path= thumbnail_path? width:I? height:I? mime_type "
    "file_size:I? generation_params:J? model_used? parent_id?~generated_images collection_id?>image_collections "
    "item_key? is_approved:B",
    "rss_feeds": "url= title description? site_url? icon_url? category? is_active:B fetch_interval_minutes:I "
    "last_fetched_at? last_error? error_count:I article_count:I",
    "weather_locations": "name city country latitude:F longitude:F is_primary:B timezone?",
    "sports_favorites": "entity_type entity_id name sport league? logo_url?",
    "reading_history": "article_id source_type source_id? title url? topics:L? time_spent_seconds:I "
    "scroll_depth_pct:F clicked_links:B starred:B feedback?",
    "interest_profiles": "topic= category? score:F article_count:I total_time_seconds:I positive_feedback:I "
    "negative_feedback:I decay_rate:F last_seen?",
    "user_events": "birth_data_id>birth_data event_date event_time? title description? category? importance tags:L? "
    "is_recurring:B recurrence_pattern? transit_analysis?",
    "artworks": "name file_path= thumbnail_path? width:I? height:I? file_size:I? source_image_id?~generated_images "
    "canvas_state:J? tags:L?",
    "rss_articles": "feed_id>rss_feeds guid url title author? summary? content? image_url? published_at? categories:L? "
    "is_read:B is_starred:B relevance_score:F? time_spent_seconds:F? scroll_depth_pct:F?",
    "journal_entries": "birth_data_id?~birth_data chart_id?~charts entry_date target_date? title? content tags:L? "
    "mood? mood_score? transit_context:J? ai_summary?",
    "transit_contexts": "birth_data_id>birth_data user_event_id?>user_events context_date transit_data:J? "
    "significant_transits:L? historical_context? personal_context? themes:L?",
}


@dataclass(frozen=True)
class Column:
    """One word of a table's list."""

    name: str
    kind: str
    nullable: bool
    parent: str | None
    action: str
    unique: bool


_WORD = re.compile(r"(\w+)(?::(\w))?(\?)?(?:([>~])(\w+))?(=)?")


def columns_of(tables: Tables, table: str) -> list[Column]:
    """The columns of a table but for id, created_at and updated_at."""
    found = [m.groups() for m in map(_WORD.fullmatch, tables[table].split()) if m]
    assert len(found) == len(tables[table].split())
    return [
        Column(name, kind or "T", bool(null), parent, "CASCADE" if arrow == ">" else "SET NULL", bool(unique))
        for name, kind, null, arrow, parent, unique in found
    ]


def json_columns(tables: Tables) -> set[tuple[str, str]]:
    """The columns that hold JSON, as (table, column)."""
    return {(t, c.name) for t in tables for c in columns_of(tables, t) if c.kind in "JL"}


def key(table: str, number: int) -> str:
    """A row's id, in the form the app gives it."""
    return f"{sum(table.encode()):08x}-0000-4000-8000-{number:012x}"


def _made_by_models(tables: Tables, first: tuple[str, ...] = ()) -> Iterator[str]:
    """As the models make them: the id behind the columns (before them in ``first``), no defaults, an index per key."""
    types = {"T": "VARCHAR", "J": "VARCHAR", "L": "VARCHAR", "I": "INTEGER", "F": "FLOAT", "B": "BOOLEAN"}
    for table in tables:
        own = [f"{c.name} {types[c.kind]}{'' if c.nullable else ' NOT NULL'}" for c in columns_of(tables, table)]
        stamps = ["created_at VARCHAR NOT NULL", "updated_at VARCHAR NOT NULL"]
        identity = ["id VARCHAR NOT NULL"]
        lines = [*identity, *own, *stamps] if table in first else [*own, *identity, *stamps]
        lines.append("PRIMARY KEY (id)")
        if table in SINGLETONS:
            lines.append("CHECK (id = '1')")
        if table == "birth_data":
            lines.append("CHECK (latitude >= -90 AND latitude <= 90)")
        for c in columns_of(tables, table):
            if c.parent:
                lines.append(f"FOREIGN KEY({c.name}) REFERENCES {c.parent} (id) ON DELETE {c.action}")
            if c.unique:
                lines.append(f"UNIQUE ({c.name})")
        yield f"CREATE TABLE {table} (\n  " + ",\n  ".join(lines) + "\n)"
        for c in columns_of(tables, table):
            if c.parent:
                yield f"CREATE INDEX idx_{table}_{c.name} ON {table} ({c.name})"
                yield f"CREATE INDEX ix_{table}_{c.name} ON {table} ({c.name})"


def _made_by_sql(tables: Tables) -> Iterator[str]:
    """As the SQL file makes them: plain types, ids that may be NULL, defaults, triggers, two views."""
    types = {"T": "TEXT", "J": "TEXT", "L": "TEXT", "I": "INTEGER", "F": "REAL", "B": "INTEGER"}
    for table in tables:
        single = table in SINGLETONS
        lines = ["id INTEGER PRIMARY KEY CHECK (id = 1)" if single else "id TEXT PRIMARY KEY"]
        for c in columns_of(tables, table):
            line = f"{c.name} {types[c.kind]}{'' if c.nullable else ' NOT NULL'}{' UNIQUE' if c.unique else ''}"
            lines.append(line + (f" REFERENCES {c.parent}(id) ON DELETE CASCADE" if c.parent else ""))
        lines += [f"{stamp} TEXT NOT NULL DEFAULT (datetime('now'))" for stamp in ("created_at", "updated_at")]
        yield f"CREATE TABLE {table} (\n  " + ",\n  ".join(lines) + "\n)"
        yield (
            f"CREATE TRIGGER {table}_updated_at AFTER UPDATE ON {table} FOR EACH ROW "
            f"BEGIN UPDATE {table} SET updated_at = datetime('now') WHERE id = NEW.id; END"
        )
    yield (
        "CREATE VIEW client_summary AS SELECT c.*, count(DISTINCT b.id) AS birth_data_count, count(DISTINCT h.id) AS "
        "chart_count FROM clients c LEFT JOIN birth_data b ON b.client_id = c.id "
        "LEFT JOIN charts h ON h.client_id = c.id GROUP BY c.id"
    )
    yield (
        "CREATE VIEW recent_charts AS SELECT h.id, h.chart_name, c.first_name || ' ' || coalesce(c.last_name, '') AS "
        "client_name, b.birth_date FROM charts h JOIN birth_data b ON b.id = h.birth_data_id "
        "LEFT JOIN clients c ON c.id = h.client_id ORDER BY h.created_at DESC"
    )


def _value(table: str, c: Column, number: int) -> object:
    if c.name == "password_hash" or c.name.endswith("_api_key"):
        return f"SECRET-{c.name}"
    if c.parent:
        own = c.parent == table
        return None if own and number == 1 else key(c.parent, number - own)
    if c.nullable and number == 2:
        return None
    if c.kind == "J":
        return '{"longitude": 176.59051753707058,"orb":1e-07, "sign": "fish ♓"}'
    if c.kind == "L":
        return '["sun", "moon"]' if number == 1 else "[]"
    if c.kind in "IFB":
        return {"I": 60 + number, "F": 10.25 + number, "B": number % 2}[c.kind]
    return f"199{number}-03-0{number}" if c.name.endswith("_date") else f"{table} {c.name} {number}"


def _fill(connection: sqlite3.Connection, tables: Tables) -> None:
    """Rows 1 and 2 of every table (one of a singleton), and one aspect pattern of a chart that is gone."""
    connection.execute("BEGIN")
    for table in tables:
        # the app gives both the number 1, which the models' column keeps as text
        for number in (1,) if table in SINGLETONS else (1, 2):
            row = {c.name: _value(table, c, number) for c in columns_of(tables, table)}
            row["id"] = 1 if table in SINGLETONS else key(table, number)
            # the two spellings that live side by side
            row["created_at"], row["updated_at"] = "2025-11-16T12:30:45.123456", "2025-11-16 12:30:45"
            _insert(connection, table, row)
    row = {c.name: _value("aspect_patterns", c, 3) for c in columns_of(tables, "aspect_patterns")}
    _insert(connection, "aspect_patterns", {**row, "id": key("aspect_patterns", 3), "created_at": "", "updated_at": ""})
    connection.execute("COMMIT")


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    slots = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({slots})", list(row.values()))


def _write(path: Path, tables: Tables, statements: Iterator[str], *more: str) -> Path:
    with closing(database(path, "BEGIN", *statements, *more, "COMMIT")) as connection:
        _fill(connection, tables)
    return path


def s1(path: Path) -> Path:
    """From the SQL file: 11 tables, 2 views, 11 triggers."""
    return _write(path, FIRST, _made_by_sql(FIRST))


def s2(path: Path) -> Path:
    """From the models with clients: 11 tables."""
    return _write(path, FIRST, _made_by_models(FIRST))


def s2_single(path: Path) -> Path:
    """S2': from the models without clients: 9 tables."""
    return _write(path, SINGLE, _made_by_models(SINGLE))


_HAND_MADE = ("birth_data", "charts", "chart_interpretations")


def s3(path: Path) -> Path:
    """Made single-user by hand: element_id for element_key; every row is only in the -wal."""
    away = path.with_name("being-written.db")
    with closing(database(away, "BEGIN", *_made_by_models(BY_HAND, _HAND_MADE), "COMMIT")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        _fill(connection, BY_HAND)
        # copied while it is open: the last one to close would move the rows into the database
        shutil.copy(away, path)
        shutil.copy(f"{away}-wal", f"{path}-wal")
    away.unlink()
    return path


def s3b(path: Path) -> Path:
    """S3 later: a column with a default in double quotes, an empty table of the migration tool."""
    return _write(
        path,
        BY_HAND,
        _made_by_models(BY_HAND, _HAND_MADE),
        'ALTER TABLE chart_interpretations ADD COLUMN astro_system VARCHAR NOT NULL DEFAULT "western"',
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num))",
    )


def s4(path: Path) -> Path:
    """From the head's models: 22 tables, with a circle and a reference to itself."""
    _write(path, HEAD, _made_by_models(HEAD))
    with closing(sqlite3.connect(path)) as connection, connection:
        # of no person: kept when the person and the chart were deleted
        entry = {"id": key("journal_entries", 3), "entry_date": "1999-01-01", "content": "of nobody"}
        _insert(connection, "journal_entries", {**entry, "created_at": "", "updated_at": ""})
    return path


def _opened_by_head(path: Path, before: Tables) -> Path:
    """Tables and columns that were missing are there; nothing is dropped or changed."""
    types = {"I": "INTEGER", "F": "REAL", "B": "INTEGER"}
    new = {name: columns for name, columns in HEAD.items() if name not in before}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for statement in _made_by_models(new):
            connection.execute(statement)
        for table in set(HEAD) & set(before):
            there = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
            for c in columns_of(HEAD, table):
                if c.name not in there:
                    default = "0" if c.name == "is_primary" else "NULL"
                    connection.execute(
                        f"ALTER TABLE {table} ADD COLUMN {c.name} {types.get(c.kind, 'TEXT')} DEFAULT {default}"
                    )
        keys = [c.name for c in columns_of(HEAD, "app_config") if c.name.endswith("_api_key")]
        connection.execute("UPDATE app_config SET " + ", ".join(f"{name} = 'SECRET-{name}'" for name in keys))
        for table in new:
            row = {c.name: _value(table, c, 1) for c in columns_of(HEAD, table)}
            _insert(connection, table, {**row, "id": key(table, 1), "created_at": "", "updated_at": ""})
        connection.execute("COMMIT")
    return path


def s5(path: Path) -> Path:
    """S1, opened by the head: 24 tables; clients and views stay."""
    return _opened_by_head(s1(path), FIRST)


def s5b(path: Path) -> Path:
    """S3b, opened by the head: 23 tables; readings have an element_id and an empty element_key."""
    return _opened_by_head(s3b(path), BY_HAND)


SHAPES: dict[str, tuple[Callable[[Path], Path], Tables, int]] = {
    "S1": (s1, FIRST, 11),
    "S2": (s2, FIRST, 11),
    "S2'": (s2_single, SINGLE, 9),
    "S3": (s3, BY_HAND, 9),
    "S3b": (s3b, BY_HAND, 10),
    "S4": (s4, HEAD, 22),
    "S5": (s5, {**FIRST, **{t: c for t, c in HEAD.items() if t not in FIRST}}, 24),
    "S5b": (s5b, {**BY_HAND, **{t: c for t, c in HEAD.items() if t not in BY_HAND}}, 23),
}
