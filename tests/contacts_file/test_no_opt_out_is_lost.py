"""Random files of random makers: nobody who said no, bounced or is suppressed comes in as unset or
as yes, unless the import stopped."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.consent.model import Bounce, Channel, ConsentValue
from bot.consent.use_cases import find, import_rows
from bot.runtime.clock import Stopped
from handlers.contacts_file import UnreadableFile, open_contacts
from tests.support.consent_fixtures import AGENT, OPERATOR, open_service

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
SMS, EMAIL = Channel.SMS, Channel.EMAIL


class Kind(NamedTuple):
    """Columns that mean the same, and words against a message and others that makers write there."""

    titles: tuple[str, ...]
    against: tuple[str, ...]
    other: tuple[str, ...]
    #: Of which channels the words are, at least.
    channels: tuple[Channel, ...]


OUT = ("true", "Yes", "1", "x", "✓", "TRUE", "Opted out", "2025-03-01", "05/03/2025", "1767225600")
NOT_OUT = ("", "false", "No", "0", "✗")
NO = ("no", "FALSE", "0", "Unsubscribed", "opted-out", "UNSUBSCRIBED", "🔴", "Opt Out", "✗", "STOP")
YES = ("", "yes", "Subscribed", "opted_in", "✅", "NEVER_SUBSCRIBED", "Not subscribed", "pending")
BOUNCED = (
    "yes",
    "true",
    "HARD_BOUNCE",
    "Hard bounce",
    "cleaned",
    "3",
    "2025-03-01",
    "UNDELIVERABLE",
)
KINDS = (
    Kind(("Email Opt Out", "HasOptedOutOfEmail", "hs_email_optout", "doNotEmail", "email_unsubscribed",
          "Unsubscribed from all email", "Opted out of email: Marketing Information", "Email Suppressed",
          "EMAIL_BLACKLISTED", "No Bulk Emails (User Opt Out)"), OUT, NOT_OUT, (EMAIL,)),
    Kind(("SMS Opt Out", "et4ae5__HasOptedOutOfMobile__c", "smsUnsubscribed", "Do Not Text", "do_not_sms",
          "Text opt-out", "SMS blocklisted"), OUT, NOT_OUT, (SMS,)),
    Kind(("Opted out at", "unsubscribed_from_emails_at", "Date Unsubscribed", "Email opt-out date",
          "suppressed_at", "Unsubscribe reason", "dnc_reason"), ("2025-03-01", "05/03/2025 10:00",
          "1767225600", "Sun, 03 May 2026 10:00:00 UTC", "1"), ("", "0"), (EMAIL,)),
    Kind(("Opted Out", "Unsubscribed", "Do Not Contact", "unsubscribed_at", "Blocklisted", "UNSUB_TIME",
          "opt_out_time"), OUT, ("",), (SMS, EMAIL)),
    Kind(("SMS On", "Accepts SMS Marketing", "SMS Marketing Consent", "Phone Subscription Status",
          "textOptIn", "Ok to text?", "SMS Opt-in Status"), NO, YES, (SMS,)),
    Kind(("Email On", "Accepts Email Marketing", "Email Marketing Consent", "Email subscriber status",
          "channels.email.subscribeStatus", "Newsletter", "email_subscribe"), NO, YES, (EMAIL,)),
    Kind(("Opt-In", "Marketing consent", "Subscription status", "marketing_opt_in"), NO, YES, (SMS, EMAIL)),
    Kind(("Status", "State", "Segment", "List status"), ("unsubscribed", "Opted Out", "Blocklisted",
          "suppressed"), ("", "subscribed"), (EMAIL,)),
    Kind(("Email Bounce", "IsEmailBounced", "hs_email_bounce", "Email hard bounce reason", "CLEAN_TIME",
          "Invalid email address", "Email bounced at"), BOUNCED, ("", "false", "0"), (EMAIL,)),
    Kind(("SMS Bounce", "phone_bounced", "Mobile undeliverable"), BOUNCED, ("", "false", "0"), (SMS,)),
    Kind(("Marked email as spam", "Spam complaint", "Complained at"), ("true", "2025-03-01", "yes"),
         ("", "false"), (EMAIL,)),
    # Nobody knows these. Whatever stands there stops the import.
    Kind(("Consent level", "Opt-in tier", "Bounce category"), ("gold", "rejected by law", "class 7"),
         ("",), (EMAIL,)),
)  # fmt: skip
DETAILS = (("Name", "Phone", "Email"), ("First Name", "Mobile Phone", "Email Address"),
           ("full_name", "phone_number", "E-mail 1 - Value"))  # fmt: skip


class Made(NamedTuple):
    content: bytes
    #: For each row the channels against which it says anything.
    against: list[set[Channel]]


@st.composite
def files(draw: st.DrawFn) -> Made:
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True))
    titles = [draw(st.sampled_from(kind.titles)) for kind in kinds]
    count = draw(st.integers(1, 6))
    name, phone, email = draw(st.sampled_from(DETAILS))
    columns: dict[str, list[str]] = {
        name: [f"Person {row}" for row in range(count)],
        phone: [f"+1415555{row:04}" for row in range(count)],
        email: [f"p{row}@example.com" for row in range(count)],
        "Notes": [draw(st.sampled_from(("", "José", "a;b,c"))) for _ in range(count)],
    }
    against: list[set[Channel]] = [set() for _ in range(count)]
    for kind, title in zip(kinds, titles, strict=True):
        for row in range(count):
            said = draw(st.booleans())
            word = draw(st.sampled_from(kind.against if said else kind.other))
            columns.setdefault(title, []).append(word)
            against[row] |= {*kind.channels} if said else set()
    order = draw(st.permutations([*columns]))
    text = io.StringIO()
    out = csv.writer(text, delimiter=draw(st.sampled_from(",;\t")))
    out.writerow(order)
    out.writerows(zip(*(columns[title] for title in order), strict=True))
    encoding = draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")))
    return Made(text.getvalue().encode(encoding, errors="replace"), against)


def imported(folder: Path, made: Made) -> dict[int, dict[Channel, tuple[ConsentValue, Bounce]]]:
    """How each row's contact ends. Raises `UnreadableFile` where the import stopped."""
    path = folder / "contacts.csv"
    path.write_bytes(made.content)
    service = open_service(folder / "optin.json", Stopped(NOW))
    try:
        with open_contacts(path) as contacts:
            import_rows(service, contacts.read(NOW), file=path.name, actor=OPERATOR)
        ended = {}
        for row in range(len(made.against)):
            [found] = find(service, f"p{row}@example.com", AGENT).contacts
            ended[row] = {
                channel: (found.contact.consent(channel).on, found.facts[channel].bounce)
                for channel in Channel
            }
        return ended
    finally:
        service.store.close()


@settings(max_examples=150, deadline=None)
@given(files())
def test_nobody_who_said_no_comes_in_as_unset_or_yes(made: Made) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            ended = imported(Path(folder), made)
        except UnreadableFile:
            return

    for row, channels in enumerate(made.against):
        for channel in channels:
            on, bounce = ended[row][channel]
            assert on is ConsentValue.NO or bounce is Bounce.YES, (row, channel, made.content)
