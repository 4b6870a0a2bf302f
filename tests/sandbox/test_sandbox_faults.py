"""Faults on request, the journal, the clock, and changes of the workspace."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from sandbox.client import Workspace
from sandbox.first_workspace import MANAGERS, RANDOM, SUPPORT
from sandbox.manifest import read_manifest
from tests.support.sandbox_fixtures import web_client


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        yield workspace


@pytest.fixture
def client(ws: Workspace) -> WebClient:
    return web_client(ws)


def refusal(call: Any, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**args)
    return str(refused.value.response["error"])


def test_pages_of_other_sites_are_refused(ws: Workspace) -> None:
    request = Request(f"{ws.url}/sandbox/journal", headers={"Origin": "https://elsewhere.example"})
    with pytest.raises(HTTPError) as refused:
        urlopen(request)
    with refused.value:
        assert refused.value.code == 403


def test_the_app_is_told_of_changes_that_its_manifest_asks_for() -> None:
    events = {"settings": {"event_subscriptions": {"bot_events": ["subteam_members_changed"]}}}
    with Workspace.start(mode="http", manifest=read_manifest(events), retry_delays=()) as ws:
        ws.set_group("@optin-managers", ["Mia"])
        ws.archive("#random")
        told = [line["args"]["event"] for line in ws.journal() if line["direction"] == "out"]

    assert [(event["type"], event["subteam_id"]) for event in told] == [
        ("subteam_members_changed", MANAGERS)
    ]


def test_a_rate_limit_is_told_with_its_wait(ws: Workspace, client: WebClient) -> None:
    ws.fault("chat.postMessage", "ratelimited", retry_after=3, times=2)
    refused = []
    for _ in range(2):
        with pytest.raises(SlackApiError) as error:
            client.chat_postMessage(channel=SUPPORT, text="a")
        refused.append(error.value.response)

    assert [answer.status_code for answer in refused] == [429, 429]
    assert refused[0].headers["Retry-After"] == "3"
    assert client.chat_postMessage(channel=SUPPORT, text="a")["ok"]


def test_a_server_error_changes_nothing(ws: Workspace, client: WebClient) -> None:
    ws.fault("chat.postMessage", "server_error")
    with pytest.raises(SlackApiError) as error:
        client.chat_postMessage(channel=SUPPORT, text="a")

    assert error.value.response.status_code == 500
    assert ws.person("Ana").messages() == []


def test_a_connection_may_break_after_the_message_was_taken(
    ws: Workspace, client: WebClient
) -> None:
    ws.fault("chat.postMessage", "close_after_accept")
    with pytest.raises((ConnectionError, URLError)):
        client.chat_postMessage(channel=SUPPORT, text="a")

    assert [message.text for message in ws.person("Ana").messages()] == ["a"]


def test_an_answer_may_come_too_late(ws: Workspace) -> None:
    ws.fault("chat.postMessage", "timeout", seconds=1.0)
    client = WebClient(token=ws.bot_token, base_url=ws.api_url, timeout=0.1, retry_handlers=[])  # type: ignore[arg-type]  # seconds, of which urllib takes fractions
    with pytest.raises(TimeoutError):
        client.chat_postMessage(channel=SUPPORT, text="a")

    assert [message.text for message in ws.person("Ana").messages()] == ["a"]


def test_the_journal_tells_every_call_without_the_token(ws: Workspace, client: WebClient) -> None:
    refusal(client.chat_postMessage, channel=RANDOM, text="a")
    line = ws.journal("chat.postMessage")[0]

    assert (line["direction"], line["outcome"]) == ("in", "not_in_channel")
    assert line["args"]["channel"] == RANDOM
    assert ws.bot_token not in json.dumps(ws.journal())


def test_the_clock_of_the_workspace_can_be_given() -> None:
    now = datetime(2030, 1, 2, tzinfo=UTC)
    with Workspace.start(mode="socket", clock=lambda: now) as ws:
        first = web_client(ws).chat_postMessage(channel=SUPPORT, text="a")["ts"]
        second = web_client(ws).chat_postMessage(channel=SUPPORT, text="b")["ts"]

    assert datetime.fromtimestamp(float(first), UTC) - now < timedelta(seconds=1)
    assert first < second
