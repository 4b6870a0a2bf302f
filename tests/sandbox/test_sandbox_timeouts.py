"""What a person sees when the app is late, absent or wrong, and what is sent again."""

import threading
from typing import Any

import pytest
from slack_bolt import App

from sandbox.sandbox_errors import Impossible
from tests.support.sandbox_fixtures import (
    actions,
    button,
    section,
    workspace_with,
)

CARD = [section("Card"), actions(button("Edit", "press", value="7", style="primary"))]


def card(app: App) -> None:
    """Answers the command with a card in the acknowledgement."""

    @app.command("/optin")
    def command(ack: Any) -> None:
        ack(text="Card", blocks=CARD)


def test_a_command_that_is_not_answered_in_time_times_out() -> None:
    gate = threading.Event()

    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any) -> None:
            gate.wait(10)
            ack("late")

    with workspace_with(listen, ack_timeout=0.2) as ws:
        ana = ws.person("Ana")
        outcome = ana.command("/optin")
        gate.set()

        assert outcome.timed_out
        assert outcome.notice == '/optin failed with the error "operation_timeout"'
        assert outcome.ms >= 200
        assert ana.messages() == []
        assert [line["outcome"] for line in ws.journal("/optin")] == ["operation_timeout"]


def test_a_click_that_is_not_answered_in_time_is_not_sent_again() -> None:
    gate = threading.Event()
    clicks: list[str] = []

    def listen(app: App) -> None:
        card(app)

        @app.action("press")
        def pressed(ack: Any) -> None:
            clicks.append("click")
            gate.wait(10)
            ack()

    with workspace_with(listen, ack_timeout=0.2, retry_delays=(0.0,)) as ws:
        ana = ws.person("Ana")
        ana.command("/optin")
        outcome = ana.press("Edit")
        gate.set()

    assert outcome.timed_out
    assert clicks == ["click"]


def test_an_app_that_is_not_there_or_refuses_fails_the_dispatch() -> None:
    with workspace_with(lambda app: None) as ws:
        refused = ws.person("Ana").command("/optin")
        ws.set_request_url("http://127.0.0.1:9/slack/events")
        absent = ws.person("Ana").command("/optin")

    assert refused.error == absent.error == "dispatch_failed"
    assert not refused.timed_out


def test_an_acknowledgement_over_the_limits_is_refused() -> None:
    def listen(app: App) -> None:
        @app.command("/optin")
        def command(ack: Any) -> None:
            ack(blocks=[section("x" * 3001)])

    with workspace_with(listen) as ws:
        ana = ws.person("Ana")
        outcome = ana.command("/optin")

        assert outcome.error == "invalid_blocks"
        assert ana.messages() == []
        assert "/blocks/0/text/text" in ws.journal("/optin")[0]["messages"][0]


def test_an_event_is_sent_again_three_times_with_the_same_id() -> None:
    tries: list[tuple[str, list[str]]] = []

    def listen(app: App) -> None:
        @app.event("app_home_opened")
        def opened(body: dict[str, Any], request: Any) -> None:
            tries.append((body["event_id"], request.headers.get("x-slack-retry-num", [])))
            raise RuntimeError("not now")

    with workspace_with(listen, retry_delays=(0.0, 0.0, 0.0)) as ws:
        ws.person("Ana").home()
        ws.wait_until(lambda: len(ws.journal("app_home_opened")) == 4)
        ws.wait_until(lambda: all(line["outcome"] != "…" for line in ws.journal("app_home_opened")))

    assert [number for _, number in tries] == [[], ["1"], ["2"], ["3"]]
    assert len({event_id for event_id, _ in tries}) == 1


def test_a_person_outside_a_channel_cannot_act_in_it() -> None:
    with workspace_with(card) as ws:
        with pytest.raises(Impossible, match="Gus Guest is not in #optin-alerts"):
            ws.person("Gus").command("/optin", channel="#optin-alerts")
        with pytest.raises(Impossible, match="/other is not a valid command"):
            ws.person("Ana").command("/other")
