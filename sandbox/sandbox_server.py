"""Runs a workspace: in a thread of this process, or in the foreground."""

import asyncio
import socket
import threading
from asyncio import Transport
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.web_app import build_app, set_base_url
from sandbox.workspace_context import Room


class _Protocol(H11Protocol):
    """Lets the faults reach the connection, so that it can be cut without an answer."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Stops at once. uvicorn looks ten times a second whether it should, and then gives every
    connection a tenth of a second to close."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        self.should_exit = True
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._told.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.stop()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        # The tick numbered 0 writes the header Date, which is due once a second.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await self._ended()
        for task in self.server_state.tasks:
            task.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _ended(self) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:
            await asyncio.sleep(0.005)


class SandboxServer:
    """Listens from the moment it is made, so that its address is known at once."""

    def __init__(self, room: Room, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises OSError where the port is taken."""
        self.room = room
        self._listening = _listen(host, port)
        self.url = f"http://{host}:{self._listening.getsockname()[1]}"
        set_base_url(room, self.url)
        self._server = _Server(
            uvicorn.Config(
                build_app(room),
                http=_Protocol,
                ws="websockets-sansio",
                log_config=None,
                lifespan="on",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Until interrupted."""
        self._server.run(sockets=[self._listening])

    def start(self) -> None:
        """In a thread. The socket listens already: a request made now waits, and is answered."""
        self._thread = threading.Thread(target=self.run, name="sandbox", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Lets `run` return soon. May be called from any thread."""
        self._server.stop()

    def stop(self) -> None:
        self.end()
        if self._thread:
            self._thread.join()
        self._listening.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio turns Nagle's algorithm off for such sockets only, and
    # with it an answer waits 40 ms for the client's delayed acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening
