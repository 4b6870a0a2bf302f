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

from sandbox.delivery.answer import FAILED, TIMEOUT, AppResponse
from sandbox.first_workspace import APP

MOST: Final = 10
_HOST: Final = "applink-sandbox"
_LIFE: Final = 18060


class SocketDelivery:
    """The open connections of the app. Each envelope goes to one of them, here by turns; the
    journal has the connection's number, in the order in which they were opened."""

    def __init__(self) -> None:
        self._tickets: set[str] = set()
        self._connections: dict[int, WebSocket] = {}
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._turn = count()
        #: Envelopes that wait for their acknowledgement, by id; and those whose was lost.
        self._sent: dict[str, str] = {}
        self._lost: dict[str, str] = {}
        self._loses_next = False

    def ticket(self) -> str:
        """Good for one connection: part of the address that apps.connections.open gives."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def serve(self, socket: WebSocket, ticket: str) -> None:
        if ticket not in self._tickets:
            await socket.close(code=1008)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        if len(self._connections) >= MOST:
            # As Slack does: it gives the address, takes the connection, and says no hello.
            # https://github.com/slackapi/bolt-js/issues/2238
            # https://github.com/slackapi/java-slack-sdk/issues/1223
            await _end(socket, "too_many_websockets")
            return
        number = next(self._numbers)
        self._connections[number] = socket
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
            for envelope in list(self._lost.values()):
                await socket.send_text(envelope)
            while True:
                said = await socket.receive_text()
                if self._loses_next:
                    self._loses_next = False
                    self._lost = dict(self._sent)
                    await socket.close(code=1011)
                    return
                self._acknowledge(said)
        except WebSocketDisconnect:
            pass
        finally:
            self._connections.pop(number, None)

    async def send(
        self, kind: str, payload: dict[str, Any], timeout: float, retry: tuple[int, str] | None
    ) -> AppResponse:
        began = time.perf_counter()
        if not self._connections:
            return AppResponse(ms=0.0, error=FAILED, reason="connection_failed")
        open_now = list(self._connections.items())
        number, socket = open_now[next(self._turn) % len(open_now)]
        envelope_id = str(uuid.uuid4())
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            attempt, why = retry or (0, "")
            envelope |= {"retry_attempt": attempt, "retry_reason": why}
        text = self._sent[envelope_id] = json.dumps(envelope)
        acknowledged = self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        error, reason, body = None, "", None
        try:
            async with asyncio.timeout(timeout):
                await socket.send_text(text)
                body = await acknowledged
        except TimeoutError:
            error, reason = TIMEOUT, "timeout"
        except (WebSocketDisconnect, RuntimeError):  # what Starlette raises on a closed socket
            error, reason = FAILED, "connection_failed"
        finally:
            del self._waiting[envelope_id], self._sent[envelope_id]
            self._lost.pop(envelope_id, None)
        return AppResponse(
            ms=_since(began), body=body or None, error=error, reason=reason, connection=number
        )

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Asks every connection to come back, and closes it, as Slack does every few hours."""
        while self._connections:
            _, socket = self._connections.popitem()
            await _end(socket, reason)

    def lose_acknowledgement(self) -> None:
        """The connection breaks where the app acknowledges something next: Slack has not heard it,
        and sends the same envelope over the next connection."""
        self._loses_next = True

    async def close(self) -> None:
        for socket in list(self._connections.values()):
            await socket.close()

    def _acknowledge(self, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(said.get("envelope_id", "")) if isinstance(said, dict) else None
        if waiting and not waiting.done():
            waiting.set_result(said.get("payload"))


async def _end(socket: WebSocket, reason: str) -> None:
    await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}})
    await socket.close()


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
