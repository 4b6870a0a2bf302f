"""Answers through a response_url: five of them, for thirty minutes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from slack_bolt import App

from sandbox.client import Workspace
from tests.support.sandbox_fixtures import (
    actions,
    button,
    section,
    workspace_with,
)

CARD = [section("Card"), actions(button("Edit", "press", value="7", style="primary"))]


def post(url: str, body: Any) -> tuple[int, str]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def clicked(clock: Callable[[], datetime] | None = None) -> Iterator[tuple[Workspace, str, str]]:
    """A workspace, the response_url of a command, and that of a click on its answer."""
    urls: list[str] = []

    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any, body: dict[str, Any]) -> None:
            urls.append(body["response_url"])
            ack(text="Card", blocks=CARD)

        @app.action("press")
        def pressed(ack: Any, body: dict[str, Any]) -> None:
            urls.append(body["response_url"])
            ack()

    with workspace_with(listen, **({"clock": clock} if clock else {})) as ws:
        ana = ws.person("Ana")
        ana.command("/optin")
        ana.press("Edit")
        yield ws, urls[0], urls[1]


def test_a_response_url_answers_privately_or_for_all() -> None:
    with clicked() as (ws, url, _):
        private = post(url, {"text": "for Ana"})
        public = post(url, {"text": "for all", "response_type": "in_channel"})
        seen_by_ana = [m.text for m in ws.person("Ana").messages()]
        seen_by_ben = [m.text for m in ws.person("Ben").messages()]

    assert private == public == (200, "ok")
    assert seen_by_ana == ["Card", "for Ana", "for all"]
    assert seen_by_ben == ["for all"]


def test_a_response_url_replaces_and_deletes_an_ephemeral() -> None:
    with clicked() as (ws, _, url):
        ana = ws.person("Ana")
        before = ana.messages()[0]
        post(url, {"text": "New", "replace_original": True})
        replaced = ana.messages()
        post(url, {"delete_original": True})
        after = ana.messages()

    assert [(m.ts, m.plain, m.is_ephemeral) for m in replaced] == [(before.ts, "New", True)]
    assert after == []


def test_a_response_url_serves_five_times() -> None:
    with clicked() as (_, url, _):
        refused = post(url, {"blocks": [section("x" * 3001)]})
        statuses = [post(url, {"text": str(number)})[0] for number in range(6)]
        last = post(url, {"text": "again"})

    assert refused[0] == 400
    assert "invalid_blocks" in refused[1]
    assert statuses == [200] * 5 + [404]
    assert json.loads(last[1])["error"] == "used_url"


def test_a_response_url_expires_after_thirty_minutes() -> None:
    clock = Clock()
    with clicked(clock) as (_, url, _):
        clock.now += timedelta(minutes=30)
        in_time = post(url, {"text": "in time"})
        clock.now += timedelta(seconds=1)
        late = post(url, {"text": "late"})

    assert in_time[0] == 200
    assert (late[0], json.loads(late[1])["error"]) == (404, "expired_url")


def test_a_response_url_wants_something_to_say() -> None:
    with clicked() as (_, url, _):
        assert "no_text" in post(url, {})[1]
        assert "msg_too_long" in post(url, {"text": "x" * 4001})[1]
        assert "invalid_payload" in post(url, ["text"])[1]
