"""The app as the workspace sees it: deliveries, journaled, with Slack's retries for events."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Final, Protocol

from sandbox.delivery.answer import AppResponse
from sandbox.first_workspace import APP, BOT_USER, TEAM, VERIFICATION_TOKEN
from sandbox.traffic import TrafficJournal
from sandbox.workspace_state import World

RETRY_DELAYS: Final = (0.0, 60.0, 300.0)


class DeliveryMode(Protocol):
    """HTTP or Socket Mode."""

    async def send(
        self, kind: str, payload: dict[str, Any], timeout: float, retry: tuple[int, str] | None
    ) -> AppResponse: ...

    async def close(self) -> None: ...


class AppLink:
    """`ack_timeout` in seconds is Slack's 3; `retry_delays` how long after each failure an event
    is sent again. Clicks and commands are sent once."""

    def __init__(
        self,
        world: World,
        journal: TrafficJournal,
        way: DeliveryMode,
        ack_timeout: float,
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self.world = world
        self.journal = journal
        self.way = way
        self.ack_timeout = ack_timeout
        self.retry_delays = retry_delays
        self._retrying: set[asyncio.Task[None]] = set()

    async def send(self, kind: str, payload: dict[str, Any], name: str) -> AppResponse:
        return await self._send(kind, payload, name, None)

    async def event(self, event: dict[str, Any], *, shared: bool | None = None) -> AppResponse:
        """Returns after the first try; the others follow in the background. `shared` says whether
        another organisation is there, of a channel that the event does not name."""
        payload = {
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM,
            "context_team_id": TEAM,
            "context_enterprise_id": None,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": self.world.new_id("Ev"),
            "event_time": self.world.now(),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": (
                self._is_shared(event.get("channel")) if shared is None else shared
            ),
            "event_context": f"4-{secrets.token_hex(16)}",
        }
        answer = await self._send("events_api", payload, event["type"], None)
        if answer.error and not answer.final:
            task = asyncio.create_task(self._retry(payload, event["type"], answer))
            self._retrying.add(task)
            task.add_done_callback(self._retrying.discard)
        return answer

    def _is_shared(self, channel: Any) -> bool:
        found = self.world.channels.get(channel) if isinstance(channel, str) else None
        return bool(found and found.shared)

    async def close(self) -> None:
        for task in list(self._retrying):
            task.cancel()
        await self.way.close()

    async def _retry(self, payload: dict[str, Any], name: str, answer: AppResponse) -> None:
        for number, delay in enumerate(self.retry_delays, start=1):
            if not answer.error or answer.final:
                return
            await asyncio.sleep(delay)
            answer = await self._send("events_api", payload, name, (number, answer.reason))

    async def _send(
        self, kind: str, payload: dict[str, Any], name: str, retry: tuple[int, str] | None
    ) -> AppResponse:
        line = self.journal.begin(
            at=self.world.clock().timestamp(), direction="out", method=name, args=payload
        )
        answer = await self.way.send(kind, payload, self.ack_timeout, retry)
        line.ms = round(answer.ms, 1)
        line.outcome = answer.error or "ok"
        line.connection = answer.connection
        self.world.changed("journal")
        return answer
