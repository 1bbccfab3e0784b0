"""The two pages of a port of their own: /metrics for Prometheus, /healthz for whoever restarts us."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from twisted.web.http import Request
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request as ServerRequest
from twisted.web.server import Site


class MetricsPage(Resource):
    """The registry's numbers, made in the reactor's thread: no lock, no half-counted message."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, registry: CollectorRegistry) -> None:
        """Serve registry."""
        Resource.__init__(self)
        self._registry = registry

    def render_GET(self, request: ServerRequest) -> bytes:  # noqa: N802 - Twisted's name
        """Return the page in the format that the scraper prefers."""
        encode, content_type = choose_encoder(request.getHeader("Accept") or "")
        request.setHeader("Content-Type", content_type)
        return encode(self._registry)


class HealthPage(Resource):
    """200 while calls can be taken, 503 otherwise; also which trunks do not know us, which a restart would not help."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, healthy: Callable[[], bool], missing: Callable[[], Sequence[str]]) -> None:
        """Ask at each request whether we are healthy, and which trunks we should be registered at and are not."""
        Resource.__init__(self)
        self._healthy = healthy
        self._missing = missing

    def render_GET(self, request: ServerRequest) -> bytes:  # noqa: N802 - Twisted's name
        """Return one word and the status code that says the same, and a line for each such trunk."""
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        request.setHeader("Cache-Control", "no-store")
        if self._healthy():
            return b"ok\n" + b"".join(b"not registered: %b\n" % name.encode() for name in self._missing())
        request.setResponseCode(503)
        return b"not listening\n"


class _Root(Resource):
    """Has two children and no page of its own."""

    def __init__(self, metrics: Resource, health: Resource) -> None:
        """Serve both."""
        Resource.__init__(self)
        self.putChild(b"metrics", metrics)
        self.putChild(b"healthz", health)

    def getChild(self, path: bytes, request: ServerRequest) -> IResource:  # noqa: N802 - Twisted's name
        """Answer 404 for all that is not there."""
        return notFound()


class _QuietSite(Site):
    """Says nothing in the log: neither when it starts nor who asked."""

    noisy = False

    def __init__(self, root: Resource) -> None:
        """Serve root; who says nothing for half a minute is hung up on."""
        Site.__init__(self, root, timeout=30)

    def log(self, request: Request) -> None:
        """Write no access log."""


def site(
    registry: CollectorRegistry, healthy: Callable[[], bool], missing: Callable[[], Sequence[str]] = tuple
) -> Site:
    """Return the web site with both pages; see `HealthPage` for what they ask."""
    return _QuietSite(_Root(MetricsPage(registry), HealthPage(healthy, missing)))
