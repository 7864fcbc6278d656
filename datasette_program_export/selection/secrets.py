"""The secret columns of a database: those that settings name, and those whose names sound secret: ``password``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from ..database.schema import Column, ForeignKey, Schema, Table, fold
from ..errors import SettingsError
from ..options.preset import Preset
from ..options.settings import Settings
from .secret_paths import Path

PARTLY = "a part of it is named as secret"
# Case, blanks, hyphens, underscores and trailing digits are ignored. The setting `not_secrets` makes exceptions.
SECRET_NAMES = ("salt", "rands", "credentials", "pin_code", "pin_hash", "session_id")
# Only without trailing digits: `pin1` and `pin2` are the pins of a board.
SECRET_WITHOUT_DIGITS = ("pin",)
SECRET_ENDINGS = (
    "password", "passwords", "password_value", "passwd", "pwd", "pw_hash", "passphrase", "passcode",
    "user_pass", "db_pass", "smtp_pass",
    "passwort", "kennwort", "contraseña", "contrasena", "mot_de_passe", "wachtwoord",
    "passord", "lösenord", "losenord", "adgangskode", "salasana", "hasło", "heslo",
    "пароль", "密码", "密碼", "パスワード", "비밀번호",
    "secret", "secret_key", "token", "token_key", "access_tokens", "refresh_tokens", "jwt",
    "api_key", "api_keys", "access_key", "auth_key", "session_key", "activation_key", "otp_key",
    "private_key", "private_key_pem", "private_pem", "priv_key", "signing_key", "encryption_key",
    "media_key", "secure_json_data",
    "recovery_code", "recovery_codes", "backup_code", "backup_codes",
)  # fmt: skip
# Only as a word of its own: `smtp_pass`, but not `compass`.
SECRET_LAST_WORDS = ("pass", "senha", "otp", "totp", "hotp")
# What is made from a secret, or belongs to it, can help to guess it: `token_hash`.
MADE_FROM_SECRETS = ("hashed", "hash", "digest", "encrypted", "bcrypt", "crypt", "salt", "md5", "sha256")

# The one purpose of a table whose name ends so, also in the plural, is a secret: its `key` is one, too.
SECRET_TABLES = (
    "auth_token", "authtoken", "access_token", "refresh_token", "api_token", "session_token", "reset_token",
    "verification_token", "api_key", "access_key", "private_key", "password", "secret", "recovery_code", "backup_code",
)  # fmt: skip
PLAIN_IN_SECRET_TABLES = ("key", "value", "code", "hash", "digest")

# The first word of a yes or no: `has_password`.
YES_OR_NO = ("has", "is", "needs", "requires", "must", "show")
ORDINARY_ENDINGS = (
    "next_page_token", "previous_page_token", "prev_page_token", "continuation_token",
    "boarding_pass", "day_pass", "season_pass", "ski_pass", "low_pass", "high_pass", "band_pass",
)  # fmt: skip
# As integers, or as references to a table, these number the sessions of a clinic or a school.
SESSIONS = ("session_id", "session_key")

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DIGITS = "0123456789"


def sounds_secret(column: Column, refers: bool = False) -> bool:
    """Return whether a column's name marks it as secret: ``api_key``, ``userPassword2``.

    ``refers`` tells whether the column refers to another table."""
    name = snake_case(unicodedata.normalize("NFKC", column.name)).casefold()
    words = name.rstrip(_DIGITS + "_")
    form, integer = _joined(words), column.affinity == "INTEGER"
    if "BOOL" in column.type.upper() or words.partition("_")[0] in YES_OR_NO or form.endswith(_ORDINARY):
        return False
    if form in _SESSIONS and (refers or integer):
        return False
    if name in SECRET_WITHOUT_DIGITS:
        return True
    return any(_is_secret(w, integer) for w in (words, _source(words)))


def is_plain_secret(table: Table, column: Column, refers: bool = False) -> bool:
    """Return whether a column with an ordinary name holds the secret that its table is for: ``api_keys.key``."""
    words = snake_case(table.name).rstrip(_DIGITS + "_").removesuffix("s")
    if table.kind != "table" or not any(_joined(part).endswith(_TABLES) for part in (words, _without_repeated(words))):
        return False
    plain = snake_case(column.name) in PLAIN_IN_SECRET_TABLES
    return plain and not refers and column.affinity in ("TEXT", "BLOB") and "BOOL" not in column.type.upper()


def _without_repeated(words: str) -> str:
    """Return a table's name without the end that Django repeats: ``authtoken`` for ``authtoken_token``."""
    first, _, last = words.rpartition("_")
    return first if first.endswith(last) else words


def snake_case(name: str) -> str:
    """Return a name in lower case, its words divided by underscores: ``api_key`` for ``apiKey``."""
    return fold(_HUMP.sub("_", name)).replace(" ", "_").replace("-", "_")


def _is_secret(words: str, integer: bool) -> bool:
    form, last = _joined(words), words.rpartition("_")[2]
    if form in _NAMES or form.endswith(_ENDINGS):
        return True
    # as an integer, `pass` counts passes, or is a yes or no
    return last in SECRET_LAST_WORDS and not (last == "pass" and integer)


def _source(words: str) -> str:
    """Return the name of what a column was made from: ``api_key`` for ``api_key_hash``."""
    for ending in _MADE:
        if words.endswith(ending):
            return words.removesuffix(ending).rstrip("_")
    return words


def _joined(words: str) -> str:
    return words.replace("_", "")


_NAMES, _SESSIONS = frozenset(map(_joined, SECRET_NAMES)), frozenset(map(_joined, SESSIONS))
_TABLES = tuple(map(_joined, SECRET_TABLES))
_ENDINGS, _ORDINARY = tuple(map(_joined, SECRET_ENDINGS)), tuple(map(_joined, ORDINARY_ENDINGS))
_MADE = tuple(word.rstrip(_DIGITS) for word in MADE_FROM_SECRETS)  # a name has lost its last digits too


def secret_columns(
    schema: Schema, settings: Settings, preset: Preset | None, edges: Sequence[ForeignKey]
) -> dict[str, dict[str, str]]:
    """Return the secret columns of every table that has any, each with the reason."""
    found: dict[str, dict[str, str]] = {}
    referring = {(e.table, column) for e in edges if not e.problem for column in e.columns}
    for table in schema.values():
        taken_back = columns_named(table, settings.not_secrets)
        named = _whole_columns(table, settings) | (
            columns_named(table, preset.secrets, strict=False) if preset else set()
        )
        found[table.name] = {
            c.name: "named as secret" if c.name in named else "its name sounds like a secret"
            for c in table.columns
            if c.name in named or (c.name not in taken_back and sounds_secret(c, (table.name, c.name) in referring))
        }
        for c in table.columns:
            if c.name not in taken_back and is_plain_secret(table, c, (table.name, c.name) in referring):
                found[table.name].setdefault(c.name, "its table's name sounds like a secret")
        for column in _paths_named(table, settings.secrets):
            found[table.name].setdefault(column, PARTLY)
    more = True
    while more:  # a column that refers to a secret column holds the same values
        more = False
        for edge in edges:
            for own, other in zip(edge.columns, edge.other_columns):
                if other in found.get(edge.other_table, {}) and own not in found[edge.table]:
                    found[edge.table][own] = f"it refers to the secret {edge.other_table}.{other}"
                    more = True
    for table in schema.values():
        if secrets := found[table.name]:
            # a generated column's expression may use a secret column; no PRAGMA lists the columns it uses
            taken_back = columns_named(table, settings.not_secrets)
            computed = [c.name for c in table.columns if c.generated and c.name not in taken_back]
            for column in computed:
                secrets.setdefault(column, "computed in a table that holds a secret")
    return {name: secrets for name, secrets in found.items() if secrets}


def secret_paths(table: Table, settings: Settings, secrets: Mapping[str, str]) -> dict[str, tuple[Path, ...]]:
    """Return the paths in JSON columns that the setting ``secrets`` names, by column.

    ``secrets`` are the table's secret columns. A column that is secret as a whole is not among the result, nor is one
    that cannot be written without the paths: a part of the key, a generated column, a column of a view."""
    if table.kind != "table":
        return {}
    whole = {c.name for c in table.columns if c.generated} | set(table.pk)
    named = _paths_named(table, settings.secrets)
    return {c: tuple(paths) for c, paths in named.items() if secrets.get(c) == PARTLY and c not in whole}


def _whole_columns(table: Table, settings: Settings) -> set[str]:
    named = {name: [c for c in columns if not _path(table, c)[1]] for name, columns in settings.secrets.items()}
    return columns_named(table, named)


def _paths_named(table: Table, columns_by_table: dict[str, list[str]]) -> dict[str, list[Path]]:
    """Return the paths among the named columns: ``data.login.password`` where there is a column ``data``."""
    found: dict[str, list[Path]] = {}
    for name, columns in columns_by_table.items():
        for column, path in (_path(table, c) for c in columns if fold(name) == fold(table.name)):
            if path:
                found.setdefault(column, []).append(path)
    return found


def _path(table: Table, name: str) -> tuple[str, Path]:
    """Return column and path of a name; an empty path if it is a column's name, or that of none."""
    if table.column(name) is None:
        for at in (i for i in range(len(name) - 1, 0, -1) if name[i] == "."):
            column, path = table.column(name[:at]), tuple(name[at + 1 :].split("."))
            if column is not None and all(path):
                return column.name, path
    return name, ()


def columns_named(table: Table, columns_by_table: dict[str, list[str]], strict: bool = True) -> set[str]:
    """Return the table's columns that ``columns_by_table`` names.

    Raises SettingsError for a column that does not exist, unless ``strict`` is false: a preset covers many
    versions of an application's database, so it may name columns that this one lacks."""
    found = set()
    for name, columns in columns_by_table.items():
        if fold(name) == fold(table.name):
            for column in columns:
                known = table.column(column)
                if known is None and not strict:
                    continue
                if known is None:
                    raise SettingsError(f"{table.name} has no column {column}, which the settings name")
                found.add(known.name)
    return found
