"""Running the web server of this process, and what runs beside it, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.config.settings import SettingsError
from bot.runtime.http_protocol import Connections, bounded_protocol
from bot.runtime.source_limit import SourceLimit
from handlers.web import STOPPING

#: Seconds for requests under way to end after a signal, and then for what runs beside.
_GRACE = 4
#: Seconds between two looks at whether the last of them has ended.
_LOOK_AGAIN = 0.005


class Server:
    """A web server. `run` serves here until a signal; `with` serves in a thread meanwhile."""

    def __init__(
        self,
        web: ASGIApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        beside: Sequence[Callable[[], Awaitable[None]]] = (),
        first_request_within: float = 10.0,
        most_connections: int | None = None,
        limit: SourceLimit | None = None,
    ) -> None:
        """Takes the port at once; 0 is any free one. What runs `beside` lives in the server's
        loop until the server has stopped, and is then cancelled; if one raises, all stop.
        A connection whose next request has no whole head within so many seconds is closed,
        and so is the one that has waited longest when there are more than `most_connections`.

        Raises `SettingsError` where the port can't be had.
        """
        self._listener = _listen(host, port)
        self.host, self.port = self._listener.getsockname()[:2]
        self.beside = beside
        self._connections = Connections(most_connections)
        limit = limit or SourceLimit()
        self._uvicorn = _Uvicorn(
            web,
            limit,
            uvicorn.Config(
                web,
                interface="asgi3",
                http=bounded_protocol(self._connections, first_request_within, limit),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE,
            ),
        )
        self._thread = threading.Thread(target=self._run_in_thread, name="web", daemon=True)
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def run(self) -> None:
        """Serves until SIGTERM, SIGINT or `stop`; returns within about ten seconds of it, when
        the requests under way are answered. Raises what something beside it raised."""
        with self._until_signal():
            asyncio.run(self._serve())

    def stop(self) -> None:
        """Takes no more requests, and lets `run` return. May be called from any thread."""
        self._uvicorn.stop()

    def close(self) -> None:
        """Gives the port back, of a server that has stopped or has never run."""
        self._listener.close()

    def __enter__(self) -> Self:
        self._thread.start()
        self._uvicorn.begun.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._thread.join()
        if self._failure and not error:
            raise self._failure

    def _run_in_thread(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - raised again in the thread that waits
            self._failure = failure
        finally:
            self._uvicorn.begun.set()

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._connections.loop_error)
        tasks = [asyncio.ensure_future(job()) for job in self.beside]
        for task in tasks:
            task.add_done_callback(lambda _: self.stop())
        try:
            await self._uvicorn.serve(sockets=[self._listener])
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result

    @contextmanager
    def _until_signal(self) -> Iterator[None]:
        """Signals end in `stop`: before and after uvicorn listens for them itself, and when it
        raises them again at its end, which would kill us before the storage is closed."""

        def note(number: int, frame: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Uvicorn(uvicorn.Server):
    """Says when it has begun to answer, and stops at once. uvicorn looks ten times a second whether
    it should stop, and then gives every connection a tenth of a second to close."""

    def __init__(self, web: ASGIApp, limit: SourceLimit, config: uvicorn.Config) -> None:
        self._limit = limit
        self._told = asyncio.Event()
        self._web, config.app = web, self._answer
        super().__init__(config)
        self.begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        self.should_exit = True
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._told.set)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever waits for something hears that the server stops. Refused requests are counted."""
        scope[STOPPING] = self._told

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._limit.note(scope, message["status"])
            await send(message)

        await self._web(scope, receive, noted)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        # The tick numbered 0 writes the header Date, which is due once a second.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await self._ended()
        except TimeoutError:
            tasks = self.server_state.tasks
            message = "Cancel %s running task(s), timeout graceful shutdown exceeded"
            logging.getLogger("uvicorn.error").error(message, len(tasks))
            for task in tasks:
                task.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _ended(self) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:
            await asyncio.sleep(_LOOK_AGAIN)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio turns Nagle's algorithm off for such sockets only, and
    # with it an answer waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise SettingsError(f"{host}:{port} can't be listened on: {error.strerror}.") from None
    return listener
