"""Files that Slack's answer leads to elsewhere, or that change while they are fetched."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from handlers.slack.uploaded_file import Unfetched, fetch

USER = "U0ANA"
CONTENT = b"Phone\n+12125550177\n"
MOST = 1_000


class _Handler(BaseHTTPRequestHandler):
    server: Files

    def do_POST(self) -> None:
        """files.info."""
        about = {"id": "F1", "user": USER, "name": "list.csv", "filetype": "csv"}
        about |= {"created": int(datetime.now(UTC).timestamp()), "size": len(CONTENT)}
        about["url_private_download"] = f"{self.server.url}/file"
        self._answer(200, json.dumps({"ok": True, "file": about | self.server.about}).encode())

    def do_GET(self) -> None:
        self.server.fetched.append(self.headers.get("Authorization"))
        if self.server.leads_to:
            self._answer(302, b"", Location=self.server.leads_to)
        else:
            self._answer(200, self.server.content, **self.server.headers)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Files(ThreadingHTTPServer):
    """An API with one file."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        #: What files.info says beside what is right.
        self.about: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.content = CONTENT
        self.leads_to = ""
        #: With which token each download came.
        self.fetched: list[str | None] = []
        #: Where the newest download goes.
        self.into = io.BytesIO()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fetch(self) -> bytes:
        client = WebClient(token="xoxb-secret", base_url=f"{self.url}/api/", timeout=10)
        self.into = io.BytesIO()
        fetch(client, "F1", USER, self.into, most=MOST, now=datetime.now(UTC))
        return self.into.getvalue()


@contextmanager
def files() -> Iterator[Files]:
    with Files() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def slack() -> Iterator[Files]:
    with files() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Files]:
    with files() as server:
        yield server


def test_a_file_at_slack_is_fetched_with_the_token(slack: Files) -> None:
    assert slack.fetch() == CONTENT
    assert slack.fetched == ["Bearer xoxb-secret"]


def test_a_link_to_another_host_is_not_followed(slack: Files, elsewhere: Files) -> None:
    for url in (
        f"{elsewhere.url}/file",
        f"http://127.0.0.1:{slack.server_port}@127.0.0.1:{elsewhere.server_port}/file",
        f"//127.0.0.1:{elsewhere.server_port}/file",
        "file:///etc/hostname",
    ):
        slack.about["url_private_download"] = url
        with pytest.raises(Unfetched):
            slack.fetch()

    assert elsewhere.fetched == slack.fetched == []


def test_a_redirect_is_not_followed(slack: Files, elsewhere: Files) -> None:
    slack.leads_to = f"{elsewhere.url}/file"
    with pytest.raises(Unfetched):
        slack.fetch()

    assert len(slack.fetched) == 1
    assert elsewhere.fetched == []


def test_a_file_that_says_it_is_huge_is_not_fetched(slack: Files) -> None:
    slack.about["size"] = 10**15
    with pytest.raises(Invalid, match="larger"):
        slack.fetch()

    assert slack.fetched == []


def test_a_download_of_huge_length_is_cut_off(slack: Files) -> None:
    slack.headers["Content_Length"] = str(10**15)
    slack.content = bytes(10_000_000)
    with pytest.raises(Invalid, match="larger"):
        slack.fetch()

    assert len(slack.into.getvalue()) <= MOST


@pytest.mark.parametrize("content", [CONTENT * 100, CONTENT + b"x", CONTENT[:-1], b""])
def test_a_file_that_changed_after_the_check_is_refused(slack: Files, content: bytes) -> None:
    slack.content = content
    with pytest.raises((Unfetched, Invalid)):
        slack.fetch()
