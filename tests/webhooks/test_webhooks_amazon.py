"""Which hosts are called, and what of their answers is believed."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from handlers.webhooks.provider import InvalidSignature, VerificationUnavailable
from handlers.webhooks.providers.ses.amazon import LARGEST, fetch

HOST = "sns.us-east-1.amazonaws.com"


class _Answers(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        match self.path:
            case "/redirect":
                self.send_response(302)
                self.send_header("Location", "/pem")
                self.end_headers()
            case "/large":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * (LARGEST + 1))
            case "/away":
                self.send_error(503)
            case "/pem?a=b":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"pem")
            case _:
                self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_amazon_answers_is_taken_whole_and_no_redirect_is_followed(server):
    hosts = []

    def connect(host: str) -> http.client.HTTPConnection:
        hosts.append(host)
        return http.client.HTTPConnection(*server.server_address, timeout=5)

    assert fetch(f"https://{HOST}/pem?a=b", connect) == b"pem"
    for path, refused in (
        ("/redirect", InvalidSignature),
        ("/large", InvalidSignature),
        ("/none", InvalidSignature),
        ("/away", VerificationUnavailable),
    ):
        with pytest.raises(refused):
            fetch(f"https://{HOST}{path}", connect)
    assert server.asked == ["/pem?a=b", "/redirect", "/large", "/none", "/away"]
    assert set(hosts) == {HOST}


def test_no_other_host_is_ever_connected_to():
    def connect(host: str) -> http.client.HTTPConnection:
        raise AssertionError(host)

    for url in (
        "https://evil.example/x.pem",
        f"https://{HOST}:444/x.pem",
        f"https://a@{HOST}/x.pem",
        f"http://{HOST}/x.pem",
        f"https://{HOST}.evil.example/",
    ):
        with pytest.raises(InvalidSignature):
            fetch(url, connect)


def test_a_host_that_does_not_answer_leaves_it_open():
    def connect(_: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", 9, timeout=1)

    with pytest.raises(VerificationUnavailable):
        fetch(f"https://{HOST}/x.pem", connect)
