"""Socket Mode: Slack's requests over a WebSocket that we open, with the sync Bolt app.

What `slack_bolt` leaves to us: listeners run in threads (its handler runs them in the loop, where
a slow one holds up pings and everybody else), and a connection that went silent is given up as a
whole. `is_connected()` says True for minutes after a peer has died
(slackapi/python-slack-sdk#1701, slackapi/bolt-python#1529).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Executor
from time import monotonic, time
from typing import Any

from aiohttp import ClientError
from slack_bolt import App
from slack_bolt.adapter.socket_mode.aiohttp import SocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import run_bolt_app
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import SettingsError

logger = logging.getLogger(__name__)

#: All in seconds. A dead peer is noticed within two pings.
_PING = 5.0
_READY_WITHIN = 30.0
_GIVE_UP_AFTER = 60.0
_CONNECT_WITHIN = 30.0
_LONGEST_PAUSE = 60.0
_GRACE = 4.0
_CLOSE_WITHIN = 1.0

#: What no second attempt can change.
_BAD_TOKEN = {
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "not_allowed_token_type",
    "not_authed",
    "token_expired",
    "token_revoked",
}


class SocketMode:
    """The connection. `run` is to live beside the web server; `ready` is for its health."""

    def __init__(self, bolt: App, app_token: str, *, pool: Executor) -> None:
        """Bolt runs in threads of the pool. The address is that of the app's own client."""
        self._bolt = bolt
        self._app_token = app_token
        self._pool = pool
        self._handler: _Handler | None = None
        self._heard: float | None = None

    def ready(self) -> bool:
        """Whether Slack was heard of in the last half minute over a connection that is open."""
        session = self._handler and self._handler.client.current_session
        if not session or session.closed or self._heard is None:
            return False
        return monotonic() - self._heard < _READY_WITHIN

    async def run(self) -> None:
        """Connected until cancelled; then what is under way is answered first.

        Raises `SettingsError` where Slack refuses the token at the very first attempt. Later,
        and for anything else, it tries again, more and more slowly.
        """
        pause = 1.0
        while True:
            try:
                await self._one_life()
            except SlackApiError as error:
                code = error.response.get("error", "")
                if self._heard is None and code in _BAD_TOKEN:
                    raise SettingsError(
                        f"SLACK_APP_TOKEN was refused by Slack ({code}): make one under Basic "
                        "Information, App-Level Tokens, with the scope connections:write."
                    ) from None
                logger.warning("Socket Mode: Slack says %s; next attempt in %.0f s", code, pause)
            except (ClientError, OSError, TimeoutError) as error:
                kind = type(error).__name__
                logger.warning("Socket Mode: no connection (%s); again in %.0f s", kind, pause)
            else:
                logger.warning("Socket Mode: silent for %.0f s; connecting anew", _GIVE_UP_AFTER)
                pause = 1.0
                continue
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _one_life(self) -> None:
        """One client from its first connection to its last silence."""
        handler = self._handler = _Handler(self._bolt, self._app_token, self._pool)
        try:
            # Asked for here, since the client would try one address again for ever.
            handler.client.wss_uri = await handler.client.issue_new_wss_url()
            async with asyncio.timeout(_CONNECT_WITHIN):
                await handler.client.connect()  # type: ignore[no-untyped-call] # slack_sdk's
            await self._listen(handler)
        finally:
            await handler.finish()

    async def _listen(self, handler: _Handler) -> None:
        """Returns when nothing was heard for too long: neither a message nor a pong."""
        last: object = None
        self._heard = monotonic()
        while monotonic() - self._heard < _GIVE_UP_AFTER:
            await asyncio.sleep(1)
            # Compared for change only: it is wall-clock time, which may jump.
            heard = (handler.messages, handler.client.last_ping_pong_time)
            if heard != last:
                last, self._heard = heard, monotonic()


class _Handler(SocketModeHandler):
    """Bolt's handler, with its listeners in threads and an end that waits for them."""

    def __init__(self, bolt: App, app_token: str, pool: Executor) -> None:
        web_client = AsyncWebClient(base_url=bolt.client.base_url, ssl=bolt.client.ssl)
        super().__init__(bolt, app_token, web_client=web_client, ping_interval=_PING)
        #: Messages of any kind since the beginning.
        self.messages = 0
        self._pool = pool
        self._under_way: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self.client.message_listeners.append(self._count)

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override] # as in Bolt's own
        if self._stopping:
            return  # not acknowledged: Slack gives it to whoever connects next
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            loop, start = asyncio.get_running_loop(), time()
            answer = await loop.run_in_executor(self._pool, run_bolt_app, self.app, req)
            await send_async_response(client, req, answer, start)
        finally:
            self._under_way.discard(task)

    async def finish(self) -> None:
        """Takes nothing more, waits a few seconds for what is under way, and closes."""
        self._stopping = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_GRACE)
        try:
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self.client.close()  # type: ignore[no-untyped-call] # slack_sdk's
        except TimeoutError:  # a dead peer does not say goodbye
            await self.client.aiohttp_client_session.close()

    async def _count(self, client: object, message: Mapping[str, Any], raw: str | None) -> None:
        self.messages += 1
