"""The sandbox speaks Socket Mode with Bolt's own aiohttp adapter and a sync App."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse
from slack_bolt import App
from slack_bolt.adapter.socket_mode.aiohttp import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient
from websockets.sync.client import ClientConnection, connect

from sandbox.client import Workspace
from sandbox.first_workspace import ANA
from tests.support.sandbox_fixtures import (
    actions,
    bolt_app,
    button,
    section,
)

CARD = [section("Card"), actions(button("Edit", "press", value="7", style="primary"))]


def card(app: App) -> None:
    """Answers the command with a card in the acknowledgement."""

    @app.command("/optin")
    def command(ack: Any) -> None:
        ack(text="Card", blocks=CARD)


@contextmanager
def socket_mode(
    listen: Callable[[App], None], connections: int = 1, **options: Any
) -> Iterator[Workspace]:
    """A workspace and an app over Socket Mode, as `optin serve` runs it: a sync App, aiohttp."""
    with Workspace.start(mode="socket", **options) as ws:
        bolt = bolt_app(ws)
        listen(bolt)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        def run(work: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result(10)

        async def connect() -> SocketModeHandler:
            client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url)
            handler = SocketModeHandler(bolt, ws.app_token, web_client=client)
            await handler.connect_async()
            return handler

        handlers = [run(connect()) for _ in range(connections)]
        try:
            yield ws
        finally:
            for handler in handlers:
                run(handler.close_async())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


def test_commands_clicks_and_events_travel_over_socket_mode() -> None:
    def listen(app: App) -> None:
        card(app)

        @app.action("press")
        def pressed(ack: Any, respond: Any) -> None:
            ack()
            respond(text="pressed", replace_original=True)

        @app.event("app_mention")
        def mentioned(event: dict[str, Any], say: Any) -> None:
            say(f"hello <@{event['user']}>")

    with socket_mode(listen) as ws:
        ana = ws.person("Ana")
        outcome = ana.command("/optin Dana")
        ana.press("Edit")
        replaced = ana.messages()[0]
        ana.say("@optin hi")
        ws.wait_until(lambda: any(m.text == f"hello <@{ANA}>" for m in ana.messages()))

    assert outcome.error is None
    assert outcome.messages[0].is_ephemeral
    assert replaced.plain == "pressed"


def test_socket_mode_shares_envelopes_among_its_connections() -> None:
    with socket_mode(card, connections=2) as ws:
        outcomes = [ws.person("Ana").command("/optin") for _ in range(4)]

        told = [line["connection"] for line in ws.journal("/optin")]

    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert told == [1, 2, 1, 2]


def test_an_eleventh_connection_is_taken_and_ended_without_a_hello() -> None:
    async def first_words(ws: Workspace) -> list[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            client = AsyncWebClient(base_url=ws.api_url)
            session = await stack.enter_async_context(ClientSession())

            async def connect() -> ClientWebSocketResponse:
                address = (await client.apps_connections_open(app_token=ws.app_token))["url"]
                return await stack.enter_async_context(session.ws_connect(address))

            connections = [await connect() for _ in range(11)]
            said = [await one.receive_json(timeout=10) for one in connections]
            await connections[-1].receive(timeout=10)
            assert connections[-1].closed
            await connections[0].close()
            while (again := await (await connect()).receive_json(timeout=10))["type"] != "hello":
                pass  # until it is known that one has gone
            return [*said, again]

    with Workspace.start(mode="socket") as ws:
        *hellos, eleventh, again = asyncio.run(first_words(ws))

    assert [one["num_connections"] for one in hellos] == list(range(1, 11))
    assert (eleventh["type"], eleventh["reason"]) == ("disconnect", "too_many_websockets")
    assert again["num_connections"] == 10


def test_what_one_connection_leaves_unanswered_another_is_told_of_if_it_is_an_event() -> None:
    def taken(connection: ClientConnection) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(connection.recv(timeout=10))
        return found

    with (
        Workspace.start(mode="socket", ack_timeout=0.2, retry_delays=(0.0,)) as ws,
        ExitStack() as stack,
    ):
        client = WebClient(base_url=ws.api_url)
        one, other = (
            stack.enter_context(
                connect(client.apps_connections_open(app_token=ws.app_token)["url"])
            )
            for _ in range(2)
        )
        assert [taken(connection)["type"] for connection in (one, other)] == ["hello"] * 2
        ana = ws.person("Ana")
        ana.say("@optin hi")
        told, again = taken(one), taken(other)
        other.send(json.dumps({"envelope_id": again["envelope_id"]}))
        outcome = ana.command("/optin")
        command = taken(one)
        ana.command("/optin help")
        following = taken(other)

    assert told["payload"] == again["payload"]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert outcome.timed_out
    assert command["payload"]["text"] == ""
    assert following["payload"]["text"] == "help"


def test_an_app_comes_back_after_a_disconnect() -> None:
    with socket_mode(card) as ws:
        connected = len(ws.journal("apps.connections.open"))
        ws.disconnect()
        ws.wait_until(lambda: len(ws.journal("apps.connections.open")) > connected)
        ws.wait_until(lambda: ws.person("Ana").command("/optin").error is None)


def test_without_a_connection_the_dispatch_fails() -> None:
    with Workspace.start(mode="socket") as ws:
        assert ws.person("Ana").command("/optin").error == "dispatch_failed"


def test_an_envelope_that_is_not_acknowledged_times_out() -> None:
    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any) -> None:
            """Never acknowledges."""

    with socket_mode(listen, ack_timeout=0.2) as ws:
        outcome = ws.person("Ana").command("/optin")

    assert outcome.timed_out
