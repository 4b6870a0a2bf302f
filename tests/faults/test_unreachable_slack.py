"""Names that don't resolve, certificates that don't hold, proxies that refuse: the alert waits, and
TLS is never switched off."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from handlers.slack.alerts.client import client
from tests.support.alerts_fixtures import Bench, reply

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(slots=True, kw_only=True)
class Listener:
    """What came to a port, and when by the clock of the test."""

    port: int
    came_at: list[datetime] = field(default_factory=list)
    #: Bytes of a request, after TLS where there is any.
    received: list[bytes] = field(default_factory=list)


@contextmanager
def listening(
    now: Callable[[], datetime], answer: Callable[[socket.socket, Listener], object]
) -> Iterator[Listener]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        listener = Listener(port=server.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    listener.came_at.append(now())
                    with connection, suppress(OSError):
                        connection.settimeout(10)
                        answer(connection, listener)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture
def told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """With one alert that waits to be told, on a machine without a proxy."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    bench.add()
    bench.take(reply("STOP"))
    return bench


def test_a_name_that_does_not_resolve_is_tried_less_and_less(told: Bench) -> None:
    tries = tried_in_ten_minutes(told, "https://slack.invalid/api/")

    assert set(told.health.outcomes()) == {("conversations.info", "gaierror")}
    assert 5 <= tries <= 9
    is_told_once(told)


@pytest.mark.parametrize("trusted", [False, True], ids=["untrusted", "of another name"])
def test_a_certificate_that_does_not_hold_gets_no_request(
    told: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    pem = certificate(tmp_path, "other.example" if trusted else "localhost")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def answer(connection: socket.socket, listener: Listener) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            listener.received.append(inside.recv(65_536))

    with listening(told.clock, answer) as slack:
        tries = tried_in_ten_minutes(told, f"https://localhost:{slack.port}/api/")

    assert not any(slack.received)
    assert set(told.health.outcomes()) == {("conversations.info", "SSLCertVerificationError")}
    assert 5 <= tries <= 9
    assert waits_grow(slack.came_at)
    is_told_once(told)


def test_a_proxy_that_refuses_is_tried_less_and_less(
    told: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(connection: socket.socket, listener: Listener) -> None:
        listener.received.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with listening(told.clock, answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        tries = tried_in_ten_minutes(told, "https://slack.example/api/")
        monkeypatch.delenv("HTTPS_PROXY")

    assert all(one.startswith(b"CONNECT slack.example:443 ") for one in proxy.received)
    assert not any(b"xoxb" in one for one in proxy.received)
    assert 5 <= tries <= 9
    assert waits_grow(proxy.came_at)
    is_told_once(told)


def test_a_proxy_where_nobody_listens_is_tried_less_and_less(
    told: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    tries = tried_in_ten_minutes(told, "https://slack.example/api/")
    monkeypatch.delenv("HTTPS_PROXY")

    assert set(told.health.outcomes()) == {("conversations.info", "ConnectionRefusedError")}
    assert 5 <= tries <= 9
    is_told_once(told)


def tried_in_ten_minutes(bench: Bench, url: str) -> int:
    there = client(bench.workspace.bot_token, url)
    bench.worker = bench.hire(replace(bench.slack, client=there))
    bench.run(600, every=5)
    return sum(bench.health.outcomes().values())


def waits_grow(came_at: list[datetime]) -> bool:
    waits = [later - earlier for earlier, later in itertools.pairwise(came_at)]
    return all(later >= earlier * 0.9 for earlier, later in itertools.pairwise(waits))


def is_told_once(bench: Bench) -> None:
    """Where Slack can be reached again."""
    bench.worker = bench.hire(bench.slack)
    bench.run(900, every=10)

    assert len(bench.messages()) == 1


def certificate(folder: Path, name: str) -> Path:
    """Of a host, signed by itself; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = folder / f"{name}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return pem
