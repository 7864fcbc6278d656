"""The schema of the demo: the eleven tables of The Program, with views, triggers and indexes."""

_STAMPS = """
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))"""

_TABLES = {
    "app_config": """
  id INTEGER PRIMARY KEY CHECK (id = 1),
  password_hash TEXT,
  app_version TEXT NOT NULL DEFAULT '1.0.0',
  database_version INTEGER NOT NULL DEFAULT 1,""",
    "user_preferences": """
  id INTEGER PRIMARY KEY CHECK (id = 1),
  default_house_system TEXT NOT NULL DEFAULT 'placidus',
  default_ayanamsa TEXT NOT NULL DEFAULT 'lahiri',
  default_zodiac TEXT NOT NULL DEFAULT 'tropical',
  aspect_orbs TEXT,
  color_scheme TEXT NOT NULL DEFAULT 'light',
  displayed_points TEXT,""",
    "clients": """
  id TEXT PRIMARY KEY,
  first_name TEXT,
  last_name TEXT,
  email TEXT,
  phone TEXT,
  notes TEXT,""",
    "birth_data": """
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL REFERENCES clients(id) ON DELETE CASCADE,
  birth_date TEXT NOT NULL,
  birth_time TEXT,
  time_unknown INTEGER NOT NULL DEFAULT 0,
  latitude REAL NOT NULL,
  longitude REAL NOT NULL,
  timezone TEXT NOT NULL,
  utc_offset INTEGER,
  city TEXT,
  state_province TEXT,
  country TEXT,
  rodden_rating TEXT,
  gender TEXT,""",
    "charts": """
  id TEXT PRIMARY KEY,
  client_id TEXT REFERENCES clients(id) ON DELETE CASCADE,
  birth_data_id TEXT NOT NULL REFERENCES birth_data(id) ON DELETE CASCADE,
  chart_name TEXT,
  chart_type TEXT NOT NULL,
  astro_system TEXT NOT NULL,
  house_system TEXT,
  ayanamsa TEXT,
  zodiac_type TEXT NOT NULL DEFAULT 'tropical',
  calculation_params TEXT,
  chart_data TEXT NOT NULL,
  last_viewed TEXT,""",
    "chart_interpretations": """
  id TEXT PRIMARY KEY,
  chart_id TEXT NOT NULL REFERENCES charts(id) ON DELETE CASCADE,
  element_type TEXT NOT NULL,
  element_key TEXT NOT NULL,
  ai_description TEXT NOT NULL,
  ai_model TEXT,
  ai_prompt_version TEXT,
  version INTEGER NOT NULL DEFAULT 1,
  is_approved TEXT DEFAULT 'pending',""",
    "interpretations": """
  id TEXT PRIMARY KEY,
  interpretation_type TEXT NOT NULL,
  key_identifier TEXT NOT NULL,
  tradition TEXT,
  text_content TEXT NOT NULL,
  source TEXT,
  is_user_custom INTEGER NOT NULL DEFAULT 0,""",
    "aspect_patterns": """
  id TEXT PRIMARY KEY,
  chart_id TEXT NOT NULL REFERENCES charts(id) ON DELETE CASCADE,
  pattern_type TEXT NOT NULL,
  planets_involved TEXT NOT NULL,
  description TEXT,""",
    "transit_events": """
  id TEXT PRIMARY KEY,
  chart_id TEXT NOT NULL REFERENCES charts(id) ON DELETE CASCADE,
  event_date TEXT NOT NULL,
  transiting_planet TEXT NOT NULL,
  natal_planet TEXT NOT NULL,
  aspect_type TEXT NOT NULL,
  orb REAL,
  is_applying INTEGER,""",
    "session_notes": """
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL REFERENCES clients(id) ON DELETE CASCADE,
  note_date TEXT NOT NULL,
  note_content TEXT,""",
    "location_cache": """
  id TEXT PRIMARY KEY,
  city_name TEXT NOT NULL,
  state_province TEXT,
  country TEXT NOT NULL,
  latitude REAL NOT NULL,
  longitude REAL NOT NULL,
  timezone TEXT NOT NULL,
  geonames_id INTEGER UNIQUE,""",
}

_INDEXES = {
    "idx_clients_created_at": "clients(created_at)",
    "idx_clients_last_name": "clients(last_name)",
    "idx_birth_data_birth_date": "birth_data(birth_date)",
    "idx_birth_data_client_id": "birth_data(client_id)",
    "idx_charts_birth_data_id": "charts(birth_data_id)",
    "idx_charts_chart_type": "charts(chart_type)",
    "idx_charts_client_id": "charts(client_id)",
    "idx_charts_created_at": "charts(created_at)",
    "idx_chart_interpretations_chart_id": "chart_interpretations(chart_id)",
    "idx_chart_interpretations_element_type": "chart_interpretations(element_type)",
    "idx_chart_interpretations_lookup": "chart_interpretations(chart_id, element_type, element_key)",
    "idx_interpretations_key": "interpretations(key_identifier)",
    "idx_interpretations_lookup": "interpretations(interpretation_type, key_identifier)",
    "idx_interpretations_type": "interpretations(interpretation_type)",
    "idx_aspect_patterns_chart_id": "aspect_patterns(chart_id)",
    "idx_aspect_patterns_pattern_type": "aspect_patterns(pattern_type)",
    "idx_transit_events_chart_date": "transit_events(chart_id, event_date)",
    "idx_transit_events_chart_id": "transit_events(chart_id)",
    "idx_transit_events_event_date": "transit_events(event_date)",
    "idx_session_notes_client_id": "session_notes(client_id)",
    "idx_session_notes_note_date": "session_notes(note_date)",
    "idx_location_cache_city_country": "location_cache(city_name, country)",
    "idx_location_cache_geonames": "location_cache(geonames_id)",
}

_VIEWS = """
CREATE VIEW client_summary AS
  SELECT c.*,
    (SELECT count(*) FROM birth_data b WHERE b.client_id = c.id) AS birth_data_count,
    (SELECT count(*) FROM charts k WHERE k.client_id = c.id) AS chart_count
  FROM clients c;
CREATE VIEW recent_charts AS
  SELECT k.id, k.chart_name, k.chart_type, k.astro_system, k.created_at, k.last_viewed,
    c.first_name || ' ' || coalesce(c.last_name, '') AS client_name, b.birth_date, b.city
  FROM charts k
  LEFT JOIN clients c ON c.id = k.client_id
  LEFT JOIN birth_data b ON b.id = k.birth_data_id
  ORDER BY k.created_at DESC;
"""


def _trigger(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_updated_at AFTER UPDATE ON {table} FOR EACH ROW BEGIN "
        f"UPDATE {table} SET updated_at = datetime('now') WHERE id = NEW.id; END;"
    )


TABLES = "\n".join(f"CREATE TABLE {name} ({columns}{_STAMPS}\n);" for name, columns in _TABLES.items())
# created after the rows are inserted: much faster, and the result is the same
INDEXES_AND_VIEWS = "\n".join(
    [f"CREATE INDEX {name} ON {columns};" for name, columns in _INDEXES.items()]
    + [_trigger(name) for name in _TABLES]
    + [_VIEWS]
)
