"""`POST /check` and the feed, beside an empty endpoint behind the same server, in processor time.

Both run as processes of their own, and requests go to them in turns. Processor time is that of the
server's process, so other work on the machine does not count.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec
import phonenumbers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.consent.addresses import key_of
from bot.consent.api_key import Scope
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Service
from bot.consent.use_cases.api_keys import add_key
from bot.consent.use_cases.feed import changes
from bot.consent.use_cases.look_up import profile_of
from bot.runtime import clock
from bot.runtime.read_email import read_email
from bot.runtime.server import Server
from handlers import json_shapes
from handlers.web import read_body, web_app
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.bench._clients import measure
from tests.bench._servers import (
    CONTACTS,
    bot,
    fill,
    free_port,
    phone,
    sandbox,
    started,
    until_ready,
)

Report = Callable[[str, float, str, bool, str], None]

_TURN, _TURNS = 500, 6
_LIST, _LISTS = 1_000, 8
_OPERATOR = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")


def run(report: Report) -> None:
    """Tells the ratios on each embedded storage."""
    for kind, suffix in (("tinydb", "json"), ("sqlite", "db")):
        with tempfile.TemporaryDirectory() as folder:
            url = f"{kind}:///{Path(folder) / f'optin.{suffix}'}"
            fill(url)
            with _opened(url) as service:
                _, key = add_key(service, "Bench", [Scope.CHECK, Scope.READ], _OPERATOR)
                card, floor = _card_read(service), _list_alone(service)
                _report_feed(report, kind, service)
            one, empty, many = _served(url, key)
            extra = 0.0 if kind == "tinydb" else 1.2 * card
            bar = 1.5 * empty if kind == "tinydb" else empty + extra
            report(
                f"check of one on {kind}, in what its bar allows",
                one / bar,
                "<= 1",
                one <= bar,
                f"{one * 1e6:.0f} µs, an empty endpoint {empty * 1e6:.0f}, a card read "
                f"{card * 1e6:.0f}; bar {bar * 1e6:.0f} µs",
            )
            report(
                f"check of {_LIST:,} on {kind}, in phonenumbers and look-ups alone",
                many / floor,
                "<= 1.5",
                many <= 1.5 * floor,
                f"{many * 1e3:.1f} ms and {floor * 1e3:.1f} ms of processor",
            )


def _report_feed(report: Report, kind: str, service: Service) -> None:
    begun, place, rows = time.process_time(), 0, 0
    while rows < CONTACTS:
        page = changes(service, place, limit=1_000)
        msgspec.json.encode([json_shapes.change(row) for row in page.rows])
        place, rows = page.next, rows + len(page.rows)
    rate = rows / (time.process_time() - begun)
    report(f"feed on {kind}, rows a second", rate, ">= 20,000", rate >= 20_000, f"{rows:,} rows")


def _served(url: str, key: str) -> tuple[float, float, float]:
    """Processor seconds of one check, of an empty request, and of a check of a list: medians."""
    one, empty = [], []
    with ExitStack() as stack:
        ours = stack.enter_context(bot(stack.enter_context(sandbox()), url))
        floor_port, floor_pid = stack.enter_context(_empty_endpoint())
        for _ in range(2):  # to warm up
            _spent(ours.pid, ours.port, _ones(key, _TURN))
            _spent(floor_pid, floor_port, _ones(key, _TURN))
        for _ in range(_TURNS):
            one.append(_spent(ours.pid, ours.port, _ones(key, _TURN)) / _TURN)
            empty.append(_spent(floor_pid, floor_port, _ones(key, _TURN)) / _TURN)
        many = [_spent(ours.pid, ours.port, [_list(key, n)] * 4) / 4 for n in range(_LISTS)]
    return tuple(map(statistics.median, (one, empty, many)))


def _spent(pid: int, port: int, requests: Sequence[bytes]) -> float:
    before = _processor(pid)
    asyncio.run(measure([port], 1, requests))
    return _processor(pid) - before


def _processor(pid: int) -> float:
    """Seconds that all threads of the process have used, to the nanosecond where Linux says so."""
    total = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0]) / 1e9
    return total


def _ones(key: str, count: int) -> list[bytes]:
    return [_request(key, {"to": phone(random.randrange(CONTACTS))}) for _ in range(count)]


def _list(key: str, seed: int) -> bytes:
    some = random.Random(seed).sample(range(CONTACTS), _LIST)
    return _request(key, {"recipients": [phone(number) for number in some]})


def _request(key: str, body: object) -> bytes:
    sent = json.dumps(body).encode()
    return (
        "POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(sent)}\r\n\r\n"
    ).encode() + sent


def _card_read(service: Service) -> float:
    """Processor seconds of the reads and decisions of one card."""
    numbers = [phone(random.randrange(CONTACTS)) for _ in range(_TURN)]
    begun = time.process_time()
    for number in numbers:
        with service.store.reading() as records:
            (contact,) = records.contacts.at(number)
            profile_of(service, records, contact, _OPERATOR, latest=1)
    return (time.process_time() - begun) / _TURN


def _list_alone(service: Service) -> float:
    """Processor seconds of reading 1,000 numbers by phonenumbers, and looking each one up."""
    spent = []
    for seed in range(_LISTS):
        some = [phone(n) for n in random.Random(seed).sample(range(CONTACTS), _LIST)]
        begun = time.process_time()
        keys = []
        for text in some:
            number = phonenumbers.parse(text, "US")
            if phonenumbers.is_valid_number(number):
                form = phonenumbers.PhoneNumberFormat.E164
                keys.append(key_of(phonenumbers.format_number(number, form)))
        with service.store.reading() as records:
            for one in keys:
                records.contacts.at(one)
                records.addresses.get(one)
        spent.append(time.process_time() - begun)
    return statistics.median(spent)


@contextmanager
def _opened(url: str) -> Iterator[Service]:
    store = open_store(url)
    yield Service(
        store=store,
        now=clock.now,
        region="US",
        read_email=read_email,
        hash_key=b"bench",
        providers=known_providers(),
    )
    store.close()


@contextmanager
def _empty_endpoint() -> Iterator[tuple[int, int]]:
    """The same server with an endpoint that reads its body and answers: its port and process."""
    port = free_port()
    with started([sys.executable, "-P", __file__, str(port)], {}) as process:
        until_ready(port)
        yield port, process.pid


def _serve_empty(port: int) -> None:
    async def nothing(request: Request) -> Response:
        await read_body(request)
        return Response(b"{}", media_type="application/json")

    route = Route("/api/v1/check", nothing, methods=["POST"])
    Server(web_app(routes=[route], checks={}), port=port).run()


if __name__ == "__main__":
    _serve_empty(int(sys.argv[1]))
