"""How the sandbox tells the app of links, and takes what it puts below them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from sandbox.client import Workspace
from sandbox.first_workspace import ANA, RANDOM, SUPPORT
from sandbox.manifest import Manifest, read_manifest
from tests.support.sandbox_fixtures import section, web_client

URL = "https://crm.example.com/c/7?a=1&b=2"
LINKS = Manifest(events=frozenset({"link_shared"}), domains=frozenset({"example.com"}))


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.start(mode="socket", manifest=LINKS, retry_delays=()) as workspace:
        yield workspace


@pytest.fixture
def client(ws: Workspace) -> WebClient:
    return web_client(ws)


def told(ws: Workspace) -> list[dict[str, Any]]:
    return [line["args"]["event"] for line in ws.journal("link_shared")]


def refusal(call: Any, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**args)
    return str(refused.value.response["error"])


def test_the_manifest_names_the_domains() -> None:
    assert read_manifest({"features": {"unfurl_domains": ["a.example"]}}).domains == {"a.example"}
    assert read_manifest({}).domains == frozenset()


def test_the_app_hears_of_links_to_its_domains_wherever_they_are_posted(ws: Workspace) -> None:
    ana = ws.person("Ana")
    ana.say(f"See {URL} and {URL}, not https://example.org/", "#random")
    (event,) = told(ws)

    assert ana.messages("#random")[-1].text == (
        "See <https://crm.example.com/c/7?a=1&amp;b=2> and "
        "<https://crm.example.com/c/7?a=1&amp;b=2>, not <https://example.org/>"
    )
    assert event["links"][0] == {"domain": "crm.example.com", "url": URL}
    assert (event["channel"], event["user"], event["source"]) == (
        RANDOM,
        ANA,
        "conversations_history",
    )
    assert event["is_bot_user_member"] is False
    assert event["message_ts"] == ana.messages("#random")[-1].ts


def test_a_link_elsewhere_is_told_to_nobody(ws: Workspace) -> None:
    ana = ws.person("Ana")
    for text in ("https://example.org/", "https://notexample.com/", "example.com", "https://[x"):
        ana.say(text)

    assert told(ws) == []


def test_what_the_app_gives_stands_below_the_link_and_is_replaced(
    ws: Workspace, client: WebClient
) -> None:
    ana = ws.person("Ana")
    ana.say(URL)
    (event,) = told(ws)
    given = {"channel": event["channel"], "ts": event["message_ts"]}
    client.chat_unfurl(**given, unfurls={URL: {"blocks": [section("One")]}})
    client.chat_unfurl(
        unfurl_id=event["unfurl_id"],
        source=event["source"],
        unfurls={URL: {"blocks": [section("Two")]}},
    )

    (below,) = ana.messages()[-1].raw["attachments"]
    assert (below["app_unfurl_url"], below["is_app_unfurl"]) == (URL, True)
    assert below["blocks"][0]["text"]["text"] == "Two"
    assert ana.messages()[-1].plain.endswith("Two")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"unfurls": {}}, "missing_unfurls"),
        ({"unfurls": "[1]"}, "invalid_unfurls_format"),
        ({"unfurls": {"https://example.com/other": {"blocks": []}}}, "cannot_unfurl_url"),
        ({"unfurls": {URL: {"blocks": [{"type": "alert"}]}}}, "invalid_blocks"),
        ({"unfurls": {URL: {"blocks": []}}, "ts": "1.1"}, "cannot_find_message"),
        ({"unfurls": {URL: {"blocks": []}}, "ts": None}, "missing_ts"),
        ({"unfurls": {URL: {"blocks": []}}, "source": "mail"}, "invalid_source"),
        ({"unfurls": {URL: {"blocks": []}}, "source": "composer"}, "missing_unfurl_id"),
    ],
)
def test_slacks_refusals(
    ws: Workspace, client: WebClient, args: dict[str, Any], error: str
) -> None:
    ana = ws.person("Ana")
    ana.say(URL)
    given = {"channel": SUPPORT, "ts": ana.messages()[-1].ts}

    assert refusal(client.chat_unfurl, **given | args) == error


def test_it_takes_the_scope_to_write_links() -> None:
    with Workspace.start(mode="socket", manifest=Manifest(scopes=frozenset())) as ws:
        client = web_client(ws)

        error = refusal(client.chat_unfurl, channel=SUPPORT, ts="1.1", unfurls={URL: {}})
        assert error == "missing_scope"


def test_a_link_in_the_composer_names_no_channel(ws: Workspace, client: WebClient) -> None:
    ana, ben = ws.person("Ana"), ws.person("Ben")
    ana.write(f"See {URL}")
    ana.write(f"See {URL} now")
    (event,) = told(ws)
    assert (event["channel"], event["source"]) == ("COMPOSER", "composer")

    below = {"blocks": [section("One")], "preview": {"title": {"type": "plain_text", "text": "T"}}}
    client.chat_unfurl(unfurl_id=event["unfurl_id"], source="composer", unfurls={URL: below})

    assert ana.previews() == [{"channel": SUPPORT, "url": URL, "title": "T"}]
    assert ben.previews() == []
    ana.write("")
    assert ana.previews() == []
