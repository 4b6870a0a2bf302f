"""What providers do when the app does not answer, and very many STOPs at once."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.sandbox_errors import Impossible
from tests.support.outside_fixtures import (
    AUTH_TOKEN,
    GRACE,
    LINE,
    ROSA,
    Receiver,
    receiving,
    settle,
)

INBOUND = "/webhooks/twilio/inbound"


@pytest.fixture
def app() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
        assert receiver.refused == []


@pytest.fixture
def ws(app: Receiver) -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        settle(workspace, app.url)
        yield workspace


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that is taken, and where connections are refused all the same."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def until(ws: Workspace, condition: Any) -> None:
    ws.wait_until(condition, timeout=20.0)


def test_twilio_tries_once_more_when_nobody_is_there(ws: Workspace, nobody: str) -> None:
    settle(ws, nobody)
    told = ws.contact("Grace").text("STOP", to=LINE)

    assert (told.status, told.failure, told.tries) == (None, "ct", 2)


def test_twilio_leaves_a_500_alone(ws: Workspace, app: Receiver) -> None:
    app.answers = [500]
    told = ws.contact("Grace").text("Hello", to=LINE)

    assert (told.status, told.failure, told.tries) == (500, "5xx", 1)
    assert app.got == []


def test_the_fragment_of_the_address_asks_for_more_tries_with_one_token(
    ws: Workspace, app: Receiver
) -> None:
    settle(ws, f"{app.url}#rc=5&rp=all")
    app.answers = [500, 404, 503]
    told = ws.contact("Grace").text("Hello", to=LINE)

    assert (told.status, told.tries) == (204, 4)
    assert [line["outcome"] for line in ws.journal("twilio inbound")] == [
        "500",
        "404",
        "503",
        "204",
    ]
    tokens = {
        line["args"]["headers"]["I-Twilio-Idempotency-Token"]
        for line in ws.journal("twilio inbound")
    }
    assert len(tokens) == 1


def test_sendgrid_goes_on_until_it_is_taken(ws: Workspace, app: Receiver) -> None:
    app.answers = [503, 500, 404]
    told = ws.contact("Rosa").deliver(by="email")
    until(ws, lambda: ws.contact("Rosa").mails[-1]["told"]["status"] == 204)

    assert (told.status, told.tries) == (503, 1)
    assert ws.contact("Rosa").mails[-1]["told"]["tries"] == 4
    assert [event["event"] for event in app.events] == ["processed", "delivered"]


def test_the_journal_shows_each_request_without_the_secrets(ws: Workspace, app: Receiver) -> None:
    ws.contact("Grace").text("Hello", to=LINE)
    line = ws.journal("twilio inbound")[0]

    assert (line["direction"], line["outcome"]) == ("out", "204")
    assert line["args"]["body"]["Body"] == "Hello"
    assert AUTH_TOKEN not in str(ws.journal())


def test_a_flood_comes_over_a_few_connections_each_stop_once(ws: Workspace, app: Receiver) -> None:
    flood = ws.flood(300)

    forms = app.said(INBOUND)
    assert flood["statuses"] == {"204": 300}
    assert {form["Body"] for form in forms} == {"STOP"}
    assert len({form["From"] for form in forms}) == 300
    assert GRACE["phone"] in {form["From"] for form in forms}
    assert app.connections <= 8
    assert app.statuses == []


def test_a_flood_spares_whom_it_may_not_touch(app: Receiver) -> None:
    with Workspace.start(mode="socket") as workspace:
        settle(workspace, app.url, people=[GRACE | {"floods": False}, ROSA])
        workspace.flood(300)

    assert GRACE["phone"] not in {form["From"] for form in app.said(INBOUND)}


def test_a_flood_may_bring_the_error_of_each_confirmation(ws: Workspace, app: Receiver) -> None:
    flood = ws.flood(60, confirms=True)

    assert (flood["stops"], flood["confirmations"]) == (60, 60)
    assert app.statuses == [("failed", "21610")] * 60


def test_a_flood_ends_when_nobody_is_there(ws: Workspace, nobody: str) -> None:
    settle(ws, nobody)
    flood = ws.flood(5000)

    assert sum(flood["statuses"].values()) < 60
    assert set(flood["statuses"]) == {"ct"}


def test_there_is_one_flood_at_a_time_and_no_ocean(ws: Workspace, app: Receiver) -> None:
    with pytest.raises(Impossible, match="From 1 to"):
        ws.flood(10_001)
