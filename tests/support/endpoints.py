"""A receiver of outbound webhooks: a real server, in threads, whose answers a test chooses."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

from bot.consent.use_cases import Service
from handlers.outbound.address_guard import AddressGuard
from handlers.outbound.delivery_client import DeliveryClient
from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.delivery_worker import DeliveryWorker
from handlers.outbound.lane_lookout import LAG

#: What a test's settings allow.
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request."""

    headers: Mapping[str, str]
    body: bytes
    path: str
    json: Any

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        return self.json["data"]


#: Answers a request: a status, or whatever it does with the connection itself and then None.
Answer = Callable[[BaseHTTPRequestHandler, Received], int | None]


@dataclass(slots=True)
class Receiver:
    """What it got, and how it answers."""

    url: str = ""
    answer: Answer = lambda handler, received: 204
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    #: Told of each request, before it is answered.
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def until(self, enough: Callable[[], bool], within: float = 30.0) -> None:
        """Waits for requests until it is enough."""
        with self.arrived:
            assert self.arrived.wait_for(enough, timeout=within), f"{len(self.received)} came"

    def seqs(self) -> list[int]:
        return [one.data["seq"] for one in self.received]


@contextmanager
def receiver(
    answer: Answer | int = 204, *, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Listens on a port of 127.0.0.1 until the block ends."""
    found = Receiver()
    if isinstance(answer, int):
        status = answer
        found.answer = lambda handler, received: status
    else:
        found.answer = answer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            found.connections += 1

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            one = Received(headers=headers, body=body, path=self.path, json=json.loads(body))
            with found.arrived:
                found.received.append(one)
                found.arrived.notify_all()
            status = found.answer(self, one)
            if status is not None:
                self.wfile.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/optin"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def client_of(**options: Any) -> DeliveryClient:
    return DeliveryClient(AddressGuard(allowed=LOOPBACK), **options)


@contextmanager
def worker_of(service: Service, *, lag: int = LAG, **options: Any) -> Iterator[DeliveryWorker]:
    """A worker that a test drives step by step. The jitter is in the middle."""
    client = client_of(**options)
    worker = DeliveryWorker(service, client, OutboundHealth(), chance=lambda: 0.5, lag=lag)
    yield worker
    client.close()


def deliver(worker: DeliveryWorker) -> None:
    """Whatever is due now."""
    while worker.step():
        pass
