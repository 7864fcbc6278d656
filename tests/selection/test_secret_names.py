"""Which names are secret, and which only look like it: names that programs really use, each with its origin."""

from __future__ import annotations

import pytest

from datasette_program_export import Settings
from datasette_program_export.database.schema import Column, affinity
from datasette_program_export.selection.secrets import sounds_secret
from tests.support.databases.building import database, document

SECRET = {
    "Rails": ["password_digest", "remember_token", "reset_token_digest", "activation_token_digest"],
    "Devise": ["encrypted_password", "reset_password_token", "encrypted_otp_secret_salt", "otp_backup_codes"],
    "WordPress": ["user_pass", "user_activation_key"],
    "Drupal": ["pass"],
    "Django": ["session_key", "password"],
    "Laravel": ["two_factor_recovery_codes", "two_factor_secret"],
    "PocketBase": ["tokenKey", "passwordHash"],
    "Grafana": ["salt", "rands", "secure_json_data"],
    "Gitea": ["passwd", "token_hash", "token_salt", "private_key_pem"],
    "Flask": ["password_hash", "session_token"],
    "OAuth": ["access_token", "refresh_token", "refreshToken", "access_tokens", "client_secret", "id_token"],
    "Stripe": ["webhook_secret", "stripe_api_key"],
    "AWS": ["aws_secret_access_key", "AWS_ACCESS_KEY"],
    "OpenAI": ["OPENAI_API_KEY", "api_key_hash", "api_keys"],
    "Chrome": ["password_value"],
    "Telegram": ["auth_key"],
    "WhatsApp": ["private_key", "client-auth-key"],
    "mail": ["smtp_pass", "smtpPass", "imap_pass", "pass_hash"],
    "two factors": ["otp", "user_otp", "otp_secret", "totp", "recovery_codes", "recoveryCode", "backup_codes"],
    "keys": ["ssh_private_key", "privkey", "signing_key", "encryption_key", "jwt", "user_jwt"],
    "cards": ["pin", "PIN", "pin_code", "passcode"],
    "German": ["passwort", "Passwort_Hash", "kennwort"],
    "Spanish": ["contraseña", "CONTRASEÑA", "contrasen\u0303a", "contrasena"],
    "French": ["motdepasse", "mot_de_passe"],
    "Portuguese": ["senha", "senha_hash"],
    "Dutch": ["wachtwoord"],
    "Northern": ["passord", "lösenord", "adgangskode", "salasana"],
    "Eastern": ["hasło", "heslo", "пароль", "密码", "パスワード", "비밀번호"],
    "encrypted files": ["media_key", "mediaKey"],
    "older": ["password_md5", "password_sha256", "password_encrypted", "password2", "pwd", "pw_hash"],
    "crypt": ["password_bcrypt", "password_crypt"],
    "web": ["session_id", "sessionid", "csrf_token", "user password"],
    "unclear": ["page_token", "sync_token"],
}
OPEN = {
    "yes or no": ["has_password", "hasPassword", "is_secret", "is_token", "needs_otp", "show_password", "requires_otp"],
    "about": ["password_required", "password_length", "secret_name", "token_type", "api_key_id"],
    "dates": ["password_changed_at", "token_expires_at", "token_expires", "otp_sent_at", "session_key_expires"],
    "counts": ["token_count", "tokens", "input_tokens", "max_tokens", "password_count"],
    "page marks": ["next_page_token", "nextPageToken", "prev_page_token", "continuation_token"],
    "passes": ["compass", "bypass", "boarding_pass", "season_pass", "low_pass", "passed", "passes", "passport"],
    "pins": ["pin1", "pin_number", "pinned", "spin", "opinion", "shipping"],
    "words": ["secretary", "keyboard", "passworded", "resenha", "basalt", "salted", "cobalt", "notpresent", "laptop"],
    "keys": ["key", "public_key", "primary_key", "author_key", "foreign_key", "private_key_path", "key_hash"],
    "hashes": ["hash", "file_hash", "sha256", "digest", "encrypted", "message_digest"],
    "sessions": ["session", "class_session_id", "sessions", "session_date"],
    "codes": ["code", "zip_code", "backup_code_count", "qr_code"],
    "plain": ["id", "name", "email", "author", "authority", "credential_id"],
}
DECLARED = [
    ("password", "BOOLEAN", False), ("api_key", "bool", False), ("password", "TEXT", True), ("pin", "INTEGER", True),
    ("session_id", "INTEGER", False), ("SessionId", "bigint", False), ("session_id", "VARCHAR(40)", True),
    ("session_key", "INT", False), ("session_key", "varchar(40)", True), ("session_token", "INTEGER", True),
    ("pass", "INTEGER", False), ("first_pass", "INTEGER", False), ("pass", "varchar(128)", True),
    ("otp", "INTEGER", True),
]  # fmt: skip


def by_origin(names: dict[str, list[str]]) -> list[object]:
    return [pytest.param(name, id=f"{origin}-{name}") for origin, found in names.items() for name in found]


@pytest.mark.parametrize("name", by_origin(SECRET))
def test_it_is_secret(name: str) -> None:
    assert sounds_secret(Column(name, "", "BLOB"))


@pytest.mark.parametrize("name", by_origin(OPEN))
def test_it_is_not_secret(name: str) -> None:
    assert not sounds_secret(Column(name, "TEXT", "TEXT"))


@pytest.mark.parametrize(("name", "declared", "secret"), DECLARED)
def test_the_declared_type_tells_too(name: str, declared: str, secret: bool) -> None:
    assert sounds_secret(Column(name, declared, affinity(declared))) is secret


IN_TABLES = [
    ("authtoken_token", "key VARCHAR(40) PRIMARY KEY", True),  # Django REST framework
    ("api_key", "key VARCHAR(190)", True),  # Grafana
    ("ApiKeys", "Value TEXT", True),
    ("user_recovery_codes", "code TEXT", True),
    ("oauth_access_tokens", "digest BLOB", True),
    ("secrets", "value TEXT", True),
    ("passwords", "hash TEXT", True),
    ("api_keys", "name TEXT", False),
    ("api_keys", "key INTEGER", False),
    ("api_keys", "key BOOLEAN", False),
    ("api_keys", "value TEXT REFERENCES owners", False),
    ("tokens", "value TEXT", False),  # of words
    ("design_tokens", "value TEXT", False),
    ("settings", "key TEXT", False),
    ("primary_keys", "key TEXT", False),
    ("countries", "code TEXT", False),
    ("secretaries", "code TEXT", False),
    ("files", "hash TEXT", False),
]


@pytest.mark.parametrize(("table", "column", "secret"), IN_TABLES)
def test_the_name_of_the_table_tells_what_its_key_is(table: str, column: str, secret: bool) -> None:
    canary = "'42'"
    connection = database(
        None,
        "CREATE TABLE owners (id TEXT PRIMARY KEY)",
        "INSERT INTO owners VALUES ('42')",
        f"CREATE TABLE {table} (n INTEGER, {column})",
        f"INSERT INTO {table} VALUES (1, {canary})",
    )
    (row,) = document(connection, table)["tables"][table]
    name = column.split()[0]
    assert (name not in row) is secret
    taken_back = Settings(not_secrets={table: [name]})
    assert name in document(connection, table, settings=taken_back)["tables"][table][0]


CLINIC = (
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, held_on TEXT)",
    "INSERT INTO sessions VALUES ('s1', '2024-05-01')",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, session_id TEXT{}, body TEXT)",
    "INSERT INTO notes VALUES (1, 's1', 'well')",
)


def columns_of_notes(refers: str, settings: Settings | None = None) -> set[str]:
    connection = database(None, *(sql.format(refers) for sql in CLINIC))
    (row,) = document(connection, "notes", settings=settings or Settings())["tables"]["notes"]
    return set(row)


def test_a_reference_to_the_sessions_of_a_clinic_is_not_secret() -> None:
    assert columns_of_notes(" REFERENCES sessions") == {"id", "session_id", "body"}
    key = {"table": "notes", "columns": ["session_id"], "other_table": "sessions", "other_columns": ["id"]}
    settings = Settings.model_validate({"virtual_foreign_keys": [key]})
    assert columns_of_notes("", settings) == {"id", "session_id", "body"}


@pytest.mark.parametrize("refers", ["", " REFERENCES nowhere"])
def test_a_session_that_refers_to_nothing_is_secret(refers: str) -> None:
    assert columns_of_notes(refers) == {"id", "body"}


def test_a_reference_to_a_secret_is_secret_whatever_its_name() -> None:
    connection = database(
        None,
        "CREATE TABLE sessions (session_id TEXT PRIMARY KEY, user TEXT)",
        "INSERT INTO sessions VALUES ('cookie', 'ada')",
        "CREATE TABLE visits (id INTEGER PRIMARY KEY, session_id TEXT REFERENCES sessions)",
        "INSERT INTO visits VALUES (1, 'cookie')",
    )
    assert document(connection, "visits")["tables"]["visits"] == [{"id": 1}]


def test_secret_in_the_settings_wins_over_a_declared_type() -> None:
    settings = Settings(secrets={"notes": ["session_id"]})
    assert columns_of_notes(" REFERENCES sessions", settings) == {"id", "body"}
