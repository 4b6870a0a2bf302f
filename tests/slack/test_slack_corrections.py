"""What a manager puts right from the card: an address that was taken off a provider's list, and a
NO that was recorded by mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.events import EventKind, Failure
from bot.consent.model import Channel, ConsentValue
from bot.consent.rules import Reason
from bot.consent.use_cases import CaseRequest, StatusUpdate, approve, request
from bot.consent.use_cases import take_back as take_it_back
from bot.consent.use_cases.ingest import ingest
from sandbox.client import PersonClient
from sandbox.first_workspace import ALERTS, LEE
from tests.support.alerts_fixtures import failed, mail, reply
from tests.support.consent_fixtures import MANAGER
from tests.support.slack_fixtures import OPERATOR, Slack, card, opened, said, started
from tests.support.slack_requests import post

PHONE = "+14155550142"
MAILBOX = "nia@example.com"
FORM = "Form of 3 May"
PHONED = StatusUpdate(sms=ConsentValue.NO, reason=Reason.PHONE)


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        contact = slack.add("Nia Canary", phone=PHONE, email=MAILBOX)
        slack.set(
            contact, StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence=FORM)
        )
        slack.clock.advance(timedelta(hours=1))
        yield slack


@pytest.fixture
def lee(slack: Slack) -> PersonClient:
    """A manager."""
    return slack.person("Lee")


def unsubscribes(slack: Slack, provider: str = "sendgrid", **fields: object) -> None:
    """Nia unsubscribes at the provider, an hour ago."""
    ingest(
        slack.service,
        [
            mail(
                EventKind.UNSUBSCRIBED,
                MAILBOX,
                provider=provider,
                occurred_at=slack.clock(),
                **fields,
            )
        ],
    )
    slack.clock.advance(timedelta(hours=1))


def agrees_again(slack: Slack) -> None:
    """Her e-mail comes back by an approved case."""
    contact = slack.find(MAILBOX).id
    asked = CaseRequest(channel=Channel.EMAIL, evidence="Called us")
    approve(slack.service, request(slack.service, contact, asked, OPERATOR).id, MANAGER)


def lists(slack: Slack) -> set[str]:
    """The entries of providers' lists that have Nia's address, as far as Optin knows."""
    with slack.service.store.reading() as records:
        return set(records.addresses.get(MAILBOX).blocks)


def pressed_on_an_old_screen(slack: Slack, **button: str) -> str:
    """What Lee reads who presses "Removed at …" once more, where the button's own are these."""
    payload = deepcopy(slack.workspace.journal("block_actions removed_at_provider")[-1]["args"])
    payload["user"]["id"] = LEE
    payload["actions"][0] |= button
    payload["trigger_id"] += "1"  # the same bytes again are a replay, which is refused
    before = len(slack.workspace.journal("response_url"))
    status, _ = post(slack, payload)

    assert status == 200
    return str(slack.workspace.journal("response_url")[before]["args"]["text"])


# Removed at the provider


def test_an_address_removed_at_the_provider_turns_the_card_green(
    slack: Slack, lee: PersonClient
) -> None:
    unsubscribes(slack)
    agrees_again(slack)
    card(lee, MAILBOX)
    before = lee.messages()[-1]
    told = said(lee.press("Removed at SendGrid", confirm=True))

    assert "Email 🔴" in before.plain
    assert "☐ Operator: take it off SendGrid's list (the contact unsubscribed)" in before.plain
    assert "✓ Recorded: removed at SendGrid." in told
    assert "Email ✅ Opted in" in told
    [after] = [m for m in lee.messages() if "Activity Log" in m.buttons]
    assert "Email ✅ Opted in" in after.plain
    assert "Removed at SendGrid" not in after.buttons
    assert lists(slack) == set()
    newest = slack.log()[-1]
    assert (newest.actor, newest.sender) == (f"slack:{LEE}", "sendgrid/unsubscribe")
    assert slack.problems() is None


def test_a_card_in_a_modal_and_the_list_behind_it_are_redrawn(
    slack: Slack, lee: PersonClient
) -> None:
    unsubscribes(slack)
    agrees_again(slack)
    slack.add("Leo Canary", phone="+14155550143")
    listed = lee.command("/optin canary").messages[0]
    lee.press("View", in_=listed)
    told = opened(lee, lee.press("Removed at SendGrid", confirm=True))

    assert "Email 🔴" in listed.plain
    assert "✓ Recorded: removed at SendGrid." in told.plain
    assert "Email ✅ Opted in" in lee.modals[0].plain
    [again] = [m for m in lee.messages() if "contacts match" in m.plain]
    assert "Email ✅ Opted in" in again.plain


def test_the_button_asks_first_and_no_leaves_all_as_it_was(slack: Slack, lee: PersonClient) -> None:
    unsubscribes(slack)
    card(lee, MAILBOX)
    shown = lee.messages()[-1]
    confirm = shown.button("Removed at SendGrid")[1]["confirm"]
    head = slack.head()
    lee.press("Removed at SendGrid", confirm=False)

    assert confirm["text"]["text"] == (
        "Press it only when the address was taken off SendGrid's suppression list: the contact "
        "unsubscribed. Nothing is sent by this."
    )
    assert slack.head() == head


def test_each_entry_has_a_button_that_lifts_no_other(slack: Slack, lee: PersonClient) -> None:
    unsubscribes(slack)
    unsubscribes(slack, scope="asm_group:12")
    unsubscribes(slack, provider="ses")
    card(lee, MAILBOX)
    on_card = lee.messages()[-1].buttons
    shown = opened(lee, lee.press("Details"))
    lee.press("Removed at Amazon SES", confirm=True)
    first = lists(slack)
    lee.close()
    lee.press("Removed at SendGrid", confirm=True)

    assert any(button.startswith("Removed at") for button in on_card)
    assert shown.buttons.count("Removed at SendGrid") == 2
    assert shown.buttons.count("Removed at Amazon SES") == 1
    assert first == {"sendgrid/unsubscribe", "sendgrid/unsubscribe/asm_group:12"}
    assert len(lists(slack)) == 1


def test_no_button_holds_the_address(slack: Slack, lee: PersonClient) -> None:
    unsubscribes(slack)
    card(lee, MAILBOX)
    button = lee.messages()[-1].button("Removed at SendGrid")[1]

    assert "sendgrid/unsubscribe" in button["value"]
    assert "nia" not in json.dumps(button).lower()


def test_who_is_no_manager_any_more_reads_that_only_a_manager_may_say_so(slack: Slack) -> None:
    unsubscribes(slack)
    mia = slack.person("Mia")
    card(mia, MAILBOX)
    head = slack.head()
    slack.workspace.set_group("S0MANAGERS", [LEE])

    assert "Only a manager can say that an address was taken off" in said(
        mia.press("Removed at SendGrid", confirm=True)
    )
    assert slack.head() == head


def test_an_entry_that_came_since_is_not_lifted_by_the_old_button(
    slack: Slack, lee: PersonClient
) -> None:
    unsubscribes(slack)
    card(lee, MAILBOX)
    unsubscribes(slack)
    told = said(lee.press("Removed at SendGrid", confirm=True))

    assert "changed meanwhile" in told
    assert lists(slack) == {"sendgrid/unsubscribe"}


@pytest.mark.parametrize(
    "value",
    ["", "x", "{pointer}", "{pointer} {since}", "{pointer} soon {name}", "{pointer} 2026-11-03 a"],
)
def test_a_forged_value_changes_nothing(slack: Slack, value: str) -> None:
    unsubscribes(slack)
    lee = slack.person("Lee")
    card(lee, MAILBOX)
    button = lee.messages()[-1].button("Removed at SendGrid")[1]["value"]
    lee.press("Removed at SendGrid", confirm=True)
    pointer, since, name = button.split(" ")
    head = slack.head()
    told = pressed_on_an_old_screen(
        slack, value=value.format(pointer=pointer, since=since, name=name)
    )

    assert "older version" in told
    assert slack.head() == head


def test_pressed_twice_the_second_says_that_the_address_is_on_no_list(
    slack: Slack, lee: PersonClient
) -> None:
    unsubscribes(slack)
    card(lee, MAILBOX)
    lee.press("Removed at SendGrid", confirm=True)
    head = slack.head()

    assert "on no list of SendGrid" in pressed_on_an_old_screen(slack)
    assert slack.head() == head


# Recorded by mistake


def test_a_no_that_was_recorded_by_mistake_is_taken_back_for_everybody(
    slack: Slack, lee: PersonClient
) -> None:
    other = slack.add("Leo Canary", phone=PHONE, email="leo@example.com")
    slack.set(other, StatusUpdate(sms=ConsentValue.YES, evidence=FORM))
    slack.set(slack.find(MAILBOX), PHONED)
    card(lee, MAILBOX)
    lee.press("Recorded by mistake")
    form = lee.modal
    assert form is not None
    without = lee.submit()
    lee.type("Reason", "Meant for another Nia")
    saved = opened(lee, lee.submit())

    assert form.title == "Recorded by mistake"
    assert form.fields["Channel"] == "SMS On"
    assert "Reason" in without.errors
    assert "SMS On NO → YES" in " ".join(saved.plain.split())
    assert "The same for Leo Canary, who share the address." in saved.plain
    assert "SMS ✅ Opted in" in lee.messages()[-1].plain
    assert slack.on(PHONE)[0] is ConsentValue.YES
    reasons = {entry.reason for entry in slack.log() if entry.actor == f"slack:{LEE}"}
    assert "Recorded by mistake: Meant for another Nia" in reasons
    assert slack.problems() is None


def test_of_two_channels_one_is_chosen(slack: Slack, lee: PersonClient) -> None:
    slack.set(
        slack.find(MAILBOX),
        StatusUpdate(sms=ConsentValue.NO, email=ConsentValue.NO, reason=Reason.PHONE),
    )
    card(lee, MAILBOX)
    lee.press("Recorded by mistake")
    lee.type("Reason", "Meant for another Nia")
    without = lee.submit()
    lee.choose("Channel", "Email On")
    lee.submit()

    assert "Channel" in without.errors
    assert slack.on(PHONE) == (ConsentValue.NO, ConsentValue.YES)


def test_who_is_no_manager_any_more_reads_that_only_a_manager_takes_it_back(slack: Slack) -> None:
    slack.set(slack.find(MAILBOX), PHONED)
    mia = slack.person("Mia")
    card(mia, MAILBOX)
    slack.workspace.set_group("S0MANAGERS", [LEE])

    assert "Only a manager can take back" in said(mia.press("Recorded by mistake"))
    assert mia.modal is None


def test_who_is_no_manager_any_more_reads_it_in_the_form(slack: Slack) -> None:
    slack.set(slack.find(MAILBOX), PHONED)
    mia = slack.person("Mia")
    card(mia, MAILBOX)
    mia.press("Recorded by mistake")
    mia.type("Reason", "Meant for another Nia")
    slack.workspace.set_group("S0MANAGERS", [LEE])
    outcome = mia.submit()

    assert "Only a manager can take back" in "".join(outcome.errors.values())
    assert slack.on(PHONE)[0] is ConsentValue.NO


def test_what_the_contact_said_stays_and_nothing_typed_is_lost(
    slack: Slack, lee: PersonClient
) -> None:
    ingest(slack.service, [reply("please take me off your list", PHONE)])
    slack.workspace.wait_until(lambda: bool(lee.messages("#optin-alerts")))
    lee.press("It was an opt-out", in_=lee.messages("#optin-alerts")[-1], confirm=True)
    card(lee, MAILBOX)
    lee.press("Recorded by mistake")
    lee.type("Reason", "I misread it")
    outcome = lee.submit()
    form = lee.modal
    assert form is not None

    assert "The contact said this" in "".join(outcome.errors.values())
    assert form.fields["Reason"] == "I misread it"
    assert slack.on(PHONE)[0] is ConsentValue.NO


def test_a_stop_offers_no_taking_back(slack: Slack, lee: PersonClient) -> None:
    ingest(slack.service, [reply("STOP", PHONE)])
    unsubscribes(slack)
    card(lee, MAILBOX)

    assert "Recorded by mistake" not in json.dumps(lee.messages()[-1].raw)


def test_a_stop_beside_the_record_keeps_the_no_and_the_form_says_so(
    slack: Slack, lee: PersonClient
) -> None:
    slack.set(slack.find(MAILBOX), PHONED)
    ingest(slack.service, [reply("STOP", PHONE)])
    card(lee, MAILBOX)
    lee.press("Recorded by mistake")
    lee.type("Reason", "Meant for another Nia")
    saved = opened(lee, lee.submit())

    assert "SMS On stays NO" in saved.plain
    assert "something else says NO, too" in saved.plain
    assert slack.on(PHONE)[0] is ConsentValue.NO


def test_a_form_that_somebody_overtook_takes_no_older_record_back(
    slack: Slack, lee: PersonClient
) -> None:
    contact = slack.find(MAILBOX)
    slack.set(contact, PHONED)
    slack.clock.advance(timedelta(hours=1))
    slack.set(contact, StatusUpdate(sms=ConsentValue.NO, reason=Reason.EMAIL, note="again"))
    card(lee, MAILBOX)
    lee.press("Recorded by mistake")
    lee.type("Reason", "Meant for another Nia")
    take_it_back(slack.service, contact.id, Channel.SMS, MANAGER, reason="Meant for another Nia")
    lee.submit()
    form = lee.modal
    assert form is not None
    overtaken = slack.on(PHONE)[0]
    lee.submit()

    assert "changed meanwhile" in form.plain
    assert form.fields["Reason"] == "Meant for another Nia"
    assert overtaken is ConsentValue.NO
    assert slack.on(PHONE)[0] is ConsentValue.YES


def test_where_the_menu_is_full_it_is_a_button(slack: Slack, lee: PersonClient) -> None:
    ingest(slack.service, [failed(Failure.HARD, PHONE)])
    slack.set(slack.find(MAILBOX), PHONED)
    card(lee, MAILBOX)
    shown = lee.messages()[-1]
    lee.press("Recorded by mistake")
    form = lee.modal
    assert form is not None

    assert "Recorded by mistake" in shown.buttons
    assert form.title == "Recorded by mistake"
