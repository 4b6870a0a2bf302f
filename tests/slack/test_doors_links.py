"""Links to the CRM: *Open in CRM* on the card, and *Check opt-in* below links that people post."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.consent.model import Channel
from bot.consent.use_cases import erase
from sandbox.client import Modal, PersonClient, ShownMessage
from sandbox.first_workspace import BEN
from tests.support.slack_fixtures import MANIFEST, OPERATOR, Slack, opened, said, started
from tests.support.slack_requests import last_sent, post, post_event

CRM = {"OPTIN_CRM_URL": "https://crm.example.com/contacts/{external_id}"}
LINKED = replace(MANIFEST, domains=frozenset({"example.com"}))
GRACE = "https://crm.example.com/contacts/C-1042"
NAME, PHONE, EMAIL = "Penelope Quux", "+14155550177", "penelope.quux@example.com"


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=LINKED, **CRM) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=LINKED, **CRM) as slack:
        yield slack


def posted(
    slack: Slack, person: PersonClient, text: str, channel: str = "#support", **more: Any
) -> ShownMessage:
    """The message, when the app has put something below its link."""
    assert person.say(text, channel, **more).error is None
    slack.workspace.wait_until(lambda: bool(person.messages(channel)[-1].raw["attachments"]))
    return person.messages(channel)[-1]


def left_alone(slack: Slack, person: PersonClient, text: str, channel: str = "#support") -> None:
    """The link stays as it is: what is posted behind it has been answered, and it has not."""
    person.say(text, channel)
    mine = person.messages(channel)[-1]
    posted(slack, slack.person("Ben"), f"See {GRACE}", "#optin-alerts")

    found = [one for one in person.messages(channel) if one.ts == mine.ts]
    assert [one.raw["attachments"] for one in found] == [[]]
    assert len(slack.workspace.journal("chat.unfurl")) == 1


def checked(slack: Slack, person: PersonClient) -> Modal:
    """The card that Check opt-in shows this person."""
    assert person.press("Check opt-in").error is None
    slack.workspace.wait_until(lambda: person.modal is not None)
    modal = person.modal
    assert modal is not None
    return modal


def pages(shown: Any) -> list[str]:
    """The addresses that its buttons open."""
    return [
        element["url"]
        for block in shown.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if "url" in element
    ]


def test_the_card_opens_the_contacts_page(slack: Slack) -> None:
    ana = slack.person("Ana")
    slack.add(NAME, phone=PHONE, external_id="a/b ?é")
    (card,) = ana.command(f"/optin {PHONE}").messages

    assert "Open in CRM" in card.buttons
    assert pages(card) == ["https://crm.example.com/contacts/a%2Fb%20%3F%C3%A9"]
    outcome = ana.press("Open in CRM", in_=card)
    assert (outcome.error, outcome.messages, ana.modal) == (None, [], None)


def test_a_contact_without_an_id_has_no_page(slack_http: Slack) -> None:
    slack_http.add(NAME, phone=PHONE)
    (card,) = slack_http.person("Ana").command(f"/optin {PHONE}").messages

    assert "Open in CRM" not in card.buttons


def test_without_the_setting_no_card_has_the_button_and_no_link_is_answered(
    tmp_path: Path,
) -> None:
    with started(tmp_path, "http", manifest=LINKED) as slack:
        ana = slack.person("Ana")
        (card,) = ana.command("/optin Grace Lee").messages
        ana.say(GRACE)
        said(ana.command("/optin help"))

        assert "Open in CRM" not in card.buttons
        assert slack.workspace.journal("chat.unfurl") == []


def test_a_link_gets_a_button_that_shows_the_card_to_whoever_presses_it(slack: Slack) -> None:
    ana, ben = slack.person("Ana"), slack.person("Ben")
    message = posted(slack, ana, f"What about {GRACE}?from=mail")
    assert message.buttons == ["Check opt-in"]

    modal = checked(slack, ben)

    assert modal.callback_id == "profile_modal"
    assert "Grace Lee" in modal.plain
    assert "🔴" in modal.plain
    assert ana.modal is None
    assert slack.workspace.pings() == []
    opened(ben, ben.press("Edit"))


def test_what_stands_below_a_link_says_nothing_of_the_contact(slack_http: Slack) -> None:
    slack_http.add(NAME, phone=PHONE, email=EMAIL, external_id="CANARY-9")
    posted(slack_http, slack_http.person("Ana"), "https://crm.example.com/contacts/CANARY-9")

    sent = slack_http.workspace.journal("chat.unfurl")[-1]["args"]["unfurls"]
    (unfurl,) = sent.values()
    shown = json.dumps(unfurl)
    assert [block["type"] for block in unfurl["blocks"]] == ["actions"]
    assert not [icon for icon in "✅🔴⚪🟡🚫" if icon in unfurl["preview"]["title"]["text"]]
    for secret in ("Penelope", "quux", "0177", "CANARY", *Channel):
        assert secret not in shown


def test_each_link_in_a_message_has_its_own_button(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    slack_http.add(NAME, phone=PHONE, external_id="R&D 7")
    message = posted(
        slack_http, ana, f"{GRACE} and https://crm.example.com/contacts/R%26D%207 and {GRACE}x"
    )
    below = message.raw["attachments"]

    assert [one["app_unfurl_url"] for one in below] == [
        GRACE,
        "https://crm.example.com/contacts/R%26D%207",
    ]
    posted(slack_http, ana, "https://crm.example.com/contacts/R%26D%207")
    assert NAME in checked(slack_http, ana).plain


def test_a_link_in_a_thread_gets_its_button(slack: Slack) -> None:
    ana = slack.person("Ana")
    ana.say("A ticket")
    ticket = ana.messages()[-1]
    message = posted(slack, ana, GRACE, thread_ts=ticket.ts)

    assert message.thread_ts == ticket.ts
    assert "Grace Lee" in checked(slack, ana).plain


@pytest.mark.parametrize(
    "text",
    [
        "https://www.example.com/contacts/C-1042",
        "https://crm.example.com/contacts/C-1042/edit",
        "https://crm.example.com/contacts/nobody",
        "https://crm.example.com/contacts/%00%ff",
        "https://crm.example.com@evil.example.com/contacts/C-1042",
    ],
)
def test_a_link_that_leads_to_no_contact_is_left_alone(slack_http: Slack, text: str) -> None:
    left_alone(slack_http, slack_http.person("Ana"), text)


def test_a_link_to_an_erased_contact_is_left_alone(slack_http: Slack) -> None:
    erase(slack_http.service, slack_http.find("grace@example.com").id, OPERATOR)
    slack_http.add(NAME, phone=PHONE, external_id="C-77")
    ana = slack_http.person("Ana")
    ana.say(GRACE)
    posted(slack_http, ana, "https://crm.example.com/contacts/C-77")

    assert len(slack_http.workspace.journal("chat.unfurl")) == 1


@pytest.mark.parametrize("how", ["share", "accept_invitation", "remove_app"])
def test_a_channel_that_others_read_or_that_slack_does_not_show_is_left_alone(
    slack_http: Slack, how: str
) -> None:
    """The sandbox's public channels are shown to apps that are not in them, as at Slack."""
    workspace = slack_http.workspace
    getattr(workspace, how)("#support")
    if how == "remove_app":
        workspace.fault("conversations.info", "error", error="channel_not_found", times=1)
    left_alone(slack_http, slack_http.person("Ana"), GRACE)


@pytest.mark.parametrize("how", ["make_guest", "make_stranger", "deactivate"])
def test_whoever_may_not_look_contacts_up_gets_no_card(slack: Slack, how: str) -> None:
    ana, ben = slack.person("Ana"), slack.person("Ben")
    posted(slack, ana, GRACE)
    sent = unfurl_click(slack, ana)
    sent["user"] |= {"id": BEN, "username": "ben", "name": "ben"}
    getattr(slack.workspace, how)("Ben")
    calls = len(slack.workspace.journal("response_url"))
    if slack.workspace.journal("apps.connections.open"):
        if how == "deactivate":
            return  # nobody is there to press
        assert ben.press("Check opt-in").error is None
    else:
        assert post(slack, sent) == (200, "")
    slack.workspace.wait_until(lambda: len(slack.workspace.journal("response_url")) > calls)

    assert len(slack.workspace.journal("views.open")) == 1
    assert ben.modal is None


def test_a_guests_link_is_left_alone(slack_http: Slack) -> None:
    left_alone(slack_http, slack_http.person("Gus"), GRACE)


def test_a_forged_id_is_refused_in_private(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    posted(slack_http, ana, GRACE)
    sent = unfurl_click(slack_http, ana)
    sealed = sent["actions"][0]["value"]
    before = len(slack_http.workspace.journal("views.open"))

    for forged in ("C-1042", "", sealed[:-4] + "AAA=", sealed[::-1], "x" * 2000):
        again = deepcopy(sent)
        again["actions"][0]["value"] = forged
        seen = len(ana.messages())
        assert post(slack_http, again) == (200, "")
        newest = answered(slack_http, ana, seen)
        assert newest.is_ephemeral
        assert "older version" in newest.plain
    assert len(slack_http.workspace.journal("views.open")) == before


def test_a_contact_who_is_gone_meanwhile_is_a_private_sentence(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    posted(slack_http, ana, GRACE)
    erase(slack_http.service, slack_http.find("grace@example.com").id, OPERATOR)

    seen = len(ana.messages())
    assert ana.press("Check opt-in").error is None
    answer = answered(slack_http, ana, seen)

    assert answer.plain
    assert "Grace" not in answer.plain
    assert answer.is_ephemeral


def test_a_link_in_the_composer_is_unfurled_before_it_is_sent(slack: Slack) -> None:
    ana = slack.person("Ana")
    assert ana.write(f"Look at {GRACE}").error is None
    slack.workspace.wait_until(lambda: bool(ana.previews()))

    (preview,) = ana.previews()
    assert preview["url"] == GRACE
    args = slack.workspace.journal("chat.unfurl")[-1]["args"]
    event = last_sent(slack, "link_shared")["event"]
    assert (args["source"], args["unfurl_id"]) == ("composer", event["unfurl_id"])
    assert "channel" not in args
    ana.say(f"Look at {GRACE}")
    assert ana.messages()[-1].buttons == ["Check opt-in"]
    assert ana.previews() == []


def test_a_link_in_the_composer_of_a_shared_channel_is_left_alone(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    slack_http.workspace.share("#support")
    ana.write(GRACE, "#support")
    ana.write(GRACE, "#optin-alerts")
    slack_http.workspace.wait_until(lambda: bool(ana.previews()))

    assert len(slack_http.workspace.journal("chat.unfurl")) == 1


def test_where_slack_gives_no_unfurl_id_the_message_is_named(slack_http: Slack) -> None:
    """Slack leaves `unfurl_id` and `source` out in an Enterprise organization."""
    ana = slack_http.person("Ana")
    posted(slack_http, ana, GRACE)
    again = last_sent(slack_http, "link_shared")
    again["event_id"] = "Ev0ENTERPRISE"
    for name in ("unfurl_id", "source"):
        del again["event"][name]

    assert post_event(slack_http, again)[0] == 200
    slack_http.workspace.wait_until(lambda: len(slack_http.workspace.journal("chat.unfurl")) == 2)
    args = slack_http.workspace.journal("chat.unfurl")[-1]["args"]
    assert (args["channel"], args["ts"]) == (
        again["event"]["channel"],
        again["event"]["message_ts"],
    )
    assert len(ana.messages()[-1].raw["attachments"]) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"links": None},
        {"links": [None, {}, {"url": 7}, {"url": ""}]},
        {"links": []},
        {"user": None},
        {"user": "USLACKBOT"},
        {"channel": None, "unfurl_id": None},
    ],
)
def test_an_event_that_lacks_a_part_is_met_with_silence(
    slack_http: Slack, changed: dict[str, Any]
) -> None:
    ana = slack_http.person("Ana")
    posted(slack_http, ana, GRACE)
    again = last_sent(slack_http, "link_shared")
    again |= {"event_id": "Ev0BROKEN", "event": again["event"] | changed}

    assert post_event(slack_http, again)[0] == 200
    posted(slack_http, ana, GRACE, "#optin-alerts")
    assert len(slack_http.workspace.journal("chat.unfurl")) == 2
    assert slack_http.workspace.journal("chat.postMessage") == []


def test_slacks_repeat_of_an_event_is_answered_once(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    posted(slack_http, ana, GRACE)

    assert post_event(slack_http, last_sent(slack_http, "link_shared"), retry=1)[0] == 200
    posted(slack_http, ana, GRACE, "#optin-alerts")
    assert len(slack_http.workspace.journal("chat.unfurl")) == 2


def answered(slack: Slack, person: PersonClient, seen: int) -> ShownMessage:
    """The newest message, when there are more than were seen."""
    slack.workspace.wait_until(lambda: len(person.messages()) > seen)
    return person.messages()[-1]


def unfurl_click(slack: Slack, person: PersonClient) -> dict[str, Any]:
    """What Slack sends for a click below the newest link, and the modal closed again."""
    checked(slack, person)
    person.close()
    sent = last_sent(slack, "block_actions check_link")
    assert sent["container"]["is_app_unfurl"] is True
    return sent
