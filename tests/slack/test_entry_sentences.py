"""One entry of each kind, and the sentence that people read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from bot.consent.log.entries import MERGED, NUMBER, SOFT, UNDO_IMPORT, UNDO_SLIP, Entry, EntryKind
from bot.consent.model import Channel, Evidence, Origin
from handlers.entry_sentences import Style, plain_sentence, sentence
from tests.support.consent_fixtures import PROVIDERS

AT = datetime(2026, 10, 26, 11, 34, tzinfo=UTC)
OURS = "+18885550199"
FAILED = "The handset is off or out of reach. (Twilio 30003)"
OPTED_OUT = "The contact has opted out of this sender. (Twilio 21610)"
NO_MAILBOX = "There is no such mailbox. (Sendgrid 5.1.1)"

CONTACT: Mapping[str, Any] = {"actor": "contact", "source": "provider:twilio", "by": Origin.CONTACT}
MAIL: Mapping[str, Any] = {**CONTACT, "source": "provider:sendgrid", "channel": Channel.EMAIL}
LINK: Mapping[str, Any] = {**MAIL, "source": "provider:one_click"}
TWILIO: Mapping[str, Any] = {"actor": "provider:twilio", "source": "provider:twilio"}
SENDGRID: Mapping[str, Any] = {
    "actor": "provider:sendgrid",
    "source": "provider:sendgrid",
    "channel": Channel.EMAIL,
}
IMPORT: Mapping[str, Any] = {"actor": "import:0194", "source": "import"}
OPTIN: Mapping[str, Any] = {"actor": "system", "source": "slack"}


def entry(kind: EntryKind, before: str = "", after: str = "", **fields: Any) -> Entry:
    whole: dict[str, Any] = {
        "id": "0" * 32,
        "occurred_at": AT,
        "recorded_at": AT,
        "actor": "slack:U0AGENT1",
        "source": "slack",
        "contact": "f" * 32,
        "channel": Channel.SMS,
        "address": "+14155550106",
        "salt": "0",
        "seq": 1,
    }
    return Entry(kind=kind, before=before, after=after, **(whole | fields))


def _soft(before: int, after: int) -> dict[str, Any]:
    return {SOFT: (str(before), str(after))}


K = EntryKind
TABLE: list[tuple[Entry, str]] = [
    # Consent
    (
        entry(K.CONSENT, "YES", "NO", **CONTACT, reason="Replied “STOP”", sender=OURS),
        "Texted STOP to +1 888-555-0199",
    ),
    (
        entry(
            K.CONSENT,
            "YES",
            "NO",
            **CONTACT,
            reason="Replied “STOP”",
            sender="MG0123",
            changes={NUMBER: (None, OURS)},
        ),
        "Texted STOP to +1 888-555-0199",
    ),
    (
        entry(K.CONSENT, "YES", "NO", **CONTACT, reason="Replied “stop it”"),
        "Texted “stop it”",
    ),
    (
        entry(K.CONSENT, "YES", "NO", **CONTACT, reason="Replied with an opt-out word"),
        "Texted an opt-out word",
    ),
    (
        entry(K.CONSENT, "YES", "NO", **CONTACT, salt="", address=None),
        "SMS On set to NO by the contact",
    ),
    (entry(K.CONSENT, "YES", "NO", reason="Asked by phone"), "SMS On set to NO: asked by phone"),
    (
        entry(K.CONSENT, "NO", "NO", reason="Asked by phone", by=Origin.CONTACT),
        "SMS On stays NO: asked by phone",
    ),
    (entry(K.CONSENT, "YES", "YES", reason="Correction"), "SMS On stays YES: correction"),
    (entry(K.CONSENT, "NO", "YES"), "SMS On set to YES"),
    (
        entry(K.CONSENT, "NO", "YES", reason="Re-opt-in", evidence=Evidence(text="Call")),
        "SMS On set to YES: re-opt-in",
    ),
    (
        entry(
            K.CONSENT,
            "NO",
            "YES",
            reason="Re-opt-in: Asked by phone",
            evidence=Evidence(text="Call"),
        ),
        "SMS On set to YES: re-opt-in, asked by phone",
    ),
    (
        entry(K.CONSENT, "YES", "NO", **TWILIO, reason=f"Refused at the provider: {OPTED_OUT}"),
        "SMS On set to NO: the contact has opted out of this sender (Twilio 21610)",
    ),
    (entry(K.CONSENT, "NO", "YES", reason=UNDO_SLIP), "Undone: SMS On back to YES"),
    (
        entry(K.CONSENT, "YES", "UNSET", reason=UNDO_IMPORT),
        "Import undone: SMS On back to never asked",
    ),
    (entry(K.CONSENT, "UNSET", "YES", **IMPORT), "Imported: SMS On YES"),
    (
        entry(K.CONSENT, "YES", "NO", **LINK, reason="Unsubscribed"),
        "Unsubscribed by the link in an e-mail",
    ),
    (
        entry(K.CONSENT, "YES", "NO", **MAIL, reason="Unsubscribed from asm_group:12"),
        "Unsubscribed from asm_group:12 at SendGrid",
    ),
    (
        entry(K.CONSENT, "YES", "NO", **MAIL, reason="Reported our e-mail as spam"),
        "Reported our e-mail as spam",
    ),
    (
        entry(K.CONSENT, "YES", "NO", **OPTIN, reason="Refused at an earlier address"),
        "SMS On set to NO: refused at an earlier address",
    ),
    # Notes, and what is said again
    (
        entry(K.NOTE, "NO", "NO", **CONTACT, reason="Replied “STOP”", sender=OURS),
        "Texted STOP to +1 888-555-0199, again",
    ),
    (entry(K.NOTE, "NO", "NO", reason="Asked by phone"), "SMS On stays NO: asked by phone"),
    (
        entry(K.NOTE, "YES", "NO", **IMPORT),
        "Imported: SMS On NO, older than the YES, which stays",
    ),
    (entry(K.NOTE, "NO", "NO", **IMPORT), "Imported: SMS On NO, which it was already"),
    (entry(K.NOTE, reason="moved to Berlin", channel=None), "Note: moved to Berlin"),
    (entry(K.NOTE, **CONTACT, reason="Wrote “leave me be”"), "Wrote “leave me be”"),
    (
        entry(K.NOTE, **SENDGRID, reason="Subscribed again at the provider"),
        "Subscribed again at the provider",
    ),
    # Blocks and lists
    (
        entry(K.BLOCK, "none", "blocked", **CONTACT, sender=OURS),
        "Texts from +1 888-555-0199 are blocked: the contact opted out there",
    ),
    (
        entry(K.BLOCK, "blocked", "blocked", **CONTACT, sender=OURS),
        "Texts from +1 888-555-0199 are still blocked: the contact opted out there",
    ),
    (
        entry(K.BLOCK, "none", "unknown", **TWILIO, sender=OURS, reason=OPTED_OUT),
        "Texts from +1 888-555-0199 may be blocked: "
        "the contact has opted out of this sender (Twilio 21610)",
    ),
    (
        entry(K.BLOCK, "blocked", "none", **CONTACT, sender=OURS, reason="Replied “UNSTOP”"),
        "Texted UNSTOP to +1 888-555-0199, which lifts the block",
    ),
    (
        entry(K.BLOCK, "none", "none", **CONTACT, sender=OURS, reason="Replied “UNSTOP”"),
        "Texted UNSTOP to +1 888-555-0199",
    ),
    (
        entry(K.BLOCK, "blocked", "none", **TWILIO, sender=OURS, reason="Delivered"),
        "Texts from +1 888-555-0199 are no longer blocked: a text was delivered",
    ),
    (
        entry(K.BLOCK, "none", "blocked", **MAIL, sender="sendgrid/unsubscribe"),
        "Put on SendGrid's suppression list: the contact unsubscribed",
    ),
    (
        entry(
            K.BLOCK,
            "blocked",
            "none",
            channel=Channel.EMAIL,
            sender="ses/bounce",
            reason="Removed at Amazon SES",
        ),
        "Taken off Amazon SES's suppression list: removed at Amazon SES",
    ),
    # Failures and bounces
    (
        entry(K.BOUNCE, "NO", "NO", **TWILIO, reason=FAILED, changes=_soft(0, 1)),
        "Text failed: the handset is off or out of reach (Twilio 30003)",
    ),
    (
        entry(K.BOUNCE, "NO", "NO", **TWILIO, reason="Delivered", changes=_soft(2, 0)),
        "Text delivered: the failures before it no longer count",
    ),
    (
        entry(K.BOUNCE, "NO", "YES", **SENDGRID, reason=NO_MAILBOX),
        "E-mail bounced: there is no such mailbox (SendGrid 5.1.1)",
    ),
    (
        entry(K.BOUNCE, "YES", "YES", **SENDGRID, reason=NO_MAILBOX),
        "E-mail bounced again: there is no such mailbox (SendGrid 5.1.1)",
    ),
    (
        entry(K.BOUNCE, "NO", "YES", **MAIL, reason="Reported as spam"),
        "Reported our e-mail as spam",
    ),
    (
        entry(K.BOUNCE, "YES", "PROBATION", by=Origin.STAFF, reason="new SIM"),
        "Bounce cleared: the next text is a test",
    ),
    (
        entry(K.BOUNCE, "PROBATION", "NO", **TWILIO, reason="Delivered"),
        "Text delivered: the bounce is over",
    ),
    (
        entry(K.BOUNCE, "NO", "YES", **IMPORT, reason="Marked as bounced in an import"),
        "Imported: phone number bounced",
    ),
    (
        entry(K.BOUNCE, "YES", "NO", **IMPORT, reason=UNDO_IMPORT),
        "Import undone: SMS Bounce back to NO",
    ),
    (
        entry(K.EXPECTED_ERROR, **TWILIO, reason=OPTED_OUT, expected=True),
        "Text failed, as it must after an opt-out: "
        "the contact has opted out of this sender (Twilio 21610)",
    ),
    # Replies to read, cases, contacts, imports
    (
        entry(K.HOLD, "", "held", **CONTACT, reason="please leave me be"),
        "A reply waits to be read: “please leave me be”",
    ),
    (entry(K.HOLD, "", "held", **CONTACT), "A reply waits to be read"),
    (
        entry(K.HOLD, "held", "released", reason="“please” was read as no opt-out"),
        "The reply counts as no opt-out: “please”",
    ),
    (entry(K.CASE, "", "pending"), "Re-opt-in requested for SMS"),
    (entry(K.CASE, "pending", "approved"), "Re-opt-in approved for SMS"),
    (
        entry(K.CASE, "pending", "denied", reason="No proof"),
        "Re-opt-in denied for SMS: no proof",
    ),
    (entry(K.CASE, "pending", "cancelled", reason="Withdrawn"), "Re-opt-in withdrawn for SMS"),
    (entry(K.CASE, "approved", "expired", **OPTIN), "Re-opt-in expired for SMS"),
    (
        entry(K.CASE, "pending", "overtaken", **OPTIN, reason="The contact refused again."),
        "Re-opt-in ended for SMS: the contact refused again",
    ),
    (entry(K.CASE, "approved", "completed"), "Re-opt-in completed for SMS"),
    (entry(K.CONTACT, "", "added", channel=None), "Contact added"),
    (entry(K.CONTACT, "", "added", channel=None, **IMPORT), "Imported: contact added"),
    (
        entry(K.CONTACT, "", "changed", channel=None, changes={"name": ("A", "B")}),
        "Name changed",
    ),
    (
        entry(K.CONTACT, "", "changed", channel=None, changes={"do_not_contact": (False, True)}),
        "Do not contact set",
    ),
    (
        entry(K.CONTACT, "", "changed", channel=None, changes={MERGED: ("0", None)}),
        "Another contact became one with this one",
    ),
    (
        entry(K.IMPORT, "", "finished", channel=None, reason="a.csv: 3 added"),
        "Import finished: a.csv: 3 added",
    ),
    (entry(K.ERASED, channel=None), "Contact erased"),
]


@pytest.mark.parametrize(("one", "said"), TABLE, ids=[said for _, said in TABLE])
def test_an_entry_is_one_sentence(one: Entry, said: str) -> None:
    assert plain_sentence(one, PROVIDERS) == said


def test_the_table_has_an_entry_of_each_kind() -> None:
    assert {one.kind for one, _ in TABLE} == {*EntryKind}


def test_no_sentence_says_that_nothing_became_nothing_or_names_a_kind_of_the_log() -> None:
    values = ("", "YES", "NO", "UNSET", "PROBATION", "none", "blocked", "unknown", "held")
    actors = (CONTACT, MAIL, TWILIO, SENDGRID, IMPORT, OPTIN, {})
    for kind, value, fields in product(EntryKind, values, actors):
        for reason in (None, FAILED, "Replied “STOP”", UNDO_SLIP, UNDO_IMPORT):
            said = plain_sentence(entry(kind, value, value, **fields, reason=reason), PROVIDERS)

            assert said
            for dialect in ("→", "expected_error", "Expected error", "Carrier blocks"):
                assert dialect not in said


def test_a_reason_that_is_too_long_for_a_sentence_is_left_for_a_line_of_its_own() -> None:
    long = "The customer called about the delivery. " * 10
    said = sentence(entry(K.CONSENT, "YES", "NO", reason=long), Style(providers=PROVIDERS))

    assert said.text == "SMS On set to NO"
    assert said.left == long


def test_what_people_wrote_mints_no_markup() -> None:
    text = "Replied “<!channel> *hi*”"
    said = sentence(
        entry(K.CONSENT, "YES", "NO", **CONTACT, reason=text), Style(providers=PROVIDERS)
    )

    assert said.text == "Texted “&lt;!channel&gt; ∗hi∗”"
