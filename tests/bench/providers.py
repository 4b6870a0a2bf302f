"""Durable opt-outs a second that each provider tells, beside Twilio's in the same run: 32 writers who
each wait for the answer to their last request. Real signed requests, in the line in which they
share a transaction."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from itertools import count
from pathlib import Path

from bot.runtime import clock
from bot.runtime.read_settings import read_settings
from handlers.webhooks.provider import Provider, Request
from handlers.webhooks.receiver import BatchQueue, ProviderHealth, WebhookReceiver
from handlers.webhooks.registry import make_providers
from storage import open_store
from tests.bench import sql
from tests.bench._servers import fill, phone
from tests.support.receiving_fixtures import PUBLIC, Answer
from tests.support.reports_fixtures import MAILS, OURS, TEXTS, secrets_of_all

Report = Callable[[str, float | str, str, bool, str], None]

WRITERS = 32
_CONTACTS = 20_000
_SECONDS = 1.5
_TURNS = 5
#: Requests that are made for a turn: more than any provider gets through.
_MADE = 20_000


@dataclass(kw_only=True)
class _Made:
    """Takes what a provider would send, instead of a server."""

    clock: Callable[[], datetime] = clock.now
    requests: list[Request] = field(default_factory=list)

    @property
    def seconds(self) -> int:
        return int(self.clock().timestamp())

    @property
    def iso(self) -> str:
        return self.clock().isoformat().replace("+00:00", "Z")

    def tell(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        made = Request.of(
            method="POST", path=path, headers=headers.items(), body=body, public_url=PUBLIC
        )
        self.requests.append(made)
        return Answer(status=200, body=b"", headers={})


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"tinydb:///{folder}/optin.json"
        fill(url, _CONTACTS)
        env = secrets_of_all(Path(folder)) | {"OPTIN_STORAGE": url}
        settings = read_settings(env)
        known = make_providers(settings.providers, public_url=PUBLIC, mailboxes_of=lambda _: None)
        on = {provider.name: provider for provider in known if provider.name in _NAMES}
        rates: dict[str, list[float]] = {name: [] for name in on}
        numbers = count()
        with closing(open_store(url)) as store:
            service = sql.service_on(store)
            for _ in range(_TURNS):
                for name, provider in on.items():
                    made = _opt_outs(name, numbers)
                    intake = WebhookReceiver(
                        service, counted=_count_nothing, health=ProviderHealth()
                    )
                    with BatchQueue(intake, provider) as line:
                        rates[name].append(asyncio.run(_written(line, made)))
    _compare(report, on, rates)


_NAMES = ("twilio", "telnyx", "vonage", *MAILS)


def _compare(
    report: Report, on: Mapping[str, Provider], rates: Mapping[str, Sequence[float]]
) -> None:
    floor = statistics.median(rates["twilio"])
    for name in on:
        rate = statistics.median(rates[name])
        report(
            f"{name}: opt-outs a second by {WRITERS} writers, in Twilio's",
            rate / floor,
            ">= 0.9",
            rate >= 0.9 * floor,
            f"{rate:,.0f}/s and {floor:,.0f}/s; TinyDB, {_CONTACTS:,} contacts",
        )


def _opt_outs(name: str, numbers: Iterator[int]) -> Iterator[Request]:
    """Of one contact after the other."""
    made = _Made()
    for _ in range(_MADE):
        number = next(numbers) % _CONTACTS
        if name in MAILS:
            MAILS[name](made, "unsubscribe", f"contact{number}@example.com")
        else:
            TEXTS[name](made, sender=phone(number), to=OURS, body="STOP")
    return iter(made.requests)


async def _written(line: BatchQueue, waiting: Iterator[Request]) -> float:
    end = time.perf_counter() + _SECONDS
    done = 0

    async def write() -> None:
        nonlocal done
        while time.perf_counter() < end:
            assert await line.receive(next(waiting)) is HTTPStatus.OK
            done += 1

    begun = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return done / (time.perf_counter() - begun)


def _count_nothing(provider: str, outcome: str, count: int, *, kind: str = "") -> None:
    pass
