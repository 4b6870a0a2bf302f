"""Very many STOPs at once: as fast as the app takes them, over a few connections kept open."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import aiohttp

from sandbox.simulated_providers.config import Given, SimulatedSender
from sandbox.simulated_providers.inbox_state import StoredText
from sandbox.simulated_providers.phones import CONFIRMATION, Phones
from sandbox.simulated_providers.webhook_sender import Post, Sent, WebhookCall, open_session, post

CONNECTIONS: Final = 8
#: Seconds after which it ends, whatever is left.
_LONGEST: Final = 300.0
#: So many failures in a row end it, too: nobody is there.
_PATIENCE: Final = 20
#: Seconds between two looks that the pages get at it.
_SHOWN_EVERY: Final = 0.1

#: With the last four digits 0100 to 0199 after 555, which are kept for examples.
_AREAS: Final = (
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225,
    228, 229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281,
    301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321,
    323, 325, 330, 331, 334, 336, 337, 339, 347, 351, 352, 360, 361, 386, 401, 402, 404, 405, 406,
    407, 408, 409, 410, 412, 413, 414, 417, 419, 423, 424, 425, 430, 432, 434, 435, 440, 443, 445,
    458, 463, 469, 470, 475, 478, 479, 480, 484, 501, 502, 503, 504, 505, 507, 508, 509, 510, 512,
    513,
)  # fmt: skip
MOST: Final = 10_000


class Flood:
    """`count` STOPs, a few of them from the people; then, with `confirms`, the company's tries
    to confirm each, which the carrier refuses."""

    def __init__(self, given: Given, phones: Phones, count: int, confirms: bool) -> None:
        self.count = count
        self.statuses: Counter[str] = Counter()
        self.stops = 0
        self.confirmations = 0
        self.running = True
        self._phones = phones
        self._confirms = confirms
        self._times: list[float] = []
        self._failed = 0
        self._began = time.perf_counter()
        self._seconds = 0.0
        self._shown = 0.0
        self._pairs = list(_pairs(given, count))

    async def run(self, pages: Post) -> None:
        """Ends by itself. It is one line of the journal, or there would be nothing else in it."""
        line = pages.begin(f"{self.count} STOPs", {})
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        try:
            async with open_session(connector) as session, asyncio.timeout(_LONGEST):
                for wave in (self._stops(), self._refusals()):
                    workers = (self._work(session, wave, pages) for _ in range(CONNECTIONS))
                    await asyncio.gather(*workers)
        except TimeoutError:
            pass
        finally:
            self.running = False
            self._seconds = time.perf_counter() - self._began
            line.args.update(self.as_dict())
            line.ms = round(self._seconds * 1000, 1)
            line.outcome = "ok" if all(status[0] == "2" for status in self.statuses) else "failed"
            pages.changed()

    def as_dict(self) -> dict[str, Any]:
        """`ms` are the median and the slowest of a hundred; `statuses` count the answers."""
        times = sorted(self._times) or [0.0]
        seconds = time.perf_counter() - self._began if self.running else self._seconds
        return {
            "count": self.count,
            "stops": self.stops,
            "confirmations": self.confirmations,
            "statuses": dict(self.statuses),
            "ms": {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]},
            "seconds": round(seconds, 2),
            "running": self.running,
        }

    async def _work(
        self,
        session: aiohttp.ClientSession,
        wave: Iterator[tuple[StoredText, WebhookCall]],
        pages: Post,
    ) -> None:
        for text, call in wave:
            text.told = await post(session, call)
            self._note(text.told)
            if self._failed >= _PATIENCE:
                return
            if time.perf_counter() - self._shown > _SHOWN_EVERY:
                self._shown = time.perf_counter()
                pages.changed()

    def _note(self, sent: Sent) -> None:
        self.statuses[str(sent.status or sent.failure)] += 1
        self._times.append(sent.ms)
        self._failed = 0 if sent.ok else self._failed + 1

    def _stops(self) -> Iterator[tuple[StoredText, WebhookCall]]:
        for phone, sender in self._pairs:
            self.stops += 1
            yield self._phones.receive(phone, sender, "STOP")

    def _refusals(self) -> Iterator[tuple[StoredText, WebhookCall]]:
        for phone, sender in self._pairs if self._confirms else ():
            self.confirmations += 1
            yield from self._phones.attempt(phone, sender, CONFIRMATION)


def _pairs(given: Given, count: int) -> Iterator[tuple[str, SimulatedSender]]:
    """Who texts STOP to which sender: strangers, and one in fifty of the people who may."""
    phones = {one.phone for one in given.people if one.phone}
    strangers = (
        number
        for last in range(100)
        for area in _AREAS
        if (number := f"+1{area}55501{last:02}") not in phones
    )
    may = {one.phone for one in given.people if one.floods} & phones
    some = random.sample(sorted(may), min(len(may), count // 50))
    at = dict(zip(random.sample(range(count), len(some)), some, strict=True))
    for place in range(count):
        phone = at[place] if place in at else next(strangers)
        # Most to the first sender, as after a campaign.
        yield phone, given.senders[0] if random.random() < 0.8 else random.choice(given.senders)  # noqa: S311 - no secret
