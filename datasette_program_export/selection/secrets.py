"""Which names mark a column as secret in any database, such as ``password``."""

from __future__ import annotations

import re

from ..database.schema import fold

# Case, blanks, hyphens, underscores and trailing digits are ignored. The setting `not_secrets` makes exceptions.
SECRET_NAMES = ("salt", "credentials", "sessionid")
SECRET_ENDINGS = (
    "password", "passwordhash", "passwd", "pwd", "pwhash", "passphrase", "hashedpassword", "passwordsalt",
    "secret", "secretkey", "apikey", "accesskey", "privatekey", "token",
)  # fmt: skip
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def sounds_secret(name: str) -> bool:
    """Return whether a column's name alone marks it as secret: ``api_key``, ``userPassword2``."""
    form = snake_case(name).replace("_", "").rstrip("0123456789")
    return form in SECRET_NAMES or form.endswith(SECRET_ENDINGS)


def snake_case(name: str) -> str:
    """Return a name in lower case, its words divided by underscores: ``api_key`` for ``apiKey``."""
    return fold(_HUMP.sub("_", name)).replace(" ", "_").replace("-", "_")
