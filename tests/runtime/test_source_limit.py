"""A source that floods Optin with what it refuses is answered 429, and nobody else is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from time import sleep
from urllib.parse import urlencode

import pytest

from bot.runtime.server import Server
from bot.runtime.source_limit import SourceLimit
from handlers.web import GENUINE, web_app
from tests.support.receiving_fixtures import Receiver, receiver
from tests.support.twilio_requests import INBOUND, OURS, TOKEN, signed

FLOODER, PROVIDER = "93.184.100.9", "93.184.100.77"
#: A router or proxy in our own network, which everybody comes through.
INNER = "172.17.0.1"
#: More than a source may send at once.
MANY = 260


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path, {"OPTIN_TWILIO_AUTH_TOKEN": TOKEN}) as bot:
        bot.willing("Ana", phone="+14155550100")
        yield bot


def stop(bot: Receiver, source: str | None, id: str) -> int:
    """The answer to a signed opt-out that comes from there through a proxy on this machine."""
    form = {"MessageSid": id, "From": "+14155550100", "To": OURS, "Body": "STOP"}
    named = {"X-Forwarded-For": source} if source else {}
    body = urlencode(form).encode()
    return bot.send("POST", INBOUND, body, signed(INBOUND, form) | named).status


def flood(bot: Receiver, source: str | None, count: int = MANY) -> list[int]:
    """The answers to unsigned requests on one connection, until one is 429."""
    named = {"X-Forwarded-For": source} if source else {}
    connection = HTTPConnection(bot.host, bot.port, timeout=30)
    answers: list[int] = []
    while len(answers) < count and answers[-1:] != [429]:
        connection.request("POST", INBOUND, b"Body=STOP", {"X-Twilio-Signature": "A", **named})
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
        if answer.status == 429:
            assert answer.getheader("retry-after") == "1"
    connection.close()
    return answers


def test_a_flood_is_answered_429_and_others_are_served(bot: Receiver) -> None:
    answers = flood(bot, FLOODER)

    assert set(answers[:-1]) == {401}
    assert answers[-1] == 429
    assert stop(bot, PROVIDER, "SM1") == 200
    assert stop(bot, None, "SM2") == 200
    assert bot.send("GET", "/readyz").status == 200


def test_a_source_that_was_genuine_is_never_limited(bot: Receiver) -> None:
    assert stop(bot, PROVIDER, "SM1") == 200

    assert set(flood(bot, PROVIDER)) == {401}
    assert stop(bot, PROVIDER, "SM2") == 200


def test_behind_a_proxy_that_names_nobody_nobody_is_limited(bot: Receiver) -> None:
    assert set(flood(bot, None)) == {401}
    assert stop(bot, None, "SM1") == 200


def test_behind_a_proxy_that_names_only_another_proxy_nobody_is_limited(bot: Receiver) -> None:
    assert set(flood(bot, INNER)) == {401}
    assert stop(bot, INNER, "SM1") == 200


def test_a_genuine_request_gets_through_beside_a_flood_of_its_own_source(bot: Receiver) -> None:
    assert flood(bot, FLOODER)[-1] == 429

    # 50 in a second are looked at all the same, so the repeat that Retry-After asks for is.
    answers = []
    while answers[-1:] != [200]:
        assert len(answers) < 100
        answers.append(stop(bot, FLOODER, "SM1"))
    assert set(flood(bot, FLOODER)) == {401}


def test_the_answer_comes_before_the_body_and_the_connection_stays() -> None:
    with over_the_limit() as (server, time), connected(server) as connection:
        connection.sendall(head(length=4))
        assert connection.recv(4096).startswith(b"HTTP/1.1 429 Too Many Requests\r\n")

        connection.sendall(b"body")
        time.at += 1
        connection.sendall(head(length=0))
        assert connection.recv(4096).startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_who_does_not_wait_for_the_answer_is_cut_off() -> None:
    with over_the_limit() as (server, _), connected(server) as connection:
        connection.sendall(head(length=0) * 200)

        assert len(received(connection)) < 4096


def test_a_body_without_end_is_cut_off() -> None:
    with over_the_limit() as (server, _), connected(server) as connection:
        connection.sendall(head(length=10**9))
        with suppress(ConnectionResetError, BrokenPipeError):
            while True:
                connection.sendall(bytes(65_536))


def test_a_source_over_the_limit_is_the_first_to_give_way() -> None:
    with over_the_limit(most_connections=3, rest=60) as (server, _):
        kept = HTTPConnection(server.host, server.port, timeout=10)
        kept.request("GET", "/healthz")
        assert kept.getresponse().read() == b"ok"
        with connected(server) as first, connected(server) as second:
            for flooder in (first, second):
                flooder.sendall(head(length=0))
            while len(server._connections.resting) < 2:
                sleep(0.001)
            with connected(server), connected(server):
                assert received(first) == received(second) == b""
                kept.request("GET", "/healthz")
                assert kept.getresponse().status == 200
        kept.close()


@contextmanager
def over_the_limit(
    *, most_connections: int | None = None, rest: float = 0.1
) -> Iterator[tuple[Server, _Time]]:
    """A server to which the flooder has sent as much as it may, and its time, which stands."""
    time = _Time()
    limit = SourceLimit(time, rest=rest)
    with Server(web_app(checks={}), limit=limit, most_connections=most_connections) as server:
        with closing(HTTPConnection(server.host, server.port, timeout=30)) as connection:
            for _ in range(200):
                connection.request("POST", "/nowhere", headers={"X-Forwarded-For": FLOODER})
                connection.getresponse().read()
        yield server, time


def connected(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=10)


def received(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    found = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            found += part
    return found


def head(*, length: int) -> bytes:
    return (
        f"POST /nowhere HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {FLOODER}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


class _Time:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize("status", [400, 401, 404, 405, 408, 413])
def test_what_is_refused_counts_and_is_forgotten_with_time(status: int) -> None:
    time = _Time()
    limit = SourceLimit(time)
    noted(limit, status, MANY)

    assert limit.is_over("93.184.100.1")
    time.at += 2
    assert not limit.is_over("93.184.100.1")


@pytest.mark.parametrize("status", [200, 202, 204, 302, 409, 429, 500, 503])
def test_what_was_not_refused_does_not_count(status: int) -> None:
    limit = SourceLimit(_Time())
    noted(limit, status, MANY)

    assert not limit.is_over("93.184.100.1")


def test_it_remembers_few_sources_and_genuine_ones_apart() -> None:
    limit = SourceLimit(_Time())
    noted(limit, 200, 1, genuine=True)
    for n in range(5_000):
        noted(limit, 401, 1, address=f"93.184.{n // 250}.{n % 250}")
    noted(limit, 401, MANY)

    assert not limit.is_over("93.184.100.1")
    assert len(limit._left) < 5_000


def noted(
    limit: SourceLimit,
    status: int,
    count: int,
    *,
    genuine: bool = False,
    address: str = "93.184.100.1",
) -> None:
    scope = {"client": (address, 1), "headers": [], GENUINE: genuine}
    for _ in range(count):
        limit.note(scope, status)
