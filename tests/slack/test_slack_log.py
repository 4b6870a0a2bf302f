"""The Activity Log of a contact, and the last changes of all: pages, filters, export."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.rules import RULES_VERSION
from bot.consent.use_cases import CaseRequest, StatusUpdate, note, request
from bot.consent.use_cases.ingest import ingest
from sandbox.client import PersonClient
from tests.support.slack_fixtures import OPERATOR, Slack, card, opened, said
from tests.support.take_fixtures import failed, mailed, text


def _busy(slack: Slack) -> Contact:
    """A contact with 25 notes and two consents."""
    contact = slack.add("Busy Bee", phone="+12125550199", email="busy@example.com")
    slack.set(contact, StatusUpdate(sms=ConsentValue.YES, evidence="Form 1"))
    slack.set(contact, StatusUpdate(email=ConsentValue.NO, reason="Asked by phone"))
    for number in range(25):
        note(slack.service, contact.id, f"note {number:02}", OPERATOR)
    return contact


def test_the_log_is_paged_newest_first(slack: Slack, ana: PersonClient) -> None:
    _busy(slack)
    card(ana, "busy@example.com")

    newest = opened(ana, ana.press("Activity"))
    assert newest.title == "Activity Log"
    assert newest.plain.index("note 24") < newest.plain.index("note 15")
    assert "note 14" not in newest.plain
    assert "Newer" not in newest.buttons

    older = opened(ana, ana.press("Older"))
    assert "note 14" in older.plain
    assert "note 15" not in older.plain

    oldest = opened(ana, ana.press("Older"))
    assert "Contact added" in oldest.plain
    assert "Older" not in oldest.buttons

    opened(ana, ana.press("Newer"))
    again = opened(ana, ana.press("Newer"))
    assert "note 24" in again.plain
    assert "Newer" not in again.buttons


def test_a_line_says_what_who_when_from_where_and_why(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.choose("Reason", "Asked by phone")
    ana.submit()
    ana.close(whole=True)

    log = opened(ana, ana.press("Activity"))

    assert "SMS On set to NO: asked by phone" in log.plain
    assert "by @ana, in Slack" in log.plain
    assert "2026" in log.plain


def test_the_log_is_filtered_by_channel_and_kind(slack: Slack, ana: PersonClient) -> None:
    _busy(slack)
    card(ana, "busy@example.com")
    ana.press("Activity")
    ana.press("Older")

    ana.choose("log_kind", "Opt-ins and opt-outs")
    consents = opened(ana, ana.choose("log_channel", "All channels"))
    assert "SMS On set to YES" in consents.plain
    assert "Email On set to NO: asked by phone" in consents.plain
    assert "note" not in consents.plain

    email = opened(ana, ana.choose("log_channel", "Email"))
    assert "SMS On" not in email.plain
    assert "Email On set to NO" in email.plain

    nothing = opened(ana, ana.choose("log_kind", "Bounces"))
    assert "Nothing here" in nothing.plain


def test_the_log_is_exported_to_ones_own_direct_messages(slack: Slack, ana: PersonClient) -> None:
    contact = _busy(slack)
    note(slack.service, contact.id, "=HYPERLINK(1), a <!channel> and a comma", OPERATOR)
    card(ana, "busy@example.com")
    ana.press("Activity")

    told = opened(ana, ana.press("Export as CSV"))

    assert "direct messages" in told.plain
    message = ana.dms()[-1]
    rows = list(csv.DictReader(io.StringIO(ana.download(message.files[0]).decode())))
    assert len(rows) == 29
    assert rows[0]["reason"] == "'=HYPERLINK(1), a <!channel> and a comma"
    assert rows[-1]["kind"] == EntryKind.CONTACT
    assert all(row["hash"] for row in rows)
    assert slack.person("Ben").dms() == []
    assert slack.workspace.pings() == [] or set(slack.workspace.pings()) == {f"@{ana.id}"}


def test_an_export_that_slack_does_not_take_says_so(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    ana.press("Activity")
    slack.workspace.fault("files.getUploadURLExternal", "error", error="internal_error")

    told = opened(ana, ana.press("Export as CSV"))

    assert "nothing was sent" in told.plain


def test_recent_is_every_contacts_log_by_kind_and_page(slack: Slack, ana: PersonClient) -> None:
    answer = ana.command("/optin recent")
    first = said(answer)
    assert "Jürgen Müller" in first

    ana.press("Older", in_=answer.messages[0])
    older = ana.messages()[-1]
    assert older.plain != first
    assert "Newest" in older.buttons

    ana.press("Newest", in_=older)
    assert "Jürgen Müller" in ana.messages()[-1].plain

    ana.choose("recent_kind", "Bounces", in_=ana.messages()[-1])
    bounces = ana.messages()[-1].plain
    assert "bounced" in bounces
    assert "Contact added" not in bounces

    profile = opened(ana, ana.press("View", in_=ana.messages()[-1]))
    assert "Edit" in profile.buttons


def test_recent_keeps_its_kind_when_it_is_turned(slack: Slack, ana: PersonClient) -> None:
    ana.command("/optin recent")
    ana.choose("recent_kind", "Contact details", in_=ana.messages()[-1])

    ana.press("Older", in_=ana.messages()[-1])

    page = ana.messages()[-1]
    assert "Contact added" in page.plain
    assert "On set to" not in page.plain
    assert "Contact details" in page.fields.values()


def test_what_providers_told_is_said_in_words_and_with_their_names(
    slack: Slack, ana: PersonClient
) -> None:
    slack.add("Told Of", phone="+12125550198", email="told@example.com")
    wish = text("please take me off your list", address="+12125550198")
    ingest(slack.service, [wish, mailed(EventKind.COMPLAINT, address="told@example.com")])
    card(ana, "told@example.com")

    log = opened(ana, ana.press("Activity")).plain

    assert "A reply waits to be read: “please take me off your list”" in log
    assert "Reported our e-mail as spam" in log
    assert "by the contact, via SendGrid" in log


# Sentences, folds and filters


def _storm(slack: Slack) -> None:
    """STOPs of six contacts, each with the failure of its confirmation."""
    for number in range(6):
        phone = f"+1212555017{number}"
        slack.add(f"Stormy {number}", phone=phone)
        ingest(slack.service, [text("STOP", address=phone)])
        slack.clock.advance(timedelta(seconds=2))
        ingest(slack.service, [failed(Failure.OPT_OUT, code="21610", address=phone)])


def test_after_a_storm_recent_lists_stops_and_no_expected_errors(
    slack: Slack, ana: PersonClient
) -> None:
    _storm(slack)
    first = said(answer := ana.command("/optin recent"))

    assert "Stormy 5 · Texted STOP to +1 415-555-0177" in first
    assert "Stormy 3 · Texted STOP" in first
    assert "failed" not in first

    ana.choose("recent_kind", "Every entry, expected errors too", in_=answer.messages[0])
    every = ana.messages()[-1].plain
    assert "Text failed, as it must after an opt-out" in every

    ana.press("Older", in_=ana.messages()[-1])
    assert "Text failed, as it must after an opt-out" in ana.messages()[-1].plain


def test_the_text_of_recent_says_the_whole_list_and_masks_what_people_wrote(
    slack: Slack, ana: PersonClient
) -> None:
    contact = slack.add("Nell Note", phone="+12125550198")
    note(slack.service, contact.id, "call +1 212 555 0198 instead", OPERATOR)
    ingest(slack.service, [text("STOP", address="+12125550142")])
    [message] = ana.command("/optin recent").messages

    assert "Nell Note: note: call ending 0198 instead, " in message.text
    assert "Nell Note · Note: call ending 0198 instead" in message.plain
    assert "Unknown number" in message.text or "Number ending 0142" in message.text
    assert "0142" not in message.text.replace("Number ending 0142", "")
    assert message.text.count("\n") == 10


def test_failures_that_changed_nothing_are_one_line_and_can_be_unfolded(
    slack: Slack, ana: PersonClient
) -> None:
    slack.add("Flo Flaky", phone="+12125550198")
    for _ in range(3):
        slack.clock.advance(timedelta(seconds=1))
        off = {"code": "30003", "meaning": "The handset is off or out of reach."}
        ingest(slack.service, [failed(Failure.SOFT, address="+12125550198", **off)])
    card(ana, "+12125550198")
    sentence = "he handset is off or out of reach (Twilio 30003)"

    folded = opened(ana, ana.press("Activity")).plain
    assert f"3 times: text failed: t{sentence}, the last Nov 3, 2026" in folded
    assert folded.count(sentence) == 1

    every = opened(ana, ana.choose("log_kind", "Every entry, expected errors too")).plain
    assert every.count(f"Text failed: t{sentence}") == 3
    assert "by Twilio" in every


def test_re_opt_ins_and_held_replies_have_a_filter(slack: Slack, ana: PersonClient) -> None:
    contact = slack.add("Rea Opt", phone="+12125550198")
    slack.set(contact, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"))
    ask = CaseRequest(channel=Channel.SMS, evidence="Ticket 9", reason="Asked by phone")
    slack.clock.advance(timedelta(minutes=1))
    request(slack.service, contact.id, ask, OPERATOR)
    ingest(slack.service, [text("please take me off your list", address="+12125550198")])
    card(ana, "+12125550198")
    ana.press("Activity")

    asked = opened(ana, ana.choose("log_kind", "Re-opt-ins and replies to read")).plain
    assert "Re-opt-in requested for SMS: asked by phone" in asked
    assert "Evidence: Ticket 9" in asked
    assert "Contact added" not in asked
    ana.close(whole=True)

    answer = ana.command("/optin recent")
    ana.choose("recent_kind", "Re-opt-ins and replies to read", in_=answer.messages[0])
    recent = ana.messages()[-1].plain
    assert "Rea Opt · Re-opt-in requested for SMS: asked by phone" in recent
    assert "Contact added" not in recent


def test_the_card_says_the_last_thing_that_matters(slack: Slack, ana: PersonClient) -> None:
    _storm(slack)
    shown = said(ana.command("/optin +12125550175"))

    assert "Last: texted STOP to +1 415-555-0177 · Nov 3, 2026" in shown


def test_status_on_shows_the_card_as_it_was(slack: Slack, ana: PersonClient) -> None:
    contact = slack.add("Busy Bee", phone="+12125550199", email="busy@example.com")
    slack.set(contact, StatusUpdate(sms=ConsentValue.YES, evidence="Form 1"))
    agreed = slack.clock()
    slack.clock.advance(timedelta(days=2))
    slack.set(contact, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"))
    card(ana, "busy@example.com")
    ana.press("Activity")

    past = opened(ana, ana.type("Status on…", f"{agreed + timedelta(days=1):%Y-%m-%d}"))
    assert past.title == "Status on…"
    assert "SMS ✅ Opted in" in past.plain
    assert "by what Optin had recorded by then." in past.plain
    assert f"Today's rules (version {RULES_VERSION}) and today's senders decide." in past.plain
    assert "Clear" not in past.buttons

    happened = opened(ana, ana.choose("past_by", "What had happened by then"))
    assert "by what had happened by then, also where Optin learned of it later." in happened.plain
    assert "SMS ✅ Opted in" in happened.plain

    now = opened(ana, ana.type("past_at", str(int(slack.clock().timestamp()))))
    assert "SMS 🔴 Opted out" in now.plain

    log = opened(ana, ana.press("Back to the log"))
    assert log.title == "Activity Log"
    assert "SMS On set to NO: asked by phone" in log.plain
    again = opened(ana, ana.type("Status on…", f"{agreed + timedelta(days=1):%Y-%m-%d}"))
    assert "SMS ✅ Opted in" in again.plain


def test_status_on_a_day_to_come_and_before_the_contact_says_why_not(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "ana@example.com")
    ana.press("Activity")

    coming = opened(ana, ana.type("Status on…", "2099-01-01"))
    assert "That time is still to come." in coming.plain
    ana.close()
    before = opened(ana, ana.type("Status on…", "2001-01-01"))
    assert "Optin did not have this contact then: it came on" in before.plain


def test_status_on_keeps_the_page_of_the_log(slack: Slack, ana: PersonClient) -> None:
    _busy(slack)
    card(ana, "busy@example.com")
    ana.press("Activity")
    ana.press("Older")

    opened(ana, ana.type("Status on…", f"{slack.clock():%Y-%m-%d}"))
    older = opened(ana, ana.press("Back to the log"))

    assert "note 14" in older.plain
    assert "note 15" not in older.plain
