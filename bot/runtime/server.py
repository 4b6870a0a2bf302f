"""Running the web server of this process, and what runs beside it, until told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.config.settings import SettingsError

#: Seconds for requests under way to end after a signal, and then for what runs beside.
_GRACE = 4
#: Bytes of a request before its body; twice what is read in one go.
_LARGEST_HEAD = 512 * 1024


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
    ) -> None:
        """Takes the port at once; 0 is any free one. What runs `beside` lives in the server's
        loop until the server has stopped, and is then cancelled; if one raises, all stop.
        A connection whose first request has not begun within so many seconds is closed.

        Raises `SettingsError` where the port can't be had.
        """
        self._listener = _listen(host, port)
        self.host, self.port = self._listener.getsockname()[:2]
        self._beside = beside
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                web,
                http=_protocol(first_request_within),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE,
            )
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
        self._uvicorn.should_exit = True

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
        tasks = [asyncio.ensure_future(job()) for job in self._beside]
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
    """Says when it has begun to answer."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()


def _protocol(first_request_within: float) -> type[HttpToolsProtocol]:
    """HTTP that closes connections which never get to a request, and those whose head of a request
    never ends. uvicorn lets them sit, and grow."""

    class Impatient(HttpToolsProtocol):
        #: Bytes of the head that is being read; none while it is whole.
        head: int | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
            super().connection_made(transport)
            self.loop.call_later(first_request_within, self.close_if_idle)

        def close_if_idle(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.close()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.head is not None:
                self.head += len(data)
                if self.head > _LARGEST_HEAD:
                    self.transport.close()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.head = 0

        def on_headers_complete(self) -> None:
            self.head = None
            super().on_headers_complete()

    return Impatient


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
