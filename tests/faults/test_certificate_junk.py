"""Junk in Amazon's name that names certificates which Amazon does not have: genuine messages come
through. Amazon is a web server of the test's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from handlers.webhooks.provider import Request, VerificationUnavailable
from handlers.webhooks.providers.ses import Ses
from handlers.webhooks.providers.ses.amazon import fetch
from handlers.webhooks.providers.ses.certificates import Certificates
from tests.support.ses_requests import CERTIFICATE_URL, HOST, NOW, TOPIC, certificate, signed


class _Amazon(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: AmazonServer = self.server  # type: ignore[assignment]
        server.asked.append(self.path)
        genuine = CERTIFICATE_URL.endswith(self.path)
        self.send_response(200 if genuine else 403)
        self.end_headers()
        if genuine:
            self.wfile.write(certificate())

    def log_message(self, *_: object) -> None:
        pass


class AmazonServer(ThreadingHTTPServer):
    asked: list[str]


@pytest.fixture
def amazon() -> Iterator[AmazonServer]:
    with AmazonServer(("127.0.0.1", 0), _Amazon) as server:
        server.asked = []
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ours(amazon: AmazonServer) -> Ses:
    def connect(_: str) -> HTTPConnection:
        return HTTPConnection(*amazon.server_address[:2], timeout=5)

    certificates = Certificates(fetch=lambda url: fetch(url, connect))
    return Ses(topic_arns=[TOPIC], certificates=certificates)


def refused(provider: Ses, request: Request) -> bool:
    try:
        provider.verify(request, NOW)
    except Exception as error:  # noqa: BLE001 - which one is not what is asked
        return bool(error)
    return False


def junk(number: int) -> Request:
    return signed(SigningCertURL=f"https://{HOST}/SimpleNotificationService-junk{number}.pem")


def test_a_genuine_message_gets_through_while_junk_names_certificates_without_end(
    amazon: AmazonServer,
) -> None:
    """After a restart: no certificate is known yet, and the clock stands still."""
    provider = ours(amazon)
    for number in range(50):
        assert refused(provider, junk(number))
    ends = Event()

    def flood() -> None:
        number = 50
        while not ends.is_set():
            refused(provider, junk(number))
            number += 1

    flooding = Thread(target=flood)
    flooding.start()
    began = time.monotonic()
    tries = 0
    try:
        while refused(provider, signed()) and time.monotonic() - began < 20:
            tries += 1
            time.sleep(0.1)  # SNS comes again
        took = time.monotonic() - began
        verified = [not refused(provider, signed()) for _ in range(20)]
    finally:
        ends.set()
        flooding.join()

    assert all(verified)
    assert took < 15
    assert len(amazon.asked) < 3 + 2 * (took + 2), "junk has us call Amazon all day"


def test_a_message_whose_certificate_is_known_waits_for_no_junk(amazon: AmazonServer) -> None:
    provider = ours(amazon)
    assert not refused(provider, signed())
    for number in range(50):
        assert refused(provider, junk(number))
        assert not refused(provider, signed())


def test_an_address_that_failed_is_left_alone(amazon: AmazonServer) -> None:
    provider = ours(amazon)
    assert refused(provider, junk(1))
    for _ in range(20):
        with pytest.raises(VerificationUnavailable):
            provider.verify(junk(1), NOW)

    assert amazon.asked == ["/SimpleNotificationService-junk1.pem"]
