"""Two replicas of `optin serve` on one PostgreSQL beside one: the STOPs that they take.

The clients, the replicas and PostgreSQL are processes of their own, on the same machine.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count

from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import ConsentValue, Origin
from storage import open_store
from tests.bench._clients import measure
from tests.bench._servers import bot, fill, sandbox
from tests.bench._webhooks import PUBLIC, TOKEN, request
from tests.support.postgres_fixtures import Server

Report = Callable[[str, float, str, bool | None, str], None]

_BAR = 1.6
_ROUNDS = 3
_CLIENTS = 64
#: STOPs before a round is timed, and in it.
_WARM, _TIMED = 200, 2_000
#: Each STOP is another contact's.
_CONTACTS = 2 * _ROUNDS * (_WARM + _TIMED)
#: For two replicas, and as many more for PostgreSQL and the clients.
_CORES = 2 * 2 + 2


def run(report: Report) -> None:
    server = Server(options=["-c shared_buffers=256MB", "-c max_wal_size=4GB"])
    try:
        url = server.another("replicas")
        fill(url, _CONTACTS)
        _compare(report, url)
    finally:
        server.remove()


def _compare(report: Report, url: str) -> None:
    """In turns, with replicas begun anew: one that nobody asks would still tell alerts."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    told: list[str] = []
    numbers = count()
    with sandbox() as slack:
        for _ in range(_ROUNDS):
            for replicas, found in rates.items():
                found.append(_rate(slack, url, replicas, numbers, told))
    _check(url, told)
    one, two = (statistics.median(found) for found in rates.values())
    cores = len(os.sched_getaffinity(0))
    enough = cores >= _CORES
    spread = " to ".join(f"{bound:.2f}" for bound in _bounds(rates))
    needs = "" if enough else f", and the bar needs {_CORES}"
    report(
        f"STOP webhooks a second of two replicas on one PostgreSQL, {_CLIENTS} at once, "
        "in those of one",
        two / one,
        f">= {_BAR}",
        two / one >= _BAR if enough else None,
        f"{two:,.0f}/s and {one:,.0f}/s, from round to round {spread}; {cores} cores for the "
        f"replicas, PostgreSQL and the clients{needs}; each of {len(told):,} is in the log once",
    )


def _bounds(rates: dict[int, list[float]]) -> tuple[float, float]:
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    return min(ratios), max(ratios)


def _rate(slack: str, url: str, replicas: int, numbers: Iterator[int], told: list[str]) -> float:
    """STOPs a second; `told` is added to as they are answered."""
    settings = {
        "OPTIN_ALERT_CHANNEL": "C0ALERTS01",
        "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
        "OPTIN_PUBLIC_URL": PUBLIC,
    }
    with ExitStack() as stack:
        ports = [stack.enter_context(bot(slack, url, **settings)).port for _ in range(replicas)]
        for size in (_WARM, _TIMED):
            some = [next(numbers) for _ in range(size)]
            sids = [f"SM{number:032x}" for number in some]
            made = [request(number, sid) for number, sid in zip(some, sids, strict=True)]
            begun = time.perf_counter()
            asyncio.run(measure(ports, _CLIENTS, made))
            lasted = time.perf_counter() - begun
            told += sids
    return _TIMED / lasted


def _check(url: str, told: list[str]) -> None:
    """What was answered is in the log, once, and nothing else is."""
    with closing(open_store(url)) as store, store.reading() as records:
        stored = Counter(entry.provider_id for entry in records.log.all() if _is_stop(entry))
    if stored != Counter(f"twilio:in:{sid}" for sid in told):
        raise AssertionError(f"{len(told)} STOPs were answered, and {stored.total()} are stored")


def _is_stop(entry: Entry) -> bool:
    return (
        entry.kind is EntryKind.CONSENT
        and entry.after == ConsentValue.NO
        and entry.by is Origin.CONTACT
    )
