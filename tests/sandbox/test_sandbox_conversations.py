"""What people write, as the app hears of it: mentions, direct messages, threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.first_workspace import ANA, BOT_USER, SUPPORT
from sandbox.manifest import Manifest, read_manifest
from sandbox.sandbox_errors import Impossible

MENTION, DIRECT = "app_mention", "message.im"
TYPED = "@optin (415) 555-0106 or +1 415 555 0106, a.b@example.com & <more>"


@pytest.fixture
def ws() -> Iterator[Workspace]:
    manifest = Manifest(events=frozenset({MENTION, DIRECT}))
    with Workspace.start(mode="http", manifest=manifest, retry_delays=()) as ws:
        yield ws


def told(ws: Workspace) -> list[dict[str, Any]]:
    """The bodies of the events that the app was sent."""
    return [line["args"] for line in ws.journal() if line["direction"] == "out"]


def test_a_mention_comes_with_links_and_with_rich_text(ws: Workspace) -> None:
    ws.person("Ana").say(TYPED)

    (body,) = told(ws)
    event = body["event"]
    assert (event["type"], event["user"], event["channel"]) == ("app_mention", ANA, SUPPORT)
    assert event["text"] == (
        f"<@{BOT_USER}> (415) 555-0106 or <tel:+14155550106|+1 415 555 0106>, "
        "<mailto:a.b@example.com|a.b@example.com> &amp; &lt;more&gt;"
    )
    (block,) = event["blocks"]
    assert block["type"] == "rich_text"
    assert block["elements"][0]["elements"] == [
        {"type": "user", "user_id": BOT_USER},
        {"type": "text", "text": " (415) 555-0106 or "},
        {"type": "link", "url": "tel:+14155550106", "text": "+1 415 555 0106"},
        {"type": "text", "text": ", "},
        {"type": "link", "url": "mailto:a.b@example.com", "text": "a.b@example.com"},
        {"type": "text", "text": " & <more>"},
    ]
    assert body["is_ext_shared_channel"] is False


def test_a_shared_channel_is_named_as_one(ws: Workspace) -> None:
    ws.share("#support")
    ws.person("Ana").say("@optin hello")

    assert told(ws)[-1]["is_ext_shared_channel"] is True


def test_an_app_that_is_not_in_the_channel_hears_of_no_mention(ws: Workspace) -> None:
    ws.remove_app("#support")
    ws.person("Ana").say("@optin hello")

    assert told(ws) == []


def test_a_reply_names_its_thread_and_needs_one(ws: Workspace) -> None:
    ana = ws.person("Ana")
    ana.say("first")
    ana.say("@optin hello", thread_ts=ana.messages()[-1].raw["ts"])

    assert told(ws)[-1]["event"]["thread_ts"] == ana.messages()[0].raw["ts"]
    with pytest.raises(Impossible):
        ana.say("lost", thread_ts="1.000001")


def test_direct_messages_are_told_and_mentions_in_them_are_no_mentions(ws: Workspace) -> None:
    ws.person("Ana").say("@optin hello", "directmessage")

    (event,) = [body["event"] for body in told(ws)]
    assert (event["type"], event["channel_type"]) == ("message", "im")
    assert event["channel"].startswith("D")


def test_an_app_whose_messages_tab_is_read_only_can_not_be_written_to() -> None:
    manifest = read_manifest({"features": {"app_home": {"messages_tab_read_only_enabled": True}}})
    with Workspace.start(mode="http", manifest=manifest) as ws, pytest.raises(Impossible):
        ws.person("Ana").say("hello", "directmessage")
