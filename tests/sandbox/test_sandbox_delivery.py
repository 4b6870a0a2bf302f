"""What the sandbox delivers to an app over HTTP, and what becomes of it."""

from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import App
from slack_sdk.signature import SignatureVerifier

from sandbox.client import Workspace
from sandbox.first_workspace import ANA, BOT_USER, SUPPORT, TEAM
from sandbox.manifest import Command, Manifest, Shortcut
from sandbox.sandbox_errors import Impossible
from tests.support.sandbox_fixtures import (
    actions,
    bolt_app,
    button,
    mrkdwn,
    option,
    section,
    serving,
    workspace_with,
)

CARD = [section("Card"), actions(button("Edit", "press", value="7", style="primary"))]


def card(app: App) -> None:
    """Answers the command with a card in the acknowledgement."""

    @app.command("/optin")
    def command(ack: Any) -> None:
        ack(text="Card", blocks=CARD)


def test_requests_carry_signatures_that_slacks_own_verifier_takes() -> None:
    with Workspace.start(mode="http") as ws:
        bolt = bolt_app(ws)
        card(bolt)
        with serving(bolt) as server:
            ws.set_request_url(server.url)
            ws.person("Ana").command("/optin +1 415 555 0100 & <b>")
        headers, body = server.seen[0]
        stamp, signature = headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"]

        assert SignatureVerifier(ws.signing_secret).is_valid(body, stamp, signature)
        assert not SignatureVerifier("other").is_valid(body, stamp, signature)
        assert not SignatureVerifier(ws.signing_secret).is_valid(body + "x", stamp, signature)
        assert parse_qs(body)["text"] == ["+1 415 555 0100 &amp; &lt;b&gt;"]


def test_a_command_has_slacks_fields() -> None:
    seen: list[dict[str, Any]] = []

    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any, body: dict[str, Any]) -> None:
            seen.append(body)
            ack()

    with workspace_with(listen) as ws:
        outcome = ws.person("Ana").command("/optin  Dana ", channel="#support")

    assert outcome.messages == []
    assert set(seen[0]) == {
        "token",
        "team_id",
        "team_domain",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "api_app_id",
        "is_enterprise_install",
        "response_url",
        "trigger_id",
    }
    assert (seen[0]["user_id"], seen[0]["channel_id"]) == (ANA, SUPPORT)
    assert (seen[0]["command"], seen[0]["text"]) == ("/optin", "Dana")


def test_a_command_that_escapes_turns_numbers_and_addresses_into_links() -> None:
    texts: list[str] = []

    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any, body: dict[str, Any]) -> None:
            texts.append(body["text"])
            ack()

    manifest = Manifest(commands=(Command(name="/optin", escapes=True),))
    with workspace_with(listen, manifest=manifest) as ws:
        ws.person("Ana").command("/optin +1 415 555 0100 dana@example.com")

    assert texts == [
        "<tel:+14155550100|+1 415 555 0100> <mailto:dana@example.com|dana@example.com>"
    ]


def test_a_click_on_an_ephemeral_comes_without_the_message() -> None:
    seen: list[dict[str, Any]] = []

    def listen(app: App) -> None:
        card(app)

        @app.action("press")
        def pressed(ack: Any, body: dict[str, Any], client: Any) -> None:
            seen.append(body)
            ack()

        @app.event("app_mention")
        def mentioned(event: dict[str, Any], client: Any) -> None:
            client.chat_postMessage(channel=event["channel"], text="Card", blocks=CARD)

    with workspace_with(listen) as ws:
        ana = ws.person("Ana")
        private = ana.command("/optin").messages[0]
        ana.press("Edit", in_=private)
        public = ana.say("hello @optin").messages[-1]
        ana.press("Edit", in_=public)

    first, second = seen
    assert first["container"] == {
        "type": "message",
        "message_ts": private.ts,
        "channel_id": SUPPORT,
        "is_ephemeral": True,
    }
    assert "message" not in first
    assert second["message"]["ts"] == public.ts
    assert second["message"]["blocks"][1]["elements"][0]["action_id"] == "press"
    assert second["team"]["id"] == TEAM
    assert second["user"] == {"id": ANA, "username": "ana", "name": "ana", "team_id": TEAM}
    action = second["actions"][0]
    assert (action["value"], action["style"], action["type"]) == ("7", "primary", "button")
    assert action["action_ts"]


def test_selects_and_menus_in_messages_tell_what_was_chosen() -> None:
    seen: list[dict[str, Any]] = []
    options = [option("One", "1"), option("Two", "2")]

    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any) -> None:
            ack(
                blocks=[
                    section(
                        "Menu",
                        accessory={"type": "overflow", "action_id": "menu", "options": options},
                    ),
                    actions({"type": "static_select", "action_id": "pick", "options": options}),
                ]
            )

        @app.action("menu")
        @app.action("pick")
        def chosen(ack: Any, body: dict[str, Any]) -> None:
            seen.append(body)
            ack()

    with workspace_with(listen) as ws:
        ana = ws.person("Ana")
        ana.command("/optin")
        ana.overflow("Two")
        ana.choose("pick", "One")

    assert seen[0]["actions"][0]["selected_option"]["value"] == "2"
    assert seen[1]["actions"][0]["selected_option"]["value"] == "1"
    state = seen[1]["state"]["values"]["buttons"]["pick"]
    assert state["selected_option"]["value"] == "1"


def test_shortcuts_of_both_kinds_reach_the_app() -> None:
    seen: list[dict[str, Any]] = []

    def listen(app: App) -> None:
        @app.shortcut("find")
        @app.shortcut("check")
        def used(ack: Any, body: dict[str, Any]) -> None:
            seen.append(body)
            ack()

    manifest = Manifest(
        shortcuts=(
            Shortcut(name="Find", kind="global", callback_id="find"),
            Shortcut(name="Check", kind="message", callback_id="check"),
        )
    )
    with workspace_with(listen, manifest=manifest) as ws:
        ana = ws.person("Ana")
        message = ana.say("call 415 555 0100").messages[0]
        ana.shortcut("find")
        ana.shortcut("check", message)
        with pytest.raises(Impossible, match="no global shortcut check"):
            ana.shortcut("check")

    assert [body["type"] for body in seen] == ["shortcut", "message_action"]
    assert seen[1]["message"]["text"] == "call 415 555 0100"


def test_a_mention_in_blocks_is_told_as_a_ping_of_that_message() -> None:
    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any) -> None:
            ack(text="a", blocks=[{"type": "context", "elements": [mrkdwn(f"<@{BOT_USER}>")]}])

    with workspace_with(listen) as ws:
        message = ws.person("Ana").command("/optin").messages[0]

    assert message.pings == [f"@{BOT_USER}"]
