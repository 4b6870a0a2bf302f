"""Socket Mode against a small Slack of its own: a Web API with one method, and a WebSocket."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import pytest
from aiohttp import WSCloseCode, web
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.config.settings import SettingsError
from bot.runtime.socket_mode import SocketMode


class Slack:
    """Answers `apps.connections.open` as it is told to, and keeps the connection."""

    def __init__(self) -> None:
        #: What it answers next, before it gives an address again.
        self.refusals: list[dict[str, Any] | int] = []
        #: With these it ends the next connections instead of saying hello.
        self.farewells: list[str] = []
        #: So many of the next connections get no hello, but pongs.
        self.silent = 0
        self.asked = 0
        self.connections: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self._open)
        app.router.add_get("/link", self._link)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/api/"
        try:
            yield
        finally:
            await runner.cleanup()

    async def ask(self, connection: web.WebSocketResponse, envelope: str, text: str) -> None:
        payload = {"command": "/optin", "text": text, "user_id": "U1", "team_id": "T1"}
        await connection.send_json(
            {"type": "slash_commands", "envelope_id": envelope, "payload": payload}
        )

    async def _open(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.refusals:
            refusal = self.refusals.pop(0)
            if isinstance(refusal, int):
                return web.Response(status=refusal)
            return web.json_response(refusal)
        assert request.headers["Authorization"] == "Bearer xapp-1"
        link = self.url.replace("http", "ws").replace("/api/", "/link")
        return web.json_response({"ok": True, "url": link})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        if self.farewells:
            await connection.send_json({"type": "disconnect", "reason": self.farewells.pop(0)})
            await connection.close()
            return connection
        if self.silent:
            self.silent -= 1
            async for _ in connection:
                pass
            return connection
        await connection.send_json({"type": "hello", "num_connections": 1})
        await self.connections.put(connection)
        async for message in connection:
            await self.answers.put(json.loads(message.data))
        return connection


class Bot:
    """One command, which waits where its text says so."""

    def __init__(self, url: str) -> None:
        self.app = App(
            client=WebClient(base_url=url),
            authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1"),
            signing_secret="unused here",
            process_before_response=True,
        )
        self.app.command("/optin")(self.optin)
        self.waiting = Event()
        self.go_on = Event()

    def optin(self, ack: Ack, command: dict[str, str]) -> None:
        if command["text"] == "wait":
            self.waiting.set()
            assert self.go_on.wait(20)
        ack(f"asked for {command['text']}")


def play(scene: Callable[[Slack, Bot, SocketMode], Awaitable[None]], *refusals: Any) -> None:
    """Plays a scene with a bot that connects to Slack; a scene may take half a minute."""

    async def all_of_it() -> None:
        slack = Slack()
        slack.refusals += refusals
        async with asyncio.timeout(30), slack.serving():
            bot = Bot(slack.url)
            with ThreadPoolExecutor(4) as pool:
                await scene(slack, bot, SocketMode(bot.app, "xapp-1", pool=pool))

    asyncio.run(all_of_it())


@asynccontextmanager
async def running(connection: SocketMode) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(connection.run())
    try:
        yield task
    finally:
        if not task.cancelling():
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_a_command_is_answered_over_the_connection():
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        async with running(socket_mode):
            connection = await slack.connections.get()
            await slack.ask(connection, "e1", "Ana")
            answer = await slack.answers.get()

        assert answer == {"envelope_id": "e1", "payload": {"text": "asked for Ana"}}

    play(scene)


def test_a_slow_listener_does_not_hold_up_another():
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        async with running(socket_mode):
            connection = await slack.connections.get()
            await slack.ask(connection, "slow", "wait")
            await until(bot.waiting.is_set)
            await slack.ask(connection, "quick", "Ana")
            first = await slack.answers.get()
            bot.go_on.set()
            second = await slack.answers.get()

        assert [first["envelope_id"], second["envelope_id"]] == ["quick", "slow"]

    play(scene)


def test_it_is_ready_while_it_is_connected():
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        before = socket_mode.ready()
        async with running(socket_mode):
            await slack.connections.get()
            await until(socket_mode.ready)
        after = socket_mode.ready()

        assert (before, after) == (False, False)

    play(scene)


def test_it_connects_anew_when_slack_closes_and_when_slack_says_so():
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        async with running(socket_mode):
            first = await slack.connections.get()
            await first.close(code=WSCloseCode.GOING_AWAY)
            second = await slack.connections.get()
            await second.send_json({"type": "disconnect", "reason": "refresh_requested"})
            third = await slack.connections.get()
            await slack.ask(third, "e3", "Ana")
            answer = await slack.answers.get()
            ready = socket_mode.ready()

        assert answer["envelope_id"] == "e3"
        assert ready

    play(scene)


def test_what_is_under_way_is_answered_before_it_ends():
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        async with running(socket_mode):
            connection = await slack.connections.get()
            await slack.ask(connection, "late", "wait")
            await until(bot.waiting.is_set)
            asyncio.get_running_loop().call_later(0.2, bot.go_on.set)
        answer = await slack.answers.get()

        assert answer["envelope_id"] == "late"

    play(scene)


def test_what_comes_while_it_ends_is_answered_too():
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        async with running(socket_mode) as task:
            connection = await slack.connections.get()
            await slack.ask(connection, "first", "wait")
            await until(bot.waiting.is_set)
            task.cancel()
            await slack.ask(connection, "second", "Ana")
            second = await slack.answers.get()
            bot.go_on.set()
        first = await slack.answers.get()

        assert [first["envelope_id"], second["envelope_id"]] == ["first", "second"]

    play(scene)


@pytest.mark.parametrize(
    ("farewell", "cure"),
    [
        ("too_many_websockets", "Stop an `optin serve` that isn't needed"),
        ("link_disabled", "Switch it on again"),
        ("a new word", r"Slack ended the connection \(a new word\)"),
    ],
)
def test_whom_slack_turns_away_says_why_and_comes_back_after_a_pause(farewell, cure, caplog):
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        slack.farewells.append(farewell)
        began = asyncio.get_running_loop().time()
        async with running(socket_mode):
            await slack.connections.get()
            await until(socket_mode.ready)

        assert slack.asked == 2
        assert asyncio.get_running_loop().time() - began >= 1

    with caplog.at_level(logging.WARNING):
        play(scene)

    [told] = [one.message for one in caplog.records if "Socket Mode" in one.message]
    assert re.search(cure, told)
    assert told.endswith("next attempt in 1 s")


def test_a_token_that_slack_refuses_is_one_sentence_and_the_end():
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        with pytest.raises(SettingsError, match=r"^SLACK_APP_TOKEN was refused .*invalid_auth"):
            await socket_mode.run()

        assert slack.asked == 1

    play(scene, {"ok": False, "error": "invalid_auth"})


@pytest.mark.parametrize("refusal", [503, {"ok": False, "error": "internal_error"}])
def test_a_slack_that_is_down_is_asked_again(refusal, caplog):
    async def scene(slack: Slack, bot: Bot, socket_mode: SocketMode) -> None:
        async with running(socket_mode):
            await slack.connections.get()
            await until(socket_mode.ready)

        assert slack.asked == 2

    with caplog.at_level(logging.WARNING):
        play(scene, refusal)

    assert "Socket Mode: " in caplog.text
    assert "xapp" not in caplog.text


def test_a_connection_without_a_hello_is_made_anew() -> None:
    async def scene(slack: Slack, bot: Bot, _: SocketMode) -> None:
        slack.silent = 2
        with ThreadPoolExecutor(1) as pool:
            patient = SocketMode(bot.app, "xapp-1", pool=pool, hello_within=0.5)
            async with running(patient):
                connection = await asyncio.wait_for(slack.connections.get(), 20)
                await slack.ask(connection, "E1", "hello")
                answer = await asyncio.wait_for(slack.answers.get(), 10)

        assert slack.asked == 3
        assert answer["payload"]["text"] == "asked for hello"

    play(scene)
