"""The tools for datasette-mcp, called over HTTP as its clients do; with the real package, where it is installed."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.sites.imports import CSV
from tests.support.sites.jobs import keeping
from tests.support.sites.server import running

pytest.importorskip("datasette_mcp", reason="datasette-mcp is not installed")


class Client:
    """Calls tools of a running site."""

    def __init__(self, port: int, who: str | None) -> None:
        self._url = f"http://127.0.0.1:{port}/-/mcp"
        self._headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        self._headers |= {"authorization": f"Bearer {who}"} if who else {}
        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        self._send("initialize", about, id=1)
        self._send("notifications/initialized", {})

    def _send(self, method: str, params: dict[str, Any], **more: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        with urllib.request.urlopen(urllib.request.Request(self._url, body, self._headers), timeout=30) as answer:
            if answer.headers.get("mcp-session-id"):
                self._headers["mcp-session-id"] = answer.headers["mcp-session-id"]
            return json.loads(answer.read() or b"null")

    def tools(self) -> set[str]:
        return {tool["name"] for tool in self._send("tools/list", {}, id=2)["result"]["tools"]}

    def call(self, tool: str, **arguments: Any) -> tuple[bool, Any]:
        """Whether it failed, and what it said."""
        result = self._send("tools/call", {"name": tool, "arguments": arguments}, id=3)["result"]
        text = result["content"][0]["text"]
        return bool(result.get("isError")), text if result.get("isError") else json.loads(text)


async def test_tools_answer_as_the_doors_do_and_with_no_rows(demo: Path, tmp_path: Path) -> None:
    plugin = {"allow_verify": {"id": "root"}, "allow": {"id": "root"}}
    with keeping(tmp_path / "jobs", demo, root=True, plugin=plugin) as ds, running(ds) as server:
        await asyncio.to_thread(_called, server.port)


def _called(port: int) -> None:
    root, nobody = Client(port, "root"), Client(port, None)
    assert {"plan_export", "start_export", "verify_file", "preview_import"} <= root.tools()
    failed, plan = root.call("plan_export", database="practice", table="clients")
    assert not failed and plan["complete"] and {"table", "belongs"} <= plan["tables"][0].keys(), plan
    failed, job = root.call("start_export", database="practice", table="clients", options={"_export_format": "csv"})
    assert not failed and job["links"]["page"].startswith("/-/program-export/jobs/"), job
    file = {"name": "a.csv", "content_base64": base64.b64encode(CSV).decode()}
    failed, report = root.call("verify_file", **file)
    assert (failed, report["status"]) == (False, "unknown"), report
    options = {"table": "clients", "on_conflict": "update"}
    failed, seen = root.call("preview_import", database="practice", options=options, **file)
    assert not failed and seen["tables"]["clients"]["update"] == 1, seen
    assert "Ann" not in str((plan, job, report, seen))
    for tool, arguments in (
        ("plan_export", {"database": "practice", "table": "clients"}),
        ("start_export", {"database": "practice", "table": "clients"}),
        ("verify_file", file),
        ("preview_import", {"database": "practice", **file}),
        ("plan_export", {"database": "practice", "table": "clients", "record": "../x"}),
    ):
        failed, said = nobody.call(tool, **arguments)
        assert failed and "Ann" not in str(said), (tool, said)
