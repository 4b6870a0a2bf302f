"""The card: the answer first, a button for every step, and what each of them does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.model import Bounce, Channel, ConsentValue
from bot.consent.use_cases import Details, StatusUpdate, edit
from bot.consent.use_cases.ingest import ingest
from sandbox.client import PersonClient, ShownMessage
from tests.support.alerts_fixtures import reply
from tests.support.slack_fixtures import OPERATOR, Slack, card, opened, said, started

ANA = "ana@example.com"  # wants both
BOB = "bob.miller@example.com"  # wants texts, which bounce
GRACE = "grace@example.com"  # replied STOP
PAULA = "paula@example.com"  # reported an e-mail as spam
UMAR = "umar@example.com"  # is marked Do not contact
VERA = "vera@example.com"  # has a landline
WILL = "will@example.com"  # was switched off by staff
ZOE = "Zoe Adams"  # shares number and mailbox with Adam Adams


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http") as slack:
        yield slack


@pytest.fixture
def ana(slack: Slack) -> PersonClient:
    """An agent."""
    return slack.person("Ana")


@pytest.fixture
def lee(slack: Slack) -> PersonClient:
    """A manager."""
    return slack.person("Lee")


def shown_to(person: PersonClient) -> ShownMessage:
    """The card as it stands now."""
    return next(one for one in reversed(person.messages()) if "Activity Log" in one.buttons)


@pytest.mark.parametrize(
    ("who", "lines"),
    [
        ("Ana Gómez", ["SMS ✅ Opted in since", "Email ✅ Opted in since"]),
        ("Bob Miller", ["SMS 🔴 Bounced: the number is not in service (Twilio 30005)"]),
        ("Carla Rossi", ["SMS 🔴 Blocked: texted STOP to +1 888-555-0199"]),
        ("Eve Laurent", ["SMS 🔴 Opted out: asked by phone"]),
        ("Grace Lee", ["SMS 🔴 Opted out: texted “STOP” to +1 888-555-0199"]),
        ("Ines Costa", ["SMS ⚪ Never asked"]),
        ("Jack Turner", ["SMS 🔴 Bounced: the number is not in service (Twilio 30005)"]),
        ("Kim Park", ["SMS 🔴 Blocked: STOP by an earlier holder of this number"]),
        ("Nora Svensson", ["Email 🔴 Blocked: the contact unsubscribed (SendGrid's list)"]),
        ("Paula Reyes", ["Email 🔴 Opted out: reported our e-mail as spam"]),
        ("Rosa Jiménez", ["SMS 🔴 No phone number"]),
        ("Sam Carter", ["SMS 🟡 Not verified: +1 888-555-0199 may be blocked"]),
        ("Tara Singh", ["SMS 🟡 Not verified: the bounce was cleared"]),
        ("Umar Aziz", ["SMS 🔴 Do not contact: nothing is sent on any channel"]),
        ("Vera Kraus", ["SMS 🔴 Landline: it can't get texts"]),
        ("Will Young", ["SMS 🔴 Opted out: switched off by us (correction)"]),
        ("Xenia Popova", ["SMS ✅ Opted in since", "· unproven"]),
    ],
)
def test_under_the_name_stand_the_answers_with_cause_and_date(
    ana: PersonClient, who: str, lines: list[str]
) -> None:
    first, *answers = said(ana.command(f"/optin {who}")).split("\n")[:3]

    assert first.startswith(who)
    for line in lines:
        assert any(line in answer for answer in answers)


@pytest.mark.parametrize(
    ("who", "step", "button"),
    [
        (BOB, "☐ Agent: check that the number works", "Clear SMS Bounce"),
        (GRACE, "☐ Agent: get permission; ask a manager", "Request re-opt-in"),
        ("ines@example.com", "☐ Agent: ask whether they want texts", "Record permission"),
        (WILL, "☐ Agent: ask whether they want texts", "Record permission"),
        (VERA, "☐ Agent: ask for a mobile number", "Change number"),
        ("rosa@example.com", "☐ Agent: ask for a mobile number", "Add number"),
    ],
)
def test_an_agents_step_has_its_button(ana: PersonClient, who: str, step: str, button: str) -> None:
    ana.command(f"/optin {who}")

    assert step in shown_to(ana).plain
    assert button in shown_to(ana).buttons


@pytest.mark.parametrize(
    ("who", "button"),
    [
        (PAULA, "Clear spam complaint"),
        (UMAR, "Lift Do not contact"),
        ("nora@example.com", "Removed at SendGrid"),
    ],
)
def test_a_managers_step_has_its_button_for_managers_only(
    ana: PersonClient, lee: PersonClient, who: str, button: str
) -> None:
    ana.command(f"/optin {who}")
    lee.command(f"/optin {who}")

    assert re.search("Manager:|a manager", shown_to(ana).plain)
    assert button not in shown_to(ana).buttons
    assert button in shown_to(lee).buttons


# Opt out


def test_opting_out_takes_a_choice_and_a_yes(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)

    ana.choose("Opt out", "SMS and e-mail", confirm=True)

    assert slack.on(ANA) == (ConsentValue.NO, ConsentValue.NO)
    assert slack.find(ANA).consent(Channel.SMS).refused
    after = shown_to(ana)
    assert "SMS 🔴 Opted out: the contact asked for it" in after.plain
    assert "Undo SMS" in " ".join(after.buttons)
    assert slack.problems() is None


def test_the_dialog_names_everybody_whom_an_opt_out_reaches(
    slack: Slack, ana: PersonClient
) -> None:
    ana.command("/optin Zoe Adams")
    _, menu = shown_to(ana).field("Opt out")
    ana.choose("Opt out", "SMS", confirm=True)

    assert "Adam Adams" in menu["confirm"]["text"]["text"]
    with slack.service.store.reading() as records:
        at = records.contacts.at("+14155550123")
    assert {one.name: one.consent(Channel.SMS).on for one in at} == {
        "Zoe Adams": ConsentValue.NO,
        "Adam Adams": ConsentValue.NO,
    }


def test_who_says_no_to_the_dialog_changes_nothing(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    head = slack.head()

    ana.choose("Opt out", "SMS", confirm=False)

    assert slack.head() == head


def test_ones_own_change_can_be_undone_from_the_card_for_a_quarter_of_an_hour(
    slack: Slack, ana: PersonClient, lee: PersonClient
) -> None:
    card(ana, ANA)
    ana.choose("Opt out", "SMS", confirm=True)
    card(lee, ANA)
    ana.press("Undo SMS")

    assert "Undo" not in " ".join(shown_to(lee).buttons)
    assert slack.on(ANA)[0] is ConsentValue.YES
    assert "SMS ✅ Opted in" in shown_to(ana).plain
    assert "Undo" not in " ".join(shown_to(ana).buttons)

    ana.choose("Opt out", "SMS", confirm=True)
    slack.clock.advance(timedelta(minutes=16))
    card(ana, ANA)

    assert "Undo" not in " ".join(shown_to(ana).buttons)


# Bounces and complaints


def test_clearing_a_bounce_asks_for_a_reason_and_evidence(slack: Slack, ana: PersonClient) -> None:
    card(ana, BOB)
    form = opened(ana, ana.press("Clear SMS Bounce"))
    refused = ana.submit()
    ana.type("Reason", "The phone was off")
    ana.type("Evidence", "He called from it today")
    saved = opened(ana, ana.submit())

    assert set(form.fields) == {"Reason", "Evidence"}
    assert refused.errors
    assert "SMS Bounce" in saved.plain
    newest = next(e for e in reversed(slack.log()) if e.kind is EntryKind.BOUNCE)
    assert newest.after == Bounce.PROBATION
    assert newest.reason == "The phone was off"
    assert newest.evidence is not None
    assert newest.evidence.text == "He called from it today"
    assert "SMS 🟡 Not verified" in shown_to(ana).plain


# Do not contact


def test_do_not_contact_is_set_by_anybody_and_lifted_by_a_manager_with_a_reason(
    slack: Slack, ana: PersonClient, lee: PersonClient
) -> None:
    card(ana, ANA)
    ana.overflow("Set Do not contact")
    ana.submit()
    stopped = slack.find(ANA).do_not_contact
    ana.close(whole=True)
    card(lee, ANA)
    lee.press("Lift Do not contact")
    without = lee.submit()
    lee.type("Reason", "She called and wants to hear from us")
    lee.submit()

    assert stopped
    assert "Reason" in without.errors
    assert not slack.find(ANA).do_not_contact
    assert "SMS ✅ Opted in" in shown_to(lee).plain


# Replies that wait


def holds(slack: Slack, text: str = "please take me off") -> None:
    ingest(slack.service, [reply(text, "+14155550100", occurred_at=slack.clock())])


@pytest.mark.parametrize(
    ("button", "on", "answer"),
    [
        ("It was an opt-out", ConsentValue.NO, "SMS 🔴 Opted out"),
        ("It was not", ConsentValue.YES, "SMS ✅ Opted in"),
    ],
)
def test_a_reply_that_waits_is_answered_from_the_card(
    slack: Slack, ana: PersonClient, button: str, on: ConsentValue, answer: str
) -> None:
    holds(slack)
    card(ana, ANA)
    before = shown_to(ana)
    ana.press(button, confirm=True)

    assert "SMS 🔴 On hold: a reply may be an opt-out" in before.plain
    assert "“please take me off”" in before.plain
    assert slack.on(ANA)[0] is on
    assert answer in shown_to(ana).plain


def test_a_long_reply_is_read_in_details_before_it_is_answered(
    slack: Slack, ana: PersonClient
) -> None:
    text = (
        f"Thanks for the reminder, {'we will be there on Tuesday. ' * 8}But please stop texting me"
    )
    holds(slack, text)
    card(ana, ANA)
    on_card = shown_to(ana)
    details = opened(ana, ana.press("Read the reply"))
    ana.press("It was an opt-out", confirm=True)
    after = ana.modals[-1]

    assert "It was an opt-out" not in on_card.buttons
    assert "But please stop texting me" in details.plain
    assert slack.on(ANA)[0] is ConsentValue.NO
    assert "It was an opt-out" not in after.buttons


def test_whoever_answers_second_reads_who_was_first(slack: Slack, ana: PersonClient) -> None:
    holds(slack)
    ben = slack.person("Ben")
    card(ana, ANA)
    card(ben, ANA)
    ana.press("It was not", confirm=True)

    told = said(ben.press("It was an opt-out", confirm=True))

    assert "Answered already as no opt-out by" in told
    assert slack.on(ANA)[0] is ConsentValue.YES


# Details and the text


def test_details_hold_the_fields_the_reasons_and_the_legend(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, GRACE)

    details = opened(ana, ana.overflow("Details"))

    for text in ("SMS On\nNO since", "SMS Bounce\nNO", "The contact replied STOP", "Never asked:"):
        assert text in details.plain
    assert "Request re-opt-in" in details.buttons


def test_a_step_pressed_in_details_draws_the_card_below_anew(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, BOB)
    ana.overflow("Details")
    ana.press("Clear SMS Bounce")
    ana.type("Reason", "The phone was off")
    ana.type("Evidence", "He called from it today")
    ana.submit()

    assert "SMS 🟡 Not verified" in shown_to(ana).plain


def test_the_text_says_the_whole_card_and_masks_the_contacts_addresses(
    ana: PersonClient,
) -> None:
    text = ana.command("/optin Grace Lee").messages[0].raw["text"]

    for said_there in (
        "Grace Lee",
        "SMS 🔴 Opted out: texted “STOP” to +1 888-555-0199",
        "Email ✅ Opted in",
        "☐ Agent: get permission; ask a manager",
        "☐ Contact: text UNSTOP to +1 888-555-0199",
        "ending 0106",
        "g…@example.com",
    ):
        assert said_there in text
    assert "555-0106" not in text
    assert "grace@" not in text
    assert "*" not in text


# Overtaken


def test_a_form_that_somebody_overtook_keeps_what_was_typed(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, BOB)
    ana.press("Clear SMS Bounce")
    ana.type("Reason", "The phone was off")
    ana.type("Evidence", "He called from it today")
    slack.set(slack.find(BOB), StatusUpdate(email=ConsentValue.NO, reason="Asked by phone"))
    again = opened(ana, ana.submit())
    saved = opened(ana, ana.submit())

    assert "What you typed is kept below" in again.plain
    assert again.fields["Evidence"] == "He called from it today"
    assert saved.title == "Saved"


def test_lift_pressed_twice_does_not_set_do_not_contact_again(
    slack: Slack, lee: PersonClient
) -> None:
    mia = slack.person("Mia")
    for manager in (lee, mia):
        card(manager, UMAR)
    lee.press("Lift Do not contact")
    lee.type("Reason", "He called")
    lee.submit()

    told = said(mia.press("Lift Do not contact"))

    assert "lifted meanwhile" in told
    assert not slack.find(UMAR).do_not_contact


def test_an_opt_out_of_both_channels_goes_as_far_as_there_are_addresses(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, ANA)
    shown = shown_to(ana)
    edit(slack.service, slack.find(ANA).id, Details(email=""), OPERATOR)
    ana.choose("Opt out", "SMS and e-mail", in_=shown, confirm=True)

    assert slack.on("+14155550100")[0] is ConsentValue.NO


def test_the_contacts_opt_out_is_recorded_over_a_no_of_ours(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, WILL)
    ana.choose("Opt out", "SMS", confirm=True)

    assert slack.find(WILL).consent(Channel.SMS).refused


def test_a_date_typed_in_edit_goes_along_into_the_request(slack: Slack, ana: PersonClient) -> None:
    card(ana, GRACE)
    ana.press("Edit")
    ana.choose("SMS On", "YES")
    ana.type("Evidence", "Form on paper")
    agreed = int((slack.clock() - timedelta(days=2)).timestamp())
    ana.type("When they agreed", str(agreed))
    request = opened(ana, ana.submit())

    assert request.title == "Re-opt-in for SMS"
    assert request.fields["When they agreed"] == agreed


# Edit


def test_edit_asks_for_evidence_only_where_something_turns_to_yes(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "ines@example.com")
    before = opened(ana, ana.press("Edit"))
    ana.type("Note", "Spoke with her")
    ana.choose("SMS On", "YES")
    with_yes = ana.modal
    ana.choose("SMS On", "NO")
    with_no = ana.modal
    assert with_yes is not None
    assert with_no is not None

    assert "Evidence" not in before.fields
    assert {"Evidence", "When they agreed"} <= set(with_yes.fields)
    assert with_yes.fields["Note"] == "Spoke with her"
    assert "Evidence" not in with_no.fields


def test_edit_says_whose_no_it_will_be(slack: Slack, ana: PersonClient) -> None:
    ana.command("/optin Zoe Adams")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    contacts = ana.modal
    ana.choose("Reason", "Wrong person")
    ours = ana.modal
    assert contacts is not None
    assert ours is not None

    assert "This will be the contact's own opt-out" in contacts.plain
    assert "It stops texts to Adam Adams, too" in contacts.plain
    assert "This will be our own NO" in ours.plain


def test_when_they_agreed_dates_the_evidence(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ines@example.com")
    ana.press("Record permission")
    agreed = slack.clock() - timedelta(days=2)
    ana.type("Evidence", "Form on paper")
    ana.type("When they agreed", str(int(agreed.timestamp())))
    ana.submit()

    evidence = slack.find("ines@example.com").consent(Channel.SMS).evidence
    assert evidence is not None
    assert evidence.at == agreed


def test_a_card_shows_no_control_that_would_refuse_the_person(
    slack: Slack, ana: PersonClient
) -> None:
    contact = slack.find(ANA)
    slack.set(contact, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"))
    card(ana, ANA)

    assert "Recorded by mistake" not in shown_to(ana).buttons
