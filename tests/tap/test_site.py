"""The two pages, over real HTTP."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any

import pytest_twisted
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector
from twisted.internet import reactor as _reactor
from twisted.internet.threads import deferToThread

from tap.site import site

reactor: Any = _reactor


async def get(port: int, path: str, accept: str = "*/*") -> tuple[int, str, str]:
    """Return status, content type and body of a page."""

    def ask() -> tuple[int, str, str]:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path, headers={"Accept": accept})
        response = connection.getresponse()
        found = response.status, response.getheader("Content-Type", ""), response.read().decode()
        connection.close()
        return found

    return await deferToThread(ask)


class _Broken(Collector):
    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> list[Metric]:
        raise ValueError("sip:+15550142@example.net")


class Served:
    """The site on a port of its own, health as the test sets it."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.healthy = True
        self.missing: list[str] = []
        pages = site(registry or CollectorRegistry(), lambda: self.healthy, lambda: self.missing)
        self._port = reactor.listenTCP(0, pages, interface="127.0.0.1")
        self.port: int = self._port.getHost().port

    async def close(self) -> None:
        await self._port.stopListening()


@pytest_twisted.ensureDeferred
async def test_health_says_ok_or_503() -> None:
    """What an orchestrator asks before it restarts us."""
    served = Served()
    assert await get(served.port, "/healthz") == (200, "text/plain; charset=utf-8", "ok\n")
    served.missing = ["carrier", "second"]
    assert (await get(served.port, "/healthz"))[::2] == (200, "ok\nnot registered: carrier\nnot registered: second\n")
    served.healthy = False
    assert (await get(served.port, "/healthz"))[0] == 503
    await served.close()


@pytest_twisted.ensureDeferred
async def test_metrics_in_the_format_that_is_asked_for() -> None:
    """Prometheus' text by default, OpenMetrics on request."""
    served = Served()
    status, kind, _ = await get(served.port, "/metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    _, kind, body = await get(served.port, "/metrics", "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith("# EOF\n")
    await served.close()


@pytest_twisted.ensureDeferred
async def test_nothing_else_is_served() -> None:
    """No index, no other page, and no page that quotes what was asked for."""
    served = Served()
    for path in ("/", "/metrics.txt", "/%3Cscript%3E"):
        status, _, body = await get(served.port, path)
        assert status == 404
        assert "script" not in body
    await served.close()


@pytest_twisted.ensureDeferred
async def test_failing_page_tells_nothing() -> None:
    """A number that cannot be read is a 500 without traceback or text."""
    registry = CollectorRegistry()
    registry.register(_Broken())
    served = Served(registry)
    status, _, body = await get(served.port, "/metrics")
    assert status == 500
    assert "5550142" not in body
    await served.close()
