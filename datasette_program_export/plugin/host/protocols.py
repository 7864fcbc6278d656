"""Protocols for the parts of Datasette that the plugin uses, so that mypy checks each call.

``Datasette`` has what both lines share, ``Datasette0`` and ``Datasette1`` the rest. Datasette's own
classes have no types to check against. A test compares these protocols with the installed
Datasette, so that they promise nothing that it does not have.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar, cast

Done = TypeVar("Done")
Actor = dict[str, Any] | None  # the signed-in actor, as the site's plugins describe it; None if nobody is signed in
Resource0 = str | tuple[str, str]  # a database, or a database and a table or query
Wanted0 = Sequence[str | tuple[str, Resource0]]  # permissions, alone or with a resource
Scope = MutableMapping[str, Any]  # the terms of ASGI (https://asgi.readthedocs.io)
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Later = Callable[[], Awaitable[Done]]  # the result of a hook, which Datasette awaits when it needs it
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Args(Protocol):
    """The parameters of a query string; each may be given several times."""

    def __contains__(self, key: str, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __getitem__(self, key: str, /) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None: ...
    def getlist(self, name: str) -> list[str]: ...


class HttpRequest(Protocol):
    """An HTTP request."""

    scope: Scope
    receive: Receive

    def __init__(self, scope: Scope, receive: Receive) -> None: ...
    @property
    def method(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query_string(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def args(self) -> Args: ...
    @property
    def url_vars(self) -> Mapping[str, str]: ...
    @property
    def actor(self) -> Actor: ...
    async def post_body(self) -> bytes: ...


class ColumnDetails(Protocol):
    """A column as ``PRAGMA table_info`` describes it; ``is_pk`` is its position in the primary key, from 1."""

    name: str
    type: str
    is_pk: int


class Database(Protocol):
    """A database that Datasette serves; ``path`` is None for a database in memory."""

    name: str
    path: str | None
    is_mutable: bool

    def connect(self) -> Any: ...
    async def execute(self, sql: str) -> Rows: ...
    async def table_names(self) -> list[str]: ...
    async def view_names(self) -> list[str]: ...
    async def primary_keys(self, table: str) -> list[str]: ...
    async def table_column_details(self, table: str) -> Sequence[ColumnDetails]: ...
    async def execute_write_fn(self, fn: Callable[[Any], Done]) -> Done: ...


class Urls(Protocol):
    """URLs within the site; each is a string that already has the site's prefix."""

    def path(self, path: str) -> str: ...
    def database(self, database: str) -> str: ...
    def table(self, database: str, table: str) -> str: ...
    def row(self, database: str, table: str, row_path: str) -> str: ...
    def static_plugins(self, plugin: str, path: str) -> str: ...


class Datasette(Protocol):
    """The site: the attributes and methods that both lines have."""

    INFO: int
    ERROR: int
    databases: Mapping[str, Database]
    cors: bool
    nolock: bool

    @property
    def urls(self) -> Urls: ...
    def get_database(self, name: str | None = None, route: str | None = None) -> Database: ...
    def plugin_config(self, plugin_name: str, database: str | None = None, *, fallback: bool = True) -> Any: ...
    def setting(self, key: str) -> Any: ...
    def add_message(self, request: HttpRequest, message: str, type: int = 1) -> None: ...
    def absolute_url(self, request: HttpRequest, path: str) -> str: ...
    def _prepare_connection(self, conn: Any, database: str) -> None: ...
    async def render_template(self, templates: str, context: Mapping[str, Any], request: HttpRequest) -> str: ...


class ColumnType(Protocol):
    """The type that 1.0 has assigned to a column."""

    name: str


class NamedQuery(Protocol):
    """A stored query."""

    sql: str
    parameters: Sequence[str]
    is_trusted: bool
    is_write: bool


class NamedResource(Protocol):
    """The resource of a permission; ``child`` is its name in its database."""

    child: str


class Page(Protocol):
    """A paginated list of resources."""

    def all(self) -> AsyncIterator[NamedResource]: ...


class Database1(Database, Protocol):
    """A database on 1.0."""

    async def execute_write_fn(self, fn: Callable[[Any], Done], *, transaction: bool = True) -> Done: ...


class Rows(Protocol):
    """The result of a statement."""

    rows: Sequence[Sequence[Any]]


class InternalDatabase(Protocol):
    """The database in which 1.0 keeps what it knows of the others."""

    async def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any]) -> Rows: ...


class Datasette1(Datasette, Protocol):
    """The site on 1.0."""

    config: Mapping[str, Any] | None
    default_deny: bool

    def get_internal_database(self) -> InternalDatabase: ...
    async def refresh_schemas(self, *, force: bool = False) -> None: ...
    async def allowed(self, *, action: str, resource: Any = None, actor: Actor = None) -> bool: ...
    async def allowed_resources(
        self, action: str, actor: Actor = None, *, parent: str | None = None, limit: int = 100
    ) -> Page: ...
    async def get_query(self, database: str, name: str) -> NamedQuery | None: ...
    async def get_column_types(self, database: str, resource: str) -> Mapping[str, ColumnType]: ...
    async def table_config(self, database: str, table: str) -> dict[str, Any]: ...
    def static(self, path: str, plugin: str | None = None) -> str: ...
    async def track_event(self, event: Any) -> None: ...


class Datasette0(Datasette, Protocol):
    """The site on 0.x."""

    _metadata_local: Mapping[str, Any] | None

    async def permission_allowed(
        self, actor: Actor, action: str, resource: Resource0 | None = None, default: bool | None = False
    ) -> bool | None: ...
    async def check_visibility(self, actor: Actor, *, permissions: Wanted0) -> tuple[bool, bool]: ...
    async def get_canned_query(self, database_name: str, query_name: str, actor: Actor) -> Mapping[str, Any] | None: ...
    def table_metadata(self, database: str, table: str) -> dict[str, Any]: ...
    def metadata(self, key: str | None = None) -> Any: ...


def on_1(datasette: Datasette) -> Datasette1:
    """Return the site typed for 1.0; call this only if ``V1`` is True."""
    return cast(Datasette1, datasette)


def on_0(datasette: Datasette) -> Datasette0:
    """Return the site typed for 0.x; call this only if ``V1`` is False."""
    return cast(Datasette0, datasette)


def database_on_1(database: Database) -> Database1:
    """Return a database typed for 1.0; call this only if ``V1`` is True."""
    return cast(Database1, database)
