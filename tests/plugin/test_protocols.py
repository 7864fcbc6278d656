"""What ``plugin/host/protocols.py`` promises of Datasette, held against the Datasette that is installed."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from datasette.app import Datasette
from datasette.utils import MultiParams
from datasette.utils.asgi import Request

from datasette_program_export.plugin import host
from datasette_program_export.plugin.host import protocols


async def nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def subject(name: str) -> Any:
    """An object of Datasette's for a protocol."""
    datasette = Datasette(memory=True)
    await datasette.invoke_startup()
    database = datasette.add_memory_database("protocols")
    await database.execute_write("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY)")
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"a=1", "headers": []}
    return {
        "Datasette": datasette,
        "Datasette0": datasette,
        "Datasette1": datasette,
        "Database": database,
        "Database1": database,
        "ColumnDetails": (await database.table_column_details("t"))[0],
        "Urls": datasette.urls,
        "HttpRequest": Request(scope, nothing),
        "Args": MultiParams({"a": ["1"]}),
    }[name]


COMMON = ["Datasette", "Database", "ColumnDetails", "Urls", "HttpRequest", "Args"]


@pytest.mark.parametrize("name", [*COMMON, *(["Datasette1", "Database1"] if host.V1 else ["Datasette0"])])
async def test_datasette_has_what_the_protocols_promise(name: str) -> None:
    protocol, found = getattr(protocols, name), await subject(name)
    members = vars(protocol).keys() - {"__protocol_attrs__", "__init__", "__subclasshook__"}
    promised = {m for m in members if not m.startswith("__") or m in ("__contains__", "__iter__", "__getitem__")}
    promised = {m for m in promised if not m.startswith("_abc") and m not in ("_is_protocol", "_is_runtime_protocol")}
    promised |= protocol.__annotations__.keys()
    assert promised
    for member in promised:
        assert hasattr(found, member), member
        declared = inspect.getattr_static(protocol, member, None)
        if inspect.isfunction(declared):
            check_call(declared, getattr(found, member))


def check_call(promised: Any, real: Any) -> None:
    """Each call that the promise allows is one that the real function takes."""
    assert inspect.iscoroutinefunction(promised) == inspect.iscoroutinefunction(real), promised
    wanted = list(inspect.signature(promised).parameters.values())[1:]
    has = inspect.signature(real).parameters
    by_name = {p.name: p for p in wanted if p.kind is not p.POSITIONAL_ONLY}
    assert by_name.keys() <= has.keys(), promised
    required = [p.name for p in has.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    assert len([p for p in wanted if p.default is p.empty]) >= len(required), promised
    for name, parameter in by_name.items():
        if parameter.default is not parameter.empty:
            assert has[name].default == parameter.default, (promised, name)
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            assert list(has).index(name) == wanted.index(parameter), (promised, name)


@pytest.mark.skipif(not host.V1, reason="of Datasette 1.0")
async def test_the_answers_of_1_0_have_what_the_protocols_promise() -> None:
    datasette = await subject("Datasette")
    await datasette.refresh_schemas(force=True)
    page = await datasette.allowed_resources("view-table", None, parent="protocols", limit=10)
    assert [resource.child async for resource in page.all()] == ["t"]
    from datasette.stored_queries import StoredQuery

    assert protocols.NamedQuery.__annotations__.keys() <= StoredQuery.__annotations__.keys()
