"""Deliveries over Socket Mode: hello, envelopes, acknowledgements, disconnect.

https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

import asyncio
import json
import secrets
import time
import uuid
from itertools import count
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.delivery.answer import FAILED, TIMEOUT, Answer
from sandbox.workspace import APP

MOST: Final = 10
_HOST: Final = "applink-sandbox"
_LIFE: Final = 18060


class SocketDelivery:
    """The open connections of the app. Any envelope may go to any of them."""

    def __init__(self) -> None:
        self._tickets: set[str] = set()
        self._connections: list[WebSocket] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._turn = count()

    def ticket(self) -> str:
        """Good for one connection: part of the address that apps.connections.open gives."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def serve(self, socket: WebSocket, ticket: str) -> None:
        if ticket not in self._tickets or len(self._connections) >= MOST:
            await socket.close(code=1008)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        self._connections.append(socket)
        try:
            await socket.send_json(
                {
                    "type": "hello",
                    "num_connections": len(self._connections),
                    "debug_info": {
                        "host": _HOST,
                        "build_number": 1,
                        "approximate_connection_time": _LIFE,
                    },
                    "connection_info": {"app_id": APP},
                }
            )
            while True:
                self._acknowledge(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            if socket in self._connections:
                self._connections.remove(socket)

    async def send(
        self, kind: str, payload: dict[str, Any], timeout: float, retry: tuple[int, str] | None
    ) -> Answer:
        began = time.perf_counter()
        if not self._connections:
            return Answer(ms=0.0, error=FAILED, reason="connection_failed")
        socket = self._connections[next(self._turn) % len(self._connections)]
        envelope_id = str(uuid.uuid4())
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            attempt, reason = retry or (0, "")
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        acknowledged = self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await socket.send_text(json.dumps(envelope))
                body = await acknowledged
        except TimeoutError:
            return Answer(ms=_since(began), error=TIMEOUT, reason="timeout")
        except (WebSocketDisconnect, RuntimeError):  # what Starlette raises on a closed socket
            return Answer(ms=_since(began), error=FAILED, reason="connection_failed")
        finally:
            del self._waiting[envelope_id]
        return Answer(ms=_since(began), body=body or None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Asks every connection to come back, and closes it, as Slack does every few hours."""
        for socket in list(self._connections):
            self._connections.remove(socket)
            await socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}
            )
            await socket.close()

    async def close(self) -> None:
        for socket in list(self._connections):
            await socket.close()

    def _acknowledge(self, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(said.get("envelope_id", "")) if isinstance(said, dict) else None
        if waiting and not waiting.done():
            waiting.set_result(said.get("payload"))


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
