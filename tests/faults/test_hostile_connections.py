"""Connections that anybody can open: they cost little, and keep no opt-out out."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.runtime.server import Server
from handlers.web import LARGEST_BODY, read_body, web_app
from sandbox.client import Workspace
from tests.support.serving import deliver, serving
from tests.support.storages import KINDS, path_in, url_of

WHOLE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /taken HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("drop", [b"a", b"\r\n"], ids=["a byte", "an empty line"])
@pytest.mark.parametrize("before", [b"", WHOLE], ids=["first head", "second head"])
def test_a_head_that_drips_in_is_cut_off(before: bytes, drop: bytes) -> None:
    with Server(web_app(checks={}), first_request_within=0.5) as server, opened(server) as one:
        if before:
            one.sendall(before)
            assert one.recv(65536).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        closed = sent_until_closed(one, lambda: drop, pause=0.02)
        took = time.monotonic() - began

    assert closed
    assert took < 5


def test_a_second_head_that_drips_in_behind_an_unfinished_answer_is_cut_off() -> None:
    release = threading.Event()

    def slow(_: object) -> PlainTextResponse:
        release.wait(20)
        return PlainTextResponse("answered")

    app = web_app(routes=[Route("/slow", slow)], checks={})
    with Server(app, first_request_within=0.5) as server, opened(server) as one:
        one.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /")
        closed = sent_until_closed(one, lambda: b"a", pause=0.02)
        release.set()

    assert closed


def test_the_connection_that_waits_longest_gives_way_to_a_new_one() -> None:
    with Server(web_app(checks={}), most_connections=16) as server, ExitStack() as stack:
        idle = [stack.enter_context(opened(server)) for _ in range(16)]
        for number in range(40):
            with opened(server) as one:
                one.sendall(WHOLE)
                assert one.recv(65536).startswith(b"HTTP/1.1 200"), number
        idle[0].settimeout(10)
        with suppress(ConnectionResetError):
            assert idle[0].recv(1) == b""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "postgresql"])
def test_hundreds_of_dripping_connections_keep_no_opt_out_out(tmp_path: Path, kind: str) -> None:
    """More than the process may have files open."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    storage = url_of(path_in(tmp_path / "storage", kind))
    with (
        Workspace.start(mode="http") as slack,
        serving(tmp_path, slack, port, storage) as bot,
        ExitStack() as stack,
    ):
        resource.prlimit(bot.pid, resource.RLIMIT_NOFILE, (128, 128))
        for _ in range(400):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            with suppress(ConnectionError):
                one.sendall(WHOLE + b"GET /he")
        taken = [deliver(port, f"SM{number}", f"+1415555{number:04}") for number in range(20)]
        log = (tmp_path / f"{port}.log").read_text()

    assert all(taken)
    assert len(log.splitlines()) < 50, log[:3000]
    assert "Traceback" not in log


@pytest.mark.parametrize(
    "rest",
    [b"x: " + b"y" * 4096 + b"\r\n", b"y" * 4096],
    ids=["many trailers", "one long trailer"],
)
def test_trailers_have_a_limit(rest: bytes) -> None:
    with taking() as server, opened(server) as one:
        one.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nx: ")
        sent = bytes_until_closed(one, rest)

    assert sent < 8 * 1024 * 1024  # what the sockets on both sides hold comes on top


def test_a_body_in_small_chunks_is_read() -> None:
    with taking() as server, opened(server) as one:
        chunks = b"10\r\n0123456789abcdef\r\n" * 20_000
        one.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nx: y\r\n\r\n")
        answer = one.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200")


def test_the_oldest_of_many_unfinished_bodies_gives_way() -> None:
    head = POST + b"Content-Length: %d\r\n\r\n" % LARGEST_BODY
    with taking() as server, ExitStack() as stack:
        senders = []
        for _ in range(40):
            senders.append(one := stack.enter_context(opened(server)))
            one.sendall(head + b"x" * (LARGEST_BODY - 1))
        first = senders[0].recv(65536)
        newest = senders[-1]
        newest.sendall(b"x")
        last = newest.recv(65536)

    assert first.startswith(b"HTTP/1.1 408")
    assert last.startswith(b"HTTP/1.1 200")


def test_a_slash_at_the_end_sends_nobody_to_the_host_that_they_name() -> None:
    with taking() as server, opened(server) as one:
        one.sendall(b"POST /taken/ HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
        answer = one.recv(65536)

    assert answer.startswith(b"HTTP/1.1 404")
    assert b"evil.example" not in answer


@contextmanager
def taking() -> Iterator[Server]:
    """A server that reads a body within a minute."""

    async def taken(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await read_body(request, 60.0))))

    with Server(web_app(routes=[Route("/taken", taken, methods=["POST"])], checks={})) as server:
        yield server


def opened(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=10)


def sent_until_closed(one: socket.socket, data: Callable[[], bytes], pause: float) -> bool:
    """Whether the server closes while this is sent, a piece at a time, for ten seconds."""
    end = time.monotonic() + 10
    one.settimeout(pause)
    while time.monotonic() < end:
        try:
            one.sendall(data())
            if not one.recv(65536):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def bytes_until_closed(one: socket.socket, data: bytes) -> int:
    """How much the server takes before it closes; at most 64 MiB."""
    sent = 0
    with suppress(ConnectionError):
        while sent < 64 * 1024 * 1024:
            one.sendall(data)
            sent += len(data)
    return sent
