"""Socket Mode: Slack's requests over a WebSocket that we open, with the sync Bolt app.

What Slack's own client leaves to us: listeners run in threads (in the loop a slow one holds up
pings and everybody else), a connection that went silent is given up as a whole (`is_connected()`
says True for minutes after a peer has died: slackapi/python-slack-sdk#1701,
slackapi/bolt-python#1529), and whom Slack turns away waits before coming back (the client is back
at once, again and again: slackapi/node-slack-sdk#1654).
"""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import Executor
from contextlib import suppress
from datetime import timedelta
from time import monotonic, time
from typing import Any

from aiohttp import ClientError
from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import run_bolt_app
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.config.settings import SettingsError
from bot.consent.use_cases.wrapped_store import RequestToken
from bot.runtime import clock
from handlers.slack.hand_over import HANDED_OVER, REQUEST, Begin
from handlers.slack.payload import repaired

logger = logging.getLogger(__name__)

#: All in seconds. A dead peer is noticed within two pings.
_PING = 5.0
_READY_WITHIN = 30.0
_GIVE_UP_AFTER = 60.0
_CONNECT_WITHIN = 30.0
#: For Slack's hello, after which it uses a connection.
_HELLO_WITHIN = 10.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
#: What Slack has waited for longer is of no use to anybody.
_GRACE = 3.0
_CLOSE_WITHIN = 1.0
#: Slack gives up on an envelope earlier.
_SENT_AGAIN_WITHIN = timedelta(hours=1)

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
#: With these Slack asks us to come back at once, as it does every few hours.
_COME_BACK = {"warning", "refresh_requested"}
#: What there is to be done about the others.
_NO_HELLO = "no_hello"
_ENDS = {
    _NO_HELLO: "connected, but Slack sent no hello",
    "too_many_websockets": "Slack allows an app ten connections, and this app has them "
    "(too_many_websockets). Stop an `optin serve` that isn't needed, or switch to HTTP, where "
    "there is no such limit",
    "link_disabled": "Socket Mode was switched off in your Slack app's settings (link_disabled). "
    "Switch it on again, or start with --mode http",
}


class SocketMode:
    """The connection. `run` is to live beside the web server; `ready` is for its health."""

    def __init__(
        self, bolt: App, app_token: str, *, pool: Executor, hello_within: float = _HELLO_WITHIN
    ) -> None:
        """Bolt runs in threads of the pool. The address is that of the app's own client. A
        connection on which Slack sends no hello within so many seconds is given up."""
        self._bolt = bolt
        self._app_token = app_token
        self._pool = pool
        self._hello_within = hello_within
        self._client: _Client | None = None
        self._heard: float | None = None

    def ready(self) -> bool:
        """Whether Slack was heard of in the last half minute over a connection that is open."""
        client = self._client
        session = client and client.current_session
        if not client or not session or session.closed or not client.greeted:
            return False
        return self._heard is not None and monotonic() - self._heard < _READY_WITHIN

    async def run(self) -> None:
        """Connected until cancelled; then what is under way is answered first.

        Raises `SettingsError` where Slack refuses the token at the very first attempt. Later,
        and for anything else, it tries again, more and more slowly.
        """
        pause = _FIRST_PAUSE
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
                problem = f"Slack says {code}"
            except _Ended as end:
                problem = _ENDS.get(end.reason, f"Slack ended the connection ({end.reason})")
            except (ClientError, OSError, TimeoutError) as error:
                problem = f"no connection ({type(error).__name__})"
            else:
                logger.warning("Socket Mode: silent for %.0f s; connecting anew", _GIVE_UP_AFTER)
                pause = _FIRST_PAUSE
                continue
            if self._client and self._client.greeted:
                pause = _FIRST_PAUSE
            logger.warning("Socket Mode: %s; next attempt in %.0f s", problem, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _one_life(self) -> None:
        """One client from its first connection to its last silence. Raises `_Ended` where Slack
        does not want it any more."""
        client = self._client = _Client(self._bolt, self._app_token, self._pool)
        try:
            # Asked for here, since the client would try one address again for ever.
            client.wss_uri = await client.issue_new_wss_url()
            async with asyncio.timeout(_CONNECT_WITHIN):
                await client.connect()
            await self._listen(client)
        finally:
            await client.finish()

    async def _listen(self, client: _Client) -> None:
        """Returns when nothing was heard for too long: neither a message nor a pong."""
        last: object = None
        self._heard = monotonic()
        while monotonic() - self._heard < _GIVE_UP_AFTER:
            await asyncio.wait([client.ended], timeout=1)
            if client.ended.done():
                raise _Ended(client.ended.result())
            if not client.greeted and monotonic() - client.connected_at > self._hello_within:
                raise _Ended(_NO_HELLO)
            # Compared for change only: it is wall-clock time, which may jump.
            heard = (client.messages, client.last_ping_pong_time)
            if heard != last:
                last, self._heard = heard, monotonic()


class _Ended(Exception):
    """Slack ended the connection, and does not ask us to come back; or never began to use it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Client(SocketModeClient):
    """Slack's client, with its listeners in threads, an end that waits for them, and no return to
    where it was turned away."""

    def __init__(self, bolt: App, app_token: str, pool: Executor) -> None:
        super().__init__(
            app_token,
            logger=bolt.logger,
            web_client=AsyncWebClient(base_url=bolt.client.base_url, ssl=bolt.client.ssl),
            ping_interval=_PING,
        )
        #: Messages of any kind since the beginning.
        self.messages = 0
        #: Whether this connection is one that Slack uses.
        self.greeted = False
        self.connected_at = monotonic()
        #: With Slack's reason, where it ends the connection for good.
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._bolt = bolt
        self._pool = pool
        self._under_way: set[asyncio.Task[None]] = set()
        self.socket_mode_request_listeners.append(self._answer)

    async def connect(self) -> None:
        self.greeted = False
        self.connected_at = monotonic()
        await super().connect()  # type: ignore[no-untyped-call] # slack_sdk's

    async def enqueue_message(self, message: str) -> None:
        """Each is worked on from the moment it has come, so that `finish` knows of all of them.
        The last one is seen here, before the client hears that the connection is closed and
        connects again by itself."""
        self.messages += 1
        said: dict[str, Any] = json.loads(message) if message.startswith("{") else {}
        match said.get("type"):
            case "hello":
                self.greeted = True
                logger.info(
                    "Socket Mode: connected; this app has %s of the ten connections that Slack "
                    "allows it",
                    said.get("num_connections", "one"),
                )
            case "disconnect" if (reason := str(said.get("reason"))) not in _COME_BACK:
                self.auto_reconnect_enabled = False
                if not self.ended.done():
                    self.ended.set_result(reason)
                return
        task = asyncio.create_task(self.run_message_listeners(said, message))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self) -> None:
        """Waits a few seconds for what is under way, and closes. What comes meanwhile is answered,
        too: Slack gives clicks and commands to nobody else."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                while self._under_way:
                    await asyncio.wait(self._under_way)
        try:
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self.close()  # type: ignore[no-untyped-call] # slack_sdk's
        except TimeoutError:  # a dead peer does not say goodbye
            await self.aiohttp_client_session.close()

    async def _answer(self, _: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        loop, start = asyncio.get_running_loop(), time()
        payload = repaired(request.payload)
        work: list[Begin] = []
        if payload is None:
            logger.warning("Socket Mode: a request that is not of Slack's shape was dropped")
            answer = BoltResponse(status=200, body="")
        else:
            request.payload = payload
            answer, work = await loop.run_in_executor(self._pool, _dispatch, self._bolt, request)
        try:
            await send_async_response(self, request, answer, start)
        finally:
            for begin in work:
                begin()


def _dispatch(bolt: App, request: SocketModeRequest) -> tuple[BoltResponse, list[Begin]]:
    work: list[Begin] = []
    HANDED_OVER.work = work
    # Slack sends an envelope again where the connection broke before it was acknowledged.
    token = RequestToken(key=request.envelope_id, until=clock.now() + _SENT_AGAIN_WITHIN)
    running = REQUEST.set(token)
    try:
        return run_bolt_app(bolt, request), work
    except BaseException:
        for begin in work:
            begin()
        raise
    finally:
        REQUEST.reset(running)
        HANDED_OVER.work = None
