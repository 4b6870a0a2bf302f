"""The Activity Log of a contact, and the last changes of all: pages, filters, export."""

from __future__ import annotations

import csv
import io

from bot.consent.events import EventKind
from bot.consent.log.entries import EntryKind
from bot.consent.model import ConsentValue, Contact
from bot.consent.use_cases import StatusUpdate, note
from bot.consent.use_cases.ingest import ingest
from sandbox.client import PersonClient
from tests.support.slack_fixtures import OPERATOR, Slack, card, opened, said
from tests.support.take_fixtures import mailed, text


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

    assert "SMS On YES → NO" in log.plain
    assert "by @ana, from Slack" in log.plain
    assert "Reason: Asked by phone" in log.plain
    assert "2026" in log.plain


def test_the_log_is_filtered_by_channel_and_kind(slack: Slack, ana: PersonClient) -> None:
    _busy(slack)
    card(ana, "busy@example.com")
    ana.press("Activity")
    ana.press("Older")

    ana.choose("log_kind", "Opt-ins and opt-outs")
    consents = opened(ana, ana.choose("log_channel", "All channels"))
    assert "SMS On never asked → YES" in consents.plain
    assert "Email On never asked → NO" in consents.plain
    assert "note" not in consents.plain

    email = opened(ana, ana.choose("log_channel", "Email"))
    assert "SMS On never asked" not in email.plain
    assert "Email On never asked → NO" in email.plain

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
    assert "Bounce" in bounces
    assert "Contact added" not in bounces

    profile = opened(ana, ana.press("View", in_=ana.messages()[-1]))
    assert "Edit" in profile.buttons


def test_recent_keeps_its_kind_when_it_is_turned(slack: Slack, ana: PersonClient) -> None:
    ana.command("/optin recent")
    ana.choose("recent_kind", "Contact details", in_=ana.messages()[-1])

    ana.press("Older", in_=ana.messages()[-1])

    page = ana.messages()[-1]
    assert "Contact added" in page.plain
    assert "On never asked" not in page.plain
    assert "Contact details" in page.fields.values()


def test_what_providers_told_is_said_in_words_and_with_their_names(
    slack: Slack, ana: PersonClient
) -> None:
    slack.add("Told Of", phone="+12125550198", email="told@example.com")
    wish = text("please take me off your list", address="+12125550198")
    ingest(slack.service, [wish, mailed(EventKind.COMPLAINT, address="told@example.com")])
    card(ana, "told@example.com")

    log = opened(ana, ana.press("Activity")).plain

    assert "SMS held: a reply has to be read" in log
    assert "Reported as spam" in log
    assert "by the contact, from SendGrid" in log
