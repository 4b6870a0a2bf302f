"""views.* of the sandbox: triggers, hashes, stacks, App Home."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.client import PersonClient, Workspace
from sandbox.first_workspace import ANA
from sandbox.manifest import Manifest
from tests.support.sandbox_fixtures import (
    actions,
    button,
    modal,
    plain,
    section,
    web_client,
    workspace_with,
)
from tests.support.sandbox_modal_fixtures import Desk, ana, desk, opened, ws

__all__ = ["ana", "desk", "ws"]


def refusal_of(call: Callable[..., Any], **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**args)
    return str(refused.value.response["error"])


def test_an_update_with_an_old_hash_is_refused(
    desk: Desk, ws: Workspace, ana: PersonClient
) -> None:
    view = opened(ana)
    client = web_client(ws)
    first = client.views_update(view_id=view.id, hash=view.raw["hash"], view=desk.view)
    refused = refusal_of(
        client.views_update, view_id=view.id, hash=view.raw["hash"], view=desk.view
    )
    again = client.views_update(view_id=view.id, hash=first["view"]["hash"], view=desk.view)

    assert refused == "hash_conflict"
    assert again["ok"]


def test_views_are_found_by_external_id_which_is_unique(
    desk: Desk, ws: Workspace, ana: PersonClient
) -> None:
    desk.view = {**desk.view, "external_id": "contact-7"}
    opened(ana)
    client = web_client(ws)
    client.views_update(external_id="contact-7", view={**desk.view, "title": plain("New")})
    refused = ws.person("Ben").command("/optin")

    assert ana.modal.title == "New"
    assert refused.error == "dispatch_failed"
    assert ws.journal("views.open")[-1]["outcome"] == "duplicate_external_id"
    assert refusal_of(client.views_update, external_id="other", view=desk.view) == "not_found"


def test_a_trigger_serves_once(desk: Desk, ws: Workspace, ana: PersonClient) -> None:
    opened(ana)
    trigger = desk.seen[0]["trigger_id"]
    client = web_client(ws)

    assert refusal_of(client.views_open, trigger_id=trigger, view=desk.view) == (
        "exchanged_trigger_id"
    )
    assert refusal_of(client.views_open, trigger_id="1.2.abc", view=desk.view) == (
        "invalid_trigger_id"
    )


def test_a_trigger_expires_after_three_seconds(desk: Desk) -> None:
    clock = [datetime(2026, 11, 23, tzinfo=UTC)]
    with workspace_with(desk.listen, clock=lambda: clock[0]) as ws:
        ana = ws.person("Ana")
        desk.view = modal(actions(button("More", "press")))
        ana.command("/optin")
        ana.press("More")
        trigger = desk.seen[-1]["trigger_id"]
        clock[0] += timedelta(seconds=3.001)

        assert refusal_of(web_client(ws).views_push, trigger_id=trigger, view=desk.view) == (
            "expired_trigger_id"
        )


def test_a_push_over_the_api_stacks_and_stops_at_three(
    desk: Desk, ws: Workspace, ana: PersonClient
) -> None:
    desk.view = modal(actions(button("More", "press")))
    desk.on_button = lambda client, body: client.views_push(
        trigger_id=body["trigger_id"], view=desk.view
    )
    opened(ana)
    ana.press("More")
    ana.press("More")
    stack = ana.modals
    ana.press("More")

    assert len(stack) == 3
    assert stack[2].raw["hash"] != stack[1].raw["hash"]
    assert ws.journal("views.push")[-1]["outcome"] == "push_limit_reached"


def test_a_view_for_nobody_who_is_looking_is_not_found(ws: Workspace, desk: Desk) -> None:
    assert refusal_of(web_client(ws).views_update, view_id="V0NONE", view=desk.view) == "not_found"


def test_the_home_is_published_opened_and_acted_in(
    desk: Desk, ws: Workspace, ana: PersonClient
) -> None:
    home = {"type": "home", "blocks": [section("Hello"), actions(button("Find", "press"))]}
    client = web_client(ws)
    published = client.views_publish(user_id=ANA, view=home)
    refused = refusal_of(client.views_publish, user_id=ANA, view=home, hash="1.old")
    shown = ana.home()
    ana.press("Find", in_=shown)

    assert refused == "hash_conflict"
    assert shown.plain == "Hello\nFind"
    assert desk.seen[-1]["view"]["type"] == "home"
    assert ws.person("Ben").home() is None
    assert (
        ws.journal("app_home_opened")[0]["args"]["event"]["view"]["id"] == published["view"]["id"]
    )


def test_an_app_without_a_home_tab_publishes_none() -> None:
    home = {"type": "home", "blocks": [section("Hello")]}
    with Workspace.start(mode="socket", manifest=Manifest(home=False)) as ws:
        refused = refusal_of(web_client(ws).views_publish, user_id=ANA, view=home)

    assert refused == "not_enabled"
