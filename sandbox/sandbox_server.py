"""Runs a workspace: in a thread of this process, or in the foreground."""

import socket
import threading
from asyncio import Transport
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


class SandboxServer:
    """Listens from the moment it is made, so that its address is known at once."""

    def __init__(self, room: Room, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises OSError where the port is taken."""
        self.room = room
        self._listening = _listen(host, port)
        self.url = f"http://{host}:{self._listening.getsockname()[1]}"
        set_base_url(room, self.url)
        self._server = uvicorn.Server(
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
        self._server.should_exit = True

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
