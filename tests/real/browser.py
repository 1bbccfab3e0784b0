"""A phone in a browser: SIP.js in a headless Chromium, on pages of our own that tell what becomes of it.

    Chromium ── HTTP: pages, commands, events ── Browser ── WebPhone ── the test
       └─ WebSockets ── Sipveil

The pages and what npm shall bring are in web_phone/. A page asks for its next command and waits; what happens to it
it posts. Chromium's microphone is its own, which beeps.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.real.harness import PROXY, READY, Lab, now, program

PAGES = Path(__file__).parent / "web_phone"
LIBRARY = Path(sys.prefix) / "web-phone" / "node_modules" / "sip.js" / "lib"
"""Where scripts/test puts SIP.js."""
TYPES = {".html": "text/html", ".js": "text/javascript"}
PATIENCE = 15.0
"""Seconds to wait for something to happen to a phone."""
POLL = 20.0
"""Seconds that a page waits for a command until it asks anew."""
# Root has no sandbox. Nothing may be looked up or reached outside, nor QUIC be tried: so candidates are addresses
# rather than names that multicast DNS would ask all the network for.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--disable-features=WebRtcHideLocalIpsWithMdns", "--remote-debugging-pipe",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
Event = dict[str, Any]


class Browser:
    """A Chromium and the pages it shows."""

    def __init__(self, lab: Lab, spki: str) -> None:
        """Start it.

        Args:
            lab: what ends it.
            spki: base64 of the SHA-256 of the one key that is believed without an authority.
        """
        command = program("chromium-headless-shell", "chromium-headless-shell")
        if not (LIBRARY / "index.js").is_file():
            pytest.skip("SIP.js is not installed: scripts/test brings it where there is npm (apt-get install npm)")
        self.events: dict[str, queue.Queue[Event]] = defaultdict(queue.Queue)
        self._commands: dict[str, queue.Queue[Event]] = defaultdict(queue.Queue)
        self._server = ThreadingHTTPServer((PROXY, 0), partial(_Page, self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        lab.keep(self)
        profile = lab.folder / "chromium"
        trust = f"--ignore-certificate-errors-spki-list={spki}"
        url = f"http://{PROXY}:{self._server.server_address[1]}/desk.html"
        self._orders, answers = (_pipe(lab.folder / name) for name in ("orders", "answers"))
        self._open = [self._orders, answers]
        line = 'exec 3<orders 4>answers; exec "$@"'
        self.process = lab.start(
            "chromium", ["sh", "-c", line, "sh", command, *FLAGS, trust, f"--user-data-dir={profile}", url]
        )
        # Without leave to hear the microphone pages see but one network, and the loopback is none.
        self._order("Browser.grantPermissions", permissions=["audioCapture"])

    def _order(self, method: str, **params: Any) -> None:
        """Ask by the DevTools protocol; the few answers are nobody's concern."""
        os.write(self._orders, json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\0")

    def send(self, phone: str, **command: Any) -> None:
        """Tell a page what to do next."""
        self._commands[phone].put(command)

    def next_command(self, phone: str) -> Event | None:
        """Return what a page shall do next, None where nobody has said so for a while."""
        try:
            return self._commands[phone].get(timeout=POLL)
        except queue.Empty:
            return None

    def quit(self) -> None:
        """Let it end by itself, for Debian's Chromium is a script with many children; wait until all have gone."""
        self._order("Browser.close")
        self.process.wait(READY)

    def close(self) -> None:
        """Stop serving; whoever still runs ends when the pipes do."""
        self._server.shutdown()
        self._server.server_close()
        for end in self._open:
            os.close(end)
        self._open.clear()

    def shown(self) -> tuple[str, str]:
        """Return title and text: events that nobody has waited for."""
        lines = (f"{name}: {event}" for name, events in self.events.items() for event in list(events.queue))
        return "what pages told besides", "\n".join(lines)


def _pipe(path: Path) -> int:
    """Make a pipe with a name, and hold both its ends, so that whoever opens it waits for nobody."""
    os.mkfifo(path)
    return os.open(path, os.O_RDWR)


class _Page(BaseHTTPRequestHandler):
    """Serves a page, a command, or takes an event."""

    def __init__(self, browser: Browser, *args: Any) -> None:
        self._browser = browser
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer with a file or the next command."""
        path, phone = self._asked()
        if path == "/next":
            while (command := self._browser.next_command(phone)) is None:
                pass
            self._answer("application/json", json.dumps(command).encode())
            return
        file = LIBRARY / path.removeprefix("/sip.js/") if path.startswith("/sip.js/") else PAGES / path[1:]
        if ".." in path or not file.is_file() or file.suffix not in TYPES:
            self.send_error(404)
            return
        self._answer(TYPES[file.suffix], file.read_bytes())

    def do_POST(self) -> None:
        """Take an event."""
        _, phone = self._asked()
        self._browser.events[phone].put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer("text/plain", b"")

    def _asked(self) -> tuple[str, str]:
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query).get("phone", [""])[0]

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""


class WebPhone:
    """One phone in a frame of the browser."""

    def __init__(self, browser: Browser, name: str) -> None:
        """Open it and wait until it has loaded."""
        self.name = name
        self.wires: list[str] = []
        """What it has sent and received, as SIP.js logs it."""
        self._browser = browser
        browser.send("desk", name=name, open=True)
        self.event("loaded")

    def do(self, command: str, **what: Any) -> None:
        """Do what a function of phone.js says."""
        self._browser.send(self.name, **what, name=command)

    def event(self, *kinds: str) -> Event:
        """Return the next event of one of these kinds; those before it are forgotten."""
        end = now() + PATIENCE
        seen: list[Event] = []
        while (left := end - now()) > 0:
            try:
                event = self._browser.events[self.name].get(timeout=left)
            except queue.Empty:
                break
            if event["kind"] in ("wire", "log"):
                self.wires.append(event["text"])
            if event["kind"] in kinds:
                return event
            seen.append(event)
        pytest.fail(f"{self.name} had no event {kinds} within {PATIENCE:.0f} s, but {_told(seen)}")

    def close(self) -> None:
        """Take it off the desk."""
        self._browser.send("desk", name=self.name, open=False)


def _told(events: Iterable[Event]) -> str:
    return "\n".join(str(each) if each["kind"] != "wire" else each["text"] for each in events)
