"""What the sandbox takes as a message, who sees it, and whom it pings."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS, ANA, GUS, LEE, MANAGERS, RANDOM, SUPPORT
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


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0NOWHERE", "channel_not_found"), (RANDOM, "not_in_channel"), ("#random", "not_in_channel")],
)
def test_channels_that_the_app_cannot_write_to_are_refused(
    client: WebClient, channel: str, error: str
) -> None:
    assert refusal(client.chat_postMessage, channel=channel, text="a") == error


def test_the_app_may_join_a_channel_and_be_removed_again(ws: Workspace, client: WebClient) -> None:
    client.conversations_join(channel=RANDOM)
    client.chat_postMessage(channel=RANDOM, text="here")
    ws.remove_app("#random")

    assert refusal(client.chat_postMessage, channel=RANDOM, text="gone") == "not_in_channel"
    assert refusal(client.conversations_history, channel=RANDOM) == "not_in_channel"


def test_an_archived_channel_is_refused(ws: Workspace, client: WebClient) -> None:
    ws.archive("#optin-alerts")

    assert refusal(client.chat_postMessage, channel=ALERTS, text="a") == "is_archived"


def test_a_message_without_anything_to_read_is_refused(client: WebClient) -> None:
    nothing = {"channel": SUPPORT, "text": " "}

    assert refusal(client.api_call, api_method="chat.postMessage", json=nothing) == "no_text"


def test_invalid_blocks_are_refused_with_their_path(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=SUPPORT, text="a", blocks=[section("x" * 3001)])

    assert refused.value.response["error"] == "invalid_blocks"
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_a_long_text_is_cut_when_posted_and_refused_when_updated(client: WebClient) -> None:
    posted = client.chat_postMessage(channel=SUPPORT, text="x" * 40_001)

    assert len(posted["message"]["text"]) == 40_000
    assert (
        refusal(client.chat_update, channel=SUPPORT, ts=posted["ts"], text="x" * 40_001)
        == "msg_too_long"
    )


def test_an_ephemeral_is_seen_by_its_person_alone(ws: Workspace, client: WebClient) -> None:
    sent = client.chat_postEphemeral(channel=SUPPORT, user=ANA, text="for Ana")

    assert [m.text for m in ws.person("Ana").messages() if m.is_ephemeral] == ["for Ana"]
    assert ws.person("Ben").messages() == []
    assert client.conversations_history(channel=SUPPORT)["messages"] == []
    assert (
        refusal(client.chat_update, channel=SUPPORT, ts=sent["message_ts"], text="b")
        == "message_not_found"
    )


def test_an_ephemeral_needs_a_person_of_the_channel_and_a_short_text(client: WebClient) -> None:
    refused = [
        refusal(client.chat_postEphemeral, channel=ALERTS, user=GUS, text="a"),
        refusal(client.chat_postEphemeral, channel=SUPPORT, user="U0NOBODY00", text="a"),
        refusal(client.chat_postEphemeral, channel=SUPPORT, user=ANA, text="é" * 2001),
    ]

    assert refused == ["user_not_in_channel", "user_not_in_channel", "msg_too_long"]


def test_a_message_is_updated_and_deleted(ws: Workspace, client: WebClient) -> None:
    posted = client.chat_postMessage(channel=SUPPORT, text="one", blocks=[section("one")])
    client.chat_update(channel=SUPPORT, ts=posted["ts"], text="two")
    with_new_text = ws.person("Ana").messages()[0]
    client.chat_update(channel=SUPPORT, ts=posted["ts"], text="two", blocks=[])
    without_blocks = ws.person("Ana").messages()[0]
    client.chat_delete(channel=SUPPORT, ts=posted["ts"])

    assert (with_new_text.text, with_new_text.plain) == ("two", "one")
    assert without_blocks.plain == "two"
    assert ws.person("Ana").messages() == []
    assert refusal(client.chat_delete, channel=SUPPORT, ts=posted["ts"]) == "message_not_found"


def test_other_peoples_messages_can_be_neither_changed_nor_deleted(
    ws: Workspace, client: WebClient
) -> None:
    said = ws.person("Ana").say("mine").messages[0]

    assert refusal(client.chat_update, channel=SUPPORT, ts=said.ts, text="b") == (
        "cant_update_message"
    )
    assert refusal(client.chat_delete, channel=SUPPORT, ts=said.ts) == "cant_delete_message"


def test_direct_messages_reach_one_person(ws: Workspace, client: WebClient) -> None:
    opened = client.conversations_open(users=ANA)["channel"]["id"]
    client.chat_postMessage(channel=opened, text="one")
    client.chat_postMessage(channel=ANA, text="two")

    assert [message.text for message in ws.person("Ana").dms()] == ["one", "two"]
    assert ws.person("Ben").dms() == []


def test_a_deactivated_person_gets_no_direct_message(ws: Workspace, client: WebClient) -> None:
    ws.deactivate("Ben")
    ben = ws.person("Ben").id

    assert refusal(client.conversations_open, users=ben) == "user_disabled"
    assert client.users_info(user=ben)["user"]["deleted"] is True


def test_history_is_paged_and_tells_metadata_only_when_asked(client: WebClient) -> None:
    metadata = {"event_type": "alert", "event_payload": {"id": "1"}}
    for number in range(3):
        client.chat_postMessage(channel=SUPPORT, text=str(number), metadata=metadata)
    first = client.conversations_history(channel=SUPPORT, limit=2, include_all_metadata=True)
    cursor = first["response_metadata"]["next_cursor"]
    rest = client.conversations_history(channel=SUPPORT, limit=2, cursor=cursor)

    assert [message["text"] for message in first["messages"]] == ["2", "1"]
    assert first["messages"][0]["metadata"] == metadata
    assert [message["text"] for message in rest["messages"]] == ["0"]
    assert "metadata" not in rest["messages"][0]
    assert rest["has_more"] is False
    assert refusal(client.conversations_history, channel=SUPPORT, cursor="?") == "invalid_cursor"


def test_replies_follow_their_message(client: WebClient) -> None:
    parent = client.chat_postMessage(channel=SUPPORT, text="parent")
    client.chat_postMessage(channel=SUPPORT, text="reply", thread_ts=parent["ts"])
    replies = client.conversations_replies(channel=SUPPORT, ts=parent["ts"])

    assert [message["text"] for message in replies["messages"]] == ["parent", "reply"]
    assert len(client.conversations_history(channel=SUPPORT)["messages"]) == 1


def test_reactions_are_added_once(client: WebClient) -> None:
    ts = client.chat_postMessage(channel=SUPPORT, text="a")["ts"]
    client.reactions_add(channel=SUPPORT, timestamp=ts, name="eyes")

    assert refusal(client.reactions_add, channel=SUPPORT, timestamp=ts, name="eyes") == (
        "already_reacted"
    )


def test_only_markup_that_is_not_escaped_pings(ws: Workspace, client: WebClient) -> None:
    client.chat_postMessage(channel=SUPPORT, text="&lt;!channel&gt; and @channel")
    quiet = ws.pings()
    client.chat_postMessage(
        channel=SUPPORT,
        text="look",
        blocks=[
            section(
                f"<!here> <@{ANA}>, <!subteam^{MANAGERS}> <https://example.com|x> <#{SUPPORT}>"
            ),
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [{"type": "broadcast", "range": "channel"}],
                    }
                ],
            },
        ],
    )

    assert quiet == []
    assert ws.pings() == ["!here", f"@{ANA}", f"!subteam^{MANAGERS}", "!channel"]


def test_the_readable_text_has_names_dates_and_emoji(ws: Workspace, client: WebClient) -> None:
    text = (
        f":red_circle: *Out* by <@{LEE}> in <#{SUPPORT}>, "
        "<!date^1700000000^{date_num} {time}|then>, <tel:+14155550100|415 555> &amp; `code`"
    )
    client.chat_postMessage(channel=SUPPORT, text=text)

    assert ws.person("Ana").messages()[0].plain == (
        "🔴 Out by @lee in #support, 2023-11-14 5:13 PM, 415 555 & code"
    )
    assert "3:43 AM" in ws.person("Gus").messages()[0].plain
