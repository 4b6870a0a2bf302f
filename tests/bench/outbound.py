"""10,000 opt-outs through a webhook, to an endpoint in a process of its own that answers at once."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_network

from bot.consent.log.changes import ConsentChanged
from bot.consent.model import Actor, Channel, ConsentValue, Contact, Origin, Role
from bot.consent.use_cases import Details, Service, add
from bot.consent.use_cases.record import Recorder
from bot.consent.use_cases.webhooks import add_webhook
from bot.runtime.read_email import read_email
from handlers.outbound.address_guard import AddressGuard
from handlers.outbound.delivery_client import DeliveryClient
from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.delivery_worker import DeliveryWorker
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.bench._servers import free_port, started

Report = Callable[[str, float, str, bool, str], None]

_OPT_OUTS = 10_000
_CONTACTS = 500
_LOOPBACK = (ip_network("127.0.0.0/8"),)
_OPERATOR = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")


def run(report: Report) -> None:
    """Deliveries a second, out of TinyDB and out of SQLite."""
    for storage in ("tinydb:///{}/optin.json", "sqlite:///{}/optin.db"):
        with tempfile.TemporaryDirectory() as folder, _endpoint() as port:
            rate, processor = _rate(storage.format(folder), port)
        report(
            f"webhook deliveries a second, {storage.partition(':')[0]}",
            rate,
            ">= 500",
            rate >= 500,
            f"{_OPT_OUTS:,} opt-outs, one endpoint; {processor * 1e6:,.0f} µs of processor each",
        )


def _rate(url: str, port: int) -> tuple[float, float]:
    service = Service(
        store=open_store(url),
        now=lambda: datetime.now(UTC),
        region="US",
        read_email=read_email,
        hash_key=b"a key for the bench",
        providers=known_providers(),
        webhook_allow=_LOOPBACK,
    )
    people = [
        add(service, Details(name="Ana", phone=f"+1415555{number:04}"), _OPERATOR)
        for number in range(_CONTACTS)
    ]
    add_webhook(service, _OPERATOR.id, url=f"http://127.0.0.1:{port}/")
    _opt_out(service, people)
    health = OutboundHealth()
    client = DeliveryClient(AddressGuard(allowed=_LOOPBACK))
    worker = DeliveryWorker(service, client, health)
    begun, used = time.perf_counter(), time.process_time()
    thread = threading.Thread(target=worker.work)
    thread.start()
    while sum(health.outcomes().values()) < _OPT_OUTS:
        time.sleep(0.01)
    lasted, used = time.perf_counter() - begun, time.process_time() - used
    worker.stop()
    thread.join()
    worker.wait_for_turns()
    service.store.close()
    return _OPT_OUTS / lasted, used / _OPT_OUTS


def _opt_out(service: Service, people: list[Contact]) -> None:
    no = ConsentChanged(
        by=Origin.CONTACT, before=ConsentValue.NO, after=ConsentValue.NO, reason="STOP"
    )
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service, records=records, actor="contact", source="cli", now=service.now()
        )
        for number in range(_OPT_OUTS):
            one = people[number % _CONTACTS]
            told = recorder.record(one, no, address=one.phone, channel=Channel.SMS)
            people[number % _CONTACTS] = told or one


@contextmanager
def _endpoint() -> Iterator[int]:
    """Its port."""
    port = free_port()
    with started([sys.executable, "-P", __file__, str(port)], {}):
        until_listening(port)
        yield port


class _Endpoint(asyncio.Protocol):
    """Answers 204 to each request, and reads no more of it than it has to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(self._read) < end + 4 + length:
                return
            self._read = self._read[end + 4 + length :]
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # type: ignore[attr-defined]


def until_listening(port: int) -> None:
    """Waits for the endpoint."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise TimeoutError


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Endpoint, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
