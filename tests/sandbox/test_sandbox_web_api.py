"""The sandbox's Web API refuses what Slack refuses, and answers in Slack's words."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from sandbox.client import Workspace
from sandbox.first_workspace import ANA, BOT_USER, GUS, LEE, MANAGERS, MIA, SUPPORT
from sandbox.manifest import read_manifest
from tests.support.sandbox_fixtures import section, web_client


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


def test_an_unknown_token_is_refused(ws: Workspace) -> None:
    assert refusal(web_client(ws, "xoxb-somebody-else").auth_test) == "invalid_auth"


def test_an_app_token_opens_connections_and_does_nothing_else(ws: Workspace) -> None:
    app = web_client(ws, ws.app_token)

    assert app.apps_connections_open(app_token=ws.app_token)["url"].startswith("ws://")
    assert refusal(app.chat_postMessage, channel=SUPPORT, text="a") == "not_allowed_token_type"
    assert refusal(web_client(ws).api_call, api_method="apps.connections.open") == (
        "not_allowed_token_type"
    )


def test_an_unknown_method_is_refused(client: WebClient) -> None:
    assert refusal(client.api_call, api_method="chat.shout") == "unknown_method"


def test_api_test_gives_back_its_arguments(client: WebClient) -> None:
    assert client.api_test(colour="red")["args"]["colour"] == "red"


def test_auth_test_tells_who_the_app_is_and_what_it_may_do(client: WebClient) -> None:
    answer = client.auth_test()

    assert answer["user_id"] == BOT_USER
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


def test_a_method_without_its_scope_is_refused_with_what_is_needed() -> None:
    manifest = read_manifest({"oauth_config": {"scopes": {"bot": ["chat:write"]}}})
    with Workspace.start(mode="socket", manifest=manifest) as ws:
        client = web_client(ws)
        with pytest.raises(SlackApiError) as refused:
            client.users_info(user=ANA)
        posted = client.chat_postMessage(channel=SUPPORT, text="a")

    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "users:read"
    assert refused.value.response["provided"] == "chat:write"
    assert posted["ok"]


def test_a_form_and_json_are_understood_alike(ws: Workspace) -> None:
    blocks = [section("hello")]
    for content_type, body in (
        ("application/json", json.dumps({"channel": SUPPORT, "blocks": blocks}).encode()),
        (
            "application/x-www-form-urlencoded",
            f"channel={SUPPORT}&blocks={json.dumps(blocks)}".encode(),
        ),
    ):
        request = Request(
            f"{ws.api_url}chat.postMessage",
            body,
            {"Content-Type": content_type, "Authorization": f"Bearer {ws.bot_token}"},
        )
        with urlopen(request) as answer:
            assert json.load(answer)["ok"]

    assert [message.plain for message in ws.person("Ana").messages()] == ["hello", "hello"]


def test_users_tell_guests_strangers_and_time_zones(ws: Workspace, client: WebClient) -> None:
    ws.make_stranger("Ben")
    gus = client.users_info(user=GUS)["user"]
    ben = client.users_info(user=ws.person("Ben").id)["user"]

    assert (gus["is_restricted"], gus["is_ultra_restricted"]) == (True, True)
    assert gus["tz"] == "Asia/Kolkata"
    assert gus["tz_offset"] == 19_800
    assert ben["is_stranger"] is True
    assert "is_stranger" not in gus
    assert refusal(client.users_info, user="U0NOBODY00") == "user_not_found"


def test_user_groups_list_their_people_and_may_change(ws: Workspace, client: WebClient) -> None:
    before = client.usergroups_users_list(usergroup=MANAGERS)["users"]
    ws.set_group("@optin-managers", ["Mia"])
    groups = client.usergroups_list(include_users=True)["usergroups"]

    assert before == [LEE, MIA]
    assert groups[0]["users"] == [MIA]
    assert refusal(client.usergroups_users_list, usergroup="S0NOTHING") == "no_such_subteam"


def test_members_are_paged(client: WebClient) -> None:
    first = client.conversations_members(channel=SUPPORT, limit=4)
    rest = client.conversations_members(
        channel=SUPPORT, limit=4, cursor=first["response_metadata"]["next_cursor"]
    )

    assert len(first["members"]) == 4
    assert {*first["members"], *rest["members"]} >= {ANA, GUS, BOT_USER}


def test_an_uploaded_file_can_be_downloaded(ws: Workspace, client: WebClient) -> None:
    channel = client.conversations_open(users=ANA)["channel"]["id"]
    client.files_upload_v2(channel=channel, filename="log.csv", content="a,b\n1,2\n", title="Log")
    ana = ws.person("Ana")
    message = ana.dms()[-1]

    url = message.files[0]["url_private_download"]
    with_token = Request(url, headers={"Authorization": f"Bearer {ws.bot_token}"})

    assert message.plain == "Log"
    assert ana.download(message.files[0]) == b"a,b\n1,2\n"
    with urlopen(with_token) as answer:
        assert answer.read() == b"a,b\n1,2\n"
    with urlopen(url) as answer:
        assert b"Sign in" in answer.read()
