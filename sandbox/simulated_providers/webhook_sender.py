"""Requests of the providers to the app: journaled, and tried again as each provider does."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import aiohttp

from sandbox.simulated_providers.config import Retries
from sandbox.traffic import TrafficJournal, TrafficLine
from sandbox.workspace_state import World

#: Seconds until a connection stands, and until the answer is there, as Twilio has them.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20.0, sock_connect=5.0, sock_read=15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """One request. `shown` is what the inspector shows of its body."""

    name: str
    url: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    shown: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a request. `status` is None where no answer came; `failure` is then ct (no
    connection) or rt (no answer in time). `ms` is the last try's."""

    status: int | None = None
    failure: str = ""
    ms: float = 0.0
    tries: int = 0

    @property
    def ok(self) -> bool:
        return self.failure == ""


class Post:
    """Between the outside and the app. It also has what goes on by itself, until it is closed."""

    def __init__(self, world: World, journal: TrafficJournal) -> None:
        self._world = world
        self._journal = journal
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, call: WebhookCall, before: Sent | None = None) -> Sent:
        """One try, the first one or that after `before`."""
        if self._session is None:
            # A connection for each: the app may have been started anew in between.
            self._session = open_session(aiohttp.TCPConnector(force_close=True))
        shown = {"url": call.url, "headers": call.headers, "body": call.shown}
        line = self.begin(call.name, shown)
        sent = await post(self._session, call)
        line.ms, line.outcome = sent.ms, str(sent.status or sent.failure)
        self._world.changed("journal")
        return replace(sent, tries=before.tries + 1 if before else 1)

    async def send_as_twilio(self, call: WebhookCall, retries: Retries) -> Sent:
        """A few tries, evenly over the time that Twilio gives them all."""
        sent = await self.send(call)
        for _ in range(retries.count):
            if sent.failure not in retries.after:
                break
            await asyncio.sleep(retries.within / (retries.count + 1))
            sent = await self.send(call, sent)
        return sent

    async def go_on_as_sendgrid(self, call: WebhookCall, sent: Sent, within: float) -> Sent:
        """Further tries after `sent` failed, further and further apart."""
        for pause in doubling(within):
            if sent.ok:
                break
            await asyncio.sleep(pause)
            sent = await self.send(call, sent)
        return sent

    def begin(self, name: str, args: dict[str, Any]) -> TrafficLine:
        """A line of the journal."""
        return self._journal.begin(at=self.now(), direction="out", method=name, args=args)

    def now(self) -> float:
        return self._world.clock().timestamp()

    def changed(self) -> None:
        """Tells the pages that something outside is new."""
        self._world.changed("outside")

    def later(self, what: Coroutine[Any, Any, None]) -> None:
        """In the background."""
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def quiet(self) -> None:
        """Ends what goes on in the background."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.quiet()
        if self._session:
            await self._session.close()


def open_session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector, timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
    )


async def post(session: aiohttp.ClientSession, call: WebhookCall) -> Sent:
    began = time.perf_counter()
    status: int | None = None
    failure = ""
    try:
        async with session.post(
            call.url, data=call.body, headers=call.headers, allow_redirects=False
        ) as response:
            await response.read()
            status = response.status
            if not 200 <= status < 300:
                # A redirection is followed by nobody, and counts as the app's mistake.
                failure = "5xx" if status >= 500 else "4xx"
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        failure = "ct"
    except (aiohttp.ClientError, TimeoutError):
        failure = "rt"
    ms = round((time.perf_counter() - began) * 1000, 1)
    return Sent(status=status, failure=failure, ms=ms, tries=1)


def doubling(within: float) -> Iterator[float]:
    """Pauses that grow, and end before they have taken so many seconds: as SendGrid tries."""
    pause, left = within / 120, within
    while pause <= left:
        yield pause
        left -= pause
        pause *= 2
