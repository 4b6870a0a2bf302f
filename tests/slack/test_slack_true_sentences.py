"""What Slack shows after a change is true: every card is redrawn, and every sentence computed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.terminal_card import answer
from bot.cli.terminal_log import log_lines
from bot.consent.events import EventKind
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.use_cases import Details, LogLine, StatusUpdate, edit, profile
from bot.consent.use_cases.ingest import ingest
from sandbox.client import PersonClient, ShownMessage
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import mail, reply
from tests.support.slack_fixtures import OPERATOR, Slack, card, opened, said, started

PHONE = "+14155550142"
FREE_TEXT = "please take me off your list"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        yield slack


@pytest.fixture
def ana(slack: Slack) -> PersonClient:
    return slack.person("Ana")


def review(slack: Slack) -> ShownMessage:
    """The question after a text in free words."""
    lee = slack.person("Lee")
    ingest(slack.service, [reply(FREE_TEXT, PHONE)])
    slack.workspace.wait_until(lambda: bool(lee.messages("#optin-alerts")))
    return lee.messages("#optin-alerts")[-1]


# Every save redraws the card behind it


@pytest.mark.parametrize("where", ["message", "modal"])
def test_an_opt_out_beside_a_yes_that_needs_a_manager_redraws_the_card(
    slack: Slack, ana: PersonClient, where: str
) -> None:
    if where == "message":
        card(ana, "grace@example.com")
    else:
        ana.command("/optin")
        ana.pick("Find", "Grace", typed="grace@ex")
    ana.press("Edit")
    ana.choose("SMS On", "YES")
    ana.choose("Email On", "NO")

    assert opened(ana, ana.submit()).title == "Re-opt-in for SMS"

    shown = ana.messages()[-1] if where == "message" else ana.modals[0]
    assert "Email 🔴 Opted out" in shown.plain


def test_a_save_that_somebody_else_overtook_redraws_the_card(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    slack.set(slack.find("ana@example.com"), StatusUpdate(sms=ConsentValue.NO))
    ana.type("Note", "Prefers mornings")
    ana.choose("Email On", "YES")

    assert opened(ana, ana.submit()).title == "Edit"
    assert "SMS 🔴 Opted out" in ana.messages()[-1].plain


def test_details_that_somebody_else_overtook_redraw_the_card(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "ana@example.com")
    ana.overflow("Change contact")
    slack.set(slack.find("ana@example.com"), StatusUpdate(sms=ConsentValue.NO))
    ana.type("Name", "Ana G.")

    assert opened(ana, ana.submit()).title == "Change contact"
    assert "SMS 🔴 Opted out" in ana.messages()[-1].plain


def test_the_list_behind_a_card_is_redrawn(slack: Slack, ana: PersonClient) -> None:
    for name, phone in (("Nia Canary", PHONE), ("Leo Canary", "+14155550143")):
        slack.set(
            slack.add(name, phone=phone), StatusUpdate(sms=ConsentValue.YES, evidence="Form 1")
        )
    listed = ana.command("/optin canary").messages[0]
    assert listed.plain.count("SMS ✅ Opted in") == 2

    ana.press("View", in_=listed)
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()

    assert "SMS 🔴 Opted out" in ana.modals[0].plain
    again = ana.messages()[-1].plain
    assert "2 contacts match." in again
    assert again.count("SMS ✅ Opted in") == 1
    assert again.count("SMS 🔴 Opted out") == 1

    ana.press("Undo")
    assert ana.messages()[-1].plain.count("SMS ✅ Opted in") == 2


def test_the_list_of_a_shared_number_behind_a_card_is_redrawn(
    slack: Slack, ana: PersonClient
) -> None:
    for name in ("Nia Canary", "Leo Canary"):
        slack.set(
            slack.add(name, phone=PHONE, email=f"{name[:3]}@example.com".lower()),
            StatusUpdate(email=ConsentValue.YES, evidence="Form 1"),
        )
    ana.press("View", in_=review(slack))
    assert ana.modals[0].plain.count("Email ✅ Opted in") == 2

    ana.press("View")
    ana.press("Edit")
    ana.choose("Email On", "NO")
    ana.submit()

    listed, profile_below, _ = ana.modals
    assert listed.plain.count("Email ✅ Opted in") == 1
    assert "Email 🔴 Opted out" in profile_below.plain


# What follows from an answered review


def test_no_opt_out_says_that_texts_are_sent_again_where_they_are(slack: Slack) -> None:
    contact = slack.add("Nia Canary", phone=PHONE)
    slack.set(contact, StatusUpdate(sms=ConsentValue.YES, evidence="Form 1"))

    told = said(slack.person("Ana").press("It was not", in_=review(slack), confirm=True))

    assert "texts are sent again." in told


@pytest.mark.parametrize(
    ("wish", "remedy"),
    [
        (StatusUpdate(sms=ConsentValue.NO), "new permission"),
        (StatusUpdate(do_not_contact=True), "Take Do not contact off"),
        (StatusUpdate(), "Ask the contact"),
    ],
    ids=["opted out", "do not contact", "never asked"],
)
def test_no_opt_out_says_what_still_stands_in_the_way(
    slack: Slack, wish: StatusUpdate, remedy: str
) -> None:
    contact = slack.add("Nia Canary", phone=PHONE)
    asked = review(slack)
    slack.set(contact, wish)

    told = said(slack.person("Ana").press("It was not", in_=asked, confirm=True))

    assert "sent again" not in told
    assert "no texts are sent" in told
    assert remedy in told


def test_no_opt_out_for_several_contacts_counts_them(slack: Slack) -> None:
    slack.set(
        slack.add("Nia Canary", phone=PHONE), StatusUpdate(sms=ConsentValue.YES, evidence="Form 1")
    )
    slack.add("Leo Canary", phone=PHONE)

    told = said(slack.person("Ana").press("It was not", in_=review(slack), confirm=True))

    assert "texts are sent to 1 of the 2 contacts" in told


def test_no_opt_out_of_a_stranger_promises_nothing(slack: Slack) -> None:
    told = said(slack.person("Ana").press("It was not", in_=review(slack), confirm=True))

    assert "No contact has this number" in told
    assert "sent again" not in told


# When it happened, and when it was recorded


def test_an_undo_is_dated_by_when_it_was_recorded_too(slack: Slack, ana: PersonClient) -> None:
    contact = slack.add("Nia Canary", phone=PHONE)
    slack.set(contact, StatusUpdate(sms=ConsentValue.YES, evidence="Form 1"))
    slack.clock.advance(timedelta(days=3))
    card(ana, PHONE)
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()
    ana.press("Undo")
    ana.close(whole=True)

    undone = opened(ana, ana.press("Activity")).plain.partition("Undone: SMS On back to YES")[2]
    [said, when, *_] = log_lines(LogLine(entry=slack.log()[-1]), slack.service.providers)

    assert "Nov 3, 2026, 9:02 AM · recorded Nov 6, 2026, 9:02 AM · by @ana" in undone
    assert undone.count("recorded") == 1  # of the others, the two times are the same
    assert said == "Undone: SMS On back to YES"
    assert when.startswith("  3 Nov 2026 14:02 UTC · recorded 6 Nov 2026 14:02 UTC · by ")


@pytest.mark.parametrize(("late", "said_twice"), [(59, False), (61, True)])
def test_what_a_provider_told_late_says_both_times(
    slack: Slack, ana: PersonClient, late: int, said_twice: bool
) -> None:
    slack.add("Nia Canary", phone=PHONE)
    before = slack.clock()
    slack.clock.advance(timedelta(seconds=late))
    ingest(slack.service, [reply("STOP", PHONE, occurred_at=before)])
    card(ana, PHONE)

    assert ("recorded" in opened(ana, ana.press("Activity")).plain) is said_twice
    said = "".join(log_lines(LogLine(entry=slack.log()[-1]), slack.service.providers))
    assert ("recorded" in said) is said_twice


# Whose opt-out it is


def reasons(slack: Slack, name: str) -> str:
    """What Details say of a contact; the card and the terminal say the same."""
    ana = slack.person("Ana")
    shown = said(ana.command(f"/optin {name}"))
    why = opened(ana, ana.overflow("Details")).plain
    ana.close(whole=True)
    found = next(c for c in _contacts(slack) if c.name == name)
    of = profile(slack.service, found.id, OPERATOR)
    terminal = "\n".join(line for channel in Channel for line in answer(of, channel))
    for whose in ("Another contact with", "An earlier holder of", "Somebody with"):
        on_card = whose.casefold() in shown.casefold()
        assert on_card == (whose in why) == (whose in terminal), whose
    return why


def _contacts(slack: Slack) -> list[Contact]:
    with slack.service.store.reading() as records:
        return list(records.contacts.all())


def test_the_only_holder_of_a_number_replied_stop(slack: Slack) -> None:
    slack.add("Nia Canary", phone=PHONE)
    ingest(slack.service, [reply("STOP", PHONE)])

    assert "The contact replied STOP to" in reasons(slack, "Nia Canary")


def test_a_later_holder_did_not_reply_stop(slack: Slack) -> None:
    slack.add("Nia Canary", phone=PHONE)
    ingest(slack.service, [reply("STOP", PHONE)])
    slack.clock.advance(timedelta(days=1))
    slack.add("Leo Canary", phone=PHONE)

    why = reasons(slack, "Leo Canary")

    assert "The contact replied STOP" not in why
    assert "Another contact with this number replied STOP to" in why


def test_a_contact_who_moved_to_the_number_did_not_reply_stop(slack: Slack) -> None:
    nia = slack.add("Nia Canary", phone=PHONE)
    leo = slack.add("Leo Canary", phone="+14155550143")
    slack.clock.advance(timedelta(days=1))
    ingest(slack.service, [reply("STOP", PHONE)])
    edit(slack.service, nia.id, Details(phone="+14155550144"), OPERATOR)
    slack.clock.advance(timedelta(days=1))
    edit(slack.service, leo.id, Details(phone=PHONE), OPERATOR)

    why = reasons(slack, "Leo Canary")

    assert "The contact replied STOP" not in why
    assert "An earlier holder of this number replied STOP to" in why


def test_of_two_holders_nobody_knows_who_replied_stop(slack: Slack) -> None:
    for name in ("Nia Canary", "Leo Canary"):
        slack.add(name, phone=PHONE)
    ingest(slack.service, [reply("STOP", PHONE)])

    for name in ("Nia Canary", "Leo Canary"):
        why = reasons(slack, name)
        assert "Somebody with this number, which another contact has too, replied STOP" in why


def test_a_strangers_stop_is_not_the_new_contacts(slack: Slack) -> None:
    ingest(slack.service, [reply("STOP", PHONE)])
    slack.clock.advance(timedelta(days=1))
    slack.add("Nia Canary", phone=PHONE)

    why = reasons(slack, "Nia Canary")

    assert "The contact replied STOP" not in why
    assert "The contact does not want texts" not in why
    assert "An earlier holder of this number replied STOP to" in why
    assert "An earlier holder of this number opted out of texts" in why


def test_a_shared_mailbox_says_that_somebody_unsubscribed(slack: Slack) -> None:
    for name in ("Nia Canary", "Leo Canary"):
        slack.add(name, email="family@example.com")
    ingest(slack.service, [mail(EventKind.UNSUBSCRIBED, "family@example.com", provider="sendgrid")])

    assert "Somebody with this address, which another contact has too, opted out" in reasons(
        slack, "Leo Canary"
    )


def test_what_was_said_on_the_phone_is_the_contacts_own(slack: Slack) -> None:
    nia = slack.add("Nia Canary", phone=PHONE)
    slack.add("Leo Canary", phone=PHONE)
    slack.set(nia, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"))

    assert "The contact does not want texts" in reasons(slack, "Nia Canary")


# Each error at its own field


def test_a_complaint_that_an_agent_may_not_clear_is_said_at_email_bounce(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "paula@example.com")
    ana.press("Edit")
    ana.choose("Email Bounce", "NO")

    (field,) = ana.submit().errors

    assert field == "Email Bounce"


def test_an_error_about_no_field_of_the_form_stands_above_it(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "grace@example.com")
    ana.press("Request re-opt-in")
    ana.type("Evidence", "She asked on the phone")
    ana.choose("Reason", "Asked by phone")
    grace = slack.find("grace@example.com")
    edit(slack.service, grace.id, Details(phone=""), OPERATOR)

    outcome = ana.submit()
    form = opened(ana, outcome)

    assert outcome.errors == {}
    assert "There is no phone number to ask this for." in form.plain
    assert form.fields["Evidence"] == "She asked on the phone"
    assert form.fields["Reason"] == "Asked by phone"
    initial = {block.get("element", {}).get("initial_value") for block in form.raw["blocks"]}
    assert "She asked on the phone" in initial
