"""Changing a contact from a card: the edit modal, Undo, conflicts, bounces, details and notes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import StatusUpdate
from sandbox.client import ClientOutcome, PersonClient
from tests.support.slack_fixtures import Slack, card, opened, said

INES = "ines@example.com"  # never asked for texts
GRACE = "grace@example.com"  # replied STOP
ANA = "ana@example.com"  # wants both
BOB = "bob.miller@example.com"  # wants texts, which bounce
PAULA = "paula@example.com"  # reported an e-mail as spam


def test_edit_opens_from_the_card_in_one_step(slack: Slack, ana: PersonClient) -> None:
    card(ana, INES)

    form = opened(ana, ana.press("Edit"))

    assert form.title == "Edit"
    assert set(form.fields) == {"SMS On", "Email On", "Reason", "Note"}
    assert form.fields["SMS On"] is None
    assert form.fields["Email On"].startswith("YES")


def test_a_flip_says_before_and_after_and_draws_the_card_anew(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, INES)
    ana.press("Edit")
    ana.choose("SMS On", "YES")
    ana.type("Evidence", "She asked for texts on the phone today")

    outcome = ana.submit()

    saved = opened(ana, outcome)
    assert "SMS On" in saved.plain
    assert "never asked → YES" in saved.plain
    assert "SMS ✅ Opted in" in ana.messages()[-1].plain
    assert slack.on(INES) == (ConsentValue.YES, ConsentValue.YES)
    newest = slack.log()[-1]
    assert (newest.actor, newest.source) == (f"slack:{ana.id}", "slack")
    assert newest.evidence is not None
    assert slack.problems() is None


def test_opting_out_needs_nothing_but_the_dropdown(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.choose("Email On", "NO")

    saved = opened(ana, ana.submit())

    assert saved.plain.count("YES → NO") == 2
    assert slack.on(ANA) == (ConsentValue.NO, ConsentValue.NO)


def test_nothing_touched_is_nothing_changed(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    head = slack.head()
    ana.press("Edit")

    saved = opened(ana, ana.submit())

    assert saved.title == "Not changed"
    assert slack.head() == head


def test_yes_without_evidence_is_refused_at_the_evidence_field(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, INES)
    head = slack.head()
    ana.press("Edit")
    ana.choose("SMS On", "YES")

    outcome = ana.submit()

    assert "shows that the contact agreed" in outcome.errors["Evidence"]
    assert slack.head() == head

    ana.type("Evidence", " \u200b\t ")
    assert "Evidence" in ana.submit().errors
    assert slack.head() == head


@pytest.mark.parametrize("who", ["Ana", "Lee"])
def test_what_the_contact_refused_turns_into_a_request(slack: Slack, who: str) -> None:
    person = slack.person(who)
    card(person, GRACE)
    head = slack.head()
    person.press("Edit")
    person.choose("SMS On", "YES")
    person.type("Evidence", "She says she wants them again")

    modal = opened(person, person.submit())

    assert modal.title == "Re-opt-in for SMS"
    assert "a manager's approval" in modal.plain
    assert modal.fields["Evidence"] == "She says she wants them again"
    assert slack.head() == head
    assert slack.on(GRACE)[0] is ConsentValue.NO


def test_undo_takes_a_slip_back(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.choose("Reason", "Asked by phone")
    ana.submit()

    undone = opened(ana, ana.press("Undo"))

    assert "NO → YES" in undone.plain
    assert "Undo" not in undone.buttons
    assert slack.on(ANA) == (ConsentValue.YES, ConsentValue.YES)
    assert "SMS ✅ Opted in" in ana.messages()[-1].plain
    assert slack.problems() is None


def test_undo_is_refused_after_a_quarter_of_an_hour(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()
    slack.clock.advance(timedelta(minutes=16))

    refused = opened(ana, ana.press("Undo"))

    assert "15 minutes" in refused.plain
    assert slack.on(ANA)[0] is ConsentValue.NO


def test_a_second_undo_is_told_that_there_is_nothing_left(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.choose("Email On", "NO")
    saved = opened(ana, ana.submit())
    assert saved.buttons.count("Undo") == 2

    ana.press("Undo", in_=saved)
    assert slack.on(ANA) == (ConsentValue.YES, ConsentValue.NO)


def test_whoever_comes_second_is_told_who_was_quicker_and_keeps_what_they_typed(
    slack: Slack, ana: PersonClient, ben: PersonClient
) -> None:
    for person in (ana, ben):
        card(person, INES)
        person.press("Edit")
    ben.choose("SMS On", "YES")
    ben.type("Evidence", "Ticket 77")
    ben.submit()
    slack.clock.advance(timedelta(seconds=3))

    ana.choose("SMS On", "YES")
    ana.type("Evidence", "Ticket 78, the same day")
    ana.choose("Email On", "NO")
    ana.type("Note", "Prefers texts")
    again = opened(ana, ana.submit())

    assert again.title == "Edit"
    assert "@ben changed this 3 s ago: SMS On set to YES." in again.plain
    assert again.fields["Evidence"] == "Ticket 78, the same day"
    assert again.fields["Note"] == "Prefers texts"
    assert slack.on(INES) == (ConsentValue.YES, ConsentValue.NO)  # the opt-out did not wait
    assert "Email On → NO is saved" in again.plain

    saved = opened(ana, ana.submit())
    assert saved.title == "Saved"
    assert [entry.reason for entry in slack.log() if entry.kind is EntryKind.NOTE] == [
        "Prefers texts"
    ]
    assert slack.problems() is None


def test_of_two_who_save_at_the_same_moment_one_is_told(
    slack: Slack, ana: PersonClient, ben: PersonClient
) -> None:
    for person in (ana, ben):
        card(person, INES)
        person.press("Edit")
        person.choose("SMS On", "YES")
        person.type("Evidence", f"Ticket of {person.id}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda person: person.submit(), (ana, ben)))

    titles = sorted(modal.title for person in (ana, ben) if (modal := person.modal))
    assert titles == ["Edit", "Saved"]
    assert len([entry for entry in slack.log() if entry.actor.startswith("slack:")]) == 1
    assert slack.problems() is None


def test_an_untouched_dropdown_does_not_undo_what_somebody_else_saved(
    slack: Slack, ana: PersonClient, ben: PersonClient
) -> None:
    for person in (ana, ben):
        card(person, ANA)
        person.press("Edit")
    ben.choose("SMS On", "NO")
    ben.submit()

    ana.choose("Email On", "NO")
    ana.submit()

    assert slack.on(ANA) == (ConsentValue.NO, ConsentValue.NO)


def test_an_agent_clears_a_bounce_from_its_step(slack: Slack, ana: PersonClient) -> None:
    card(ana, BOB)
    assert "🚫 SMS On is YES, but texts bounce" in ana.messages()[-1].plain

    ana.press("Clear SMS Bounce")
    saved = opened(ana, saved_as_cleared(ana, reason_is="text"))

    assert "SMS Bounce" in saved.plain
    assert "the next message is a test" in saved.plain
    assert "🟡" in ana.messages()[-1].plain
    assert slack.log()[-1].kind is EntryKind.BOUNCE


def test_an_agent_clears_a_bounce_in_the_modal(slack: Slack, ana: PersonClient) -> None:
    card(ana, BOB)
    form = opened(ana, ana.press("Edit"))
    assert form.fields["SMS Bounce"].startswith("YES")

    ana.choose("SMS Bounce", "NO")
    saved = opened(ana, saved_as_cleared(ana))

    assert "YES → cleared" in saved.plain
    entry = slack.log()[-1]
    assert (entry.kind, entry.reason) == (EntryKind.BOUNCE, "Asked by phone")
    assert entry.evidence is not None
    assert entry.evidence.text == "He called from this number"


def test_a_bounce_is_cleared_with_a_reason_and_with_evidence_only(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, BOB)
    head = slack.head()
    ana.press("Edit")
    ana.choose("SMS Bounce", "NO")

    assert ana.submit().errors == {"Reason": "Say why the bounce is cleared."}
    ana.choose("Reason", "Correction")
    (field, sentence), *more = ana.submit().errors.items()
    assert (field, more) == ("Evidence", [])
    assert sentence.startswith("Say what shows that the address works: ")
    assert slack.head() == head


def test_a_bounce_somebody_else_was_quicker_with_is_said(
    slack: Slack, ana: PersonClient, ben: PersonClient
) -> None:
    for person in (ana, ben):
        card(person, BOB)
        person.press("Clear SMS Bounce")
    saved_as_cleared(ben, reason_is="text")
    head = slack.head()

    told = opened(ana, saved_as_cleared(ana, reason_is="text"))

    assert "changed this 0 s ago" in told.plain
    assert slack.head() == head


def test_a_spam_complaint_is_cleared_by_a_manager_only(
    slack: Slack, ana: PersonClient, lee: PersonClient
) -> None:
    card(ana, PAULA)
    head = slack.head()
    assert "Clear spam complaint" not in ana.messages()[-1].buttons

    ana.press("Edit")
    ana.choose("Email Bounce", "NO")
    assert "Only a manager" in "".join(saved_as_cleared(ana).errors.values())
    assert slack.head() == head

    card(lee, PAULA)
    lee.press("Clear spam complaint")
    assert "Email Bounce" in opened(lee, saved_as_cleared(lee, reason_is="text")).plain
    assert slack.log()[-1].after == "PROBATION"


def test_do_not_contact_is_shown_and_is_a_managers_to_lift(slack: Slack, ana: PersonClient) -> None:
    answer = said(ana.command("/optin umar@example.com"))

    assert "Do not contact" in answer
    assert "lift Do not contact once they ask" in answer
    assert "Manager:" in answer


def test_details_list_every_reason_and_the_legend(slack: Slack, ana: PersonClient) -> None:
    card(ana, GRACE)

    why = opened(ana, ana.overflow("Details"))

    assert "carrier blocks" in why.plain
    assert "does not want texts" in why.plain
    assert "Email ✅ Opted in" in why.plain
    for icon in "✅🔴⚪🟡🚫":
        assert icon in why.plain


def test_a_note_goes_into_the_log(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    opened(ana, ana.overflow("Add a note"))
    assert "Note" in ana.submit().errors

    ana.type("Note", "Speaks Spanish & <prefers> *mornings*")
    assert "Note" in opened(ana, ana.submit()).plain

    newest = slack.log()[-1]
    assert (newest.kind, newest.reason) == (EntryKind.NOTE, "Speaks Spanish & <prefers> *mornings*")


def test_refresh_shows_what_changed_elsewhere(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    slack.set(slack.find(ANA), StatusUpdate(sms=ConsentValue.NO))

    assert ana.overflow("Refresh").error is None

    assert "SMS 🔴 Opted out" in ana.messages()[-1].plain


def test_changing_details_says_before_and_after(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    ana.overflow("Change contact")
    ana.type("Phone", "(212) 555-0190")
    ana.type("Company", "")

    saved = opened(ana, ana.submit())

    assert "+1 415-555-0100 → +1 212-555-0190" in saved.plain
    assert "Acme → none" in saved.plain
    contact = slack.find(ANA)
    assert contact.consent(Channel.SMS).on is ConsentValue.UNSET
    assert "⚪" in ana.messages()[-1].plain


def test_two_people_change_different_details_and_neither_is_lost(
    slack: Slack, ana: PersonClient, ben: PersonClient
) -> None:
    for person in (ana, ben):
        card(person, ANA)
        person.overflow("Change contact")
    ben.type("Phone", "+12125550190")
    ben.submit()
    slack.clock.advance(timedelta(seconds=20))

    ana.type("Name", "Ana Gómez Ruiz")
    again = opened(ana, ana.submit())
    assert again.title == "Change contact"
    assert "20 s ago" in again.plain
    assert again.fields["Name"] == "Ana Gómez Ruiz"
    assert again.fields["Phone"] == "+12125550190"

    opened(ana, ana.submit())
    contact = slack.find(ANA)
    assert (contact.name, contact.phone) == ("Ana Gómez Ruiz", "+12125550190")
    assert slack.problems() is None


def test_a_contact_keeps_an_address(slack: Slack, ana: PersonClient) -> None:
    card(ana, ANA)
    ana.overflow("Change contact")
    ana.type("Phone", "")
    ana.type("Email", "")

    assert ana.submit().errors == {"Phone": "A contact needs a phone number or an e-mail address."}


def test_the_card_in_a_modal_is_redrawn_after_save(slack: Slack, ana: PersonClient) -> None:
    ana.command("/optin")
    ana.pick("Find", "Ana Gómez", typed="ana g")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()

    below, saved = ana.modals

    assert saved.title == "Saved"
    assert "SMS 🔴 Opted out" in below.plain


def test_an_opt_out_does_not_wait_for_a_yes_that_is_refused(
    slack: Slack, ana: PersonClient
) -> None:
    ana.command("/optin Grace Lee")
    ana.press("Edit")
    ana.choose("SMS On", "YES")
    ana.choose("Email On", "NO")

    modal = opened(ana, ana.submit())

    assert "It takes the contact's new permission" in modal.plain
    assert "Email On → NO is saved." in modal.plain
    assert "Email 🔴 Opted out" in modal.plain


def saved_as_cleared(person: PersonClient, *, reason_is: str = "dropdown") -> ClientOutcome:
    """Gives the reason and the evidence that a cleared bounce needs, and saves."""
    if reason_is == "text":
        person.type("Reason", "Asked by phone")
    else:
        person.choose("Reason", "Asked by phone")
    person.type("Evidence", "He called from this number")
    return person.submit()
