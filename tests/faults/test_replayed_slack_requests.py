"""Signed requests of Slack's that somebody captured: another replica does not carry them out again,
and neither does a new start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.use_cases.contacts import Details, add
from bot.runtime import clock
from sandbox.client import Workspace
from tests.support.balancer import free_ports
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.serving import serving
from tests.support.slack_fixtures import opened_later
from tests.support.storages import KINDS, path_in, url_of


class _Capture(BaseHTTPRequestHandler):
    """Passes a request on, and keeps it."""

    def do_POST(self) -> None:
        server: Captured = self.server  # type: ignore[assignment]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.requests.append((dict(self.headers), body))
        status, answer, kind = sent(server.port, dict(self.headers), body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class Captured(ThreadingHTTPServer):
    requests: list[tuple[dict[str, str], bytes]]
    #: Of the replica that gets them.
    port: int


@contextmanager
def capturing(port: int) -> Iterator[Captured]:
    with Captured(("127.0.0.1", 0), _Capture) as server:
        server.requests, server.port = [], port
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent(port: int, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/slack/events", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Content-Type", "")
    finally:
        connection.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_captured_note_is_stored_once(tmp_path: Path, kind: str) -> None:
    storage = path_in(tmp_path / "storage", kind)
    first, second, third = free_ports(3)
    with ExitStack() as stack:
        slack = stack.enter_context(Workspace.start(mode="http", ack_timeout=10.0))
        stack.enter_context(serving(tmp_path, slack, first, url_of(storage)))
        stack.enter_context(serving(tmp_path, slack, second, url_of(storage)))
        captured = stack.enter_context(capturing(first))
        slack.set_request_url(f"http://127.0.0.1:{captured.server_address[1]}/slack/events")
        service = open_service(storage, clock.now)
        add(service, Details(name="Dana Fox", phone="+14155550123"), OPERATOR)
        service.store.close()
        ana = slack.person("Ana")
        ana.command("/optin +14155550123")
        opened_later(ana, ana.overflow("Add a note"))
        ana.type("Note", "Called her")
        ana.submit()
        headers, body = captured.requests[-1]
        before = notes(storage)
        again = sent(second, headers, body)
        stack.enter_context(serving(tmp_path, slack, third, url_of(storage)))
        after_a_start = sent(third, headers, body)

    assert before == ["Called her"]
    assert notes(storage) == ["Called her"]
    assert again[0] == after_a_start[0] == 200
    assert b"carried out already" in again[1]


def notes(storage: Path) -> list[object]:
    service = open_service(storage, clock.now)
    with service.store.reading() as records:
        found = [entry.reason for entry in records.log.all() if entry.kind is EntryKind.NOTE]
    service.store.close()
    return found
