"""Postmark: what its recorded requests do not show."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from bot.consent.events import EventKind, Failure
from handlers.webhooks.provider import InvalidPayload, InvalidSignature
from handlers.webhooks.providers.postmark import Postmark
from tests.support.postmark_requests import BOUNCE, PATH
from tests.support.webhooks_fixtures import posted

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
CHANGE = {"RecordType": "SubscriptionChange", "MessageID": "m1", "Recipient": "dana@example.net"}


@pytest.fixture
def provider() -> Postmark:
    return Postmark(user="optin", password="pass:wörd")


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        (b"optin:pass:w\xc3\xb6rd", True),
        (b"optin:pass", False),
        (b"optin:", False),
        (b":", False),
        (b"", False),
        (b"Optin:pass:w\xc3\xb6rd", False),
    ],
)
def test_only_the_very_credentials_hold(provider: Postmark, given: bytes, holds: bool):
    request = posted(PATH, {}, authorization=f"basic {base64.b64encode(given).decode()}")

    if holds:
        assert provider.verify(request, NOW)
    else:
        with pytest.raises(InvalidSignature):
            provider.verify(request, NOW)


@pytest.mark.parametrize("header", ["", "Basic", "Basic ~~~", "Basic é"])
def test_credentials_that_are_malformed_are_refused(provider: Postmark, header: str):
    with pytest.raises(InvalidSignature):
        provider.verify(posted(PATH, {}, authorization=header), NOW)


@pytest.mark.parametrize(
    ("told", "kind", "failure"),
    [
        ((True, "ManualSuppression", "Recipient"), EventKind.UNSUBSCRIBED, None),
        ((True, "ManualSuppression", "Customer"), EventKind.SUPPRESSED, None),
        ((True, "ManualSuppression", "Admin"), EventKind.SUPPRESSED, None),
        ((True, "HardBounce", "Recipient"), EventKind.FAILED, Failure.LISTED_BOUNCE),
        ((True, "SpamComplaint", "Recipient"), EventKind.COMPLAINT, None),
        ((False, None, "Recipient"), EventKind.RESUBSCRIBED, None),
        ((False, None, "Customer"), EventKind.UNSUPPRESSED, None),
    ],
)
def test_whose_doing_a_change_of_the_suppression_list_is(provider, told, kind, failure):
    suppressed, reason, origin = told
    change = CHANGE | {"SuppressSending": suppressed, "SuppressionReason": reason, "Origin": origin}

    (event,) = provider.parse(posted(PATH, change), NOW).events

    assert (event.kind, event.failure) == (kind, failure)


@pytest.mark.parametrize(
    ("type_", "class_"),
    [
        ("HardBounce", Failure.HARD),
        ("BadEmailAddress", Failure.HARD),
        ("SoftBounce", Failure.SOFT),
        ("Unknown", Failure.SOFT),
        ("SomethingNew", Failure.SOFT),
        ("SpamNotification", Failure.OURS),
        ("VirusNotification", Failure.OURS),
        ("Transient", Failure.NOT_FINAL),
        ("DnsError", Failure.NOT_FINAL),
    ],
)
def test_the_class_of_a_bounce(provider: Postmark, type_: str, class_: Failure):
    (event,) = provider.parse(posted(PATH, BOUNCE | {"Type": type_}), NOW).events

    assert event.failure is class_


@pytest.mark.parametrize("type_", ["AutoResponder", "ChallengeVerification", "AddressChange"])
def test_an_automatic_reply_says_nothing(provider: Postmark, type_: str):
    assert provider.parse(posted(PATH, BOUNCE | {"Type": type_}), NOW).ignored == (type_,)


@pytest.mark.parametrize(
    ("told", "class_"),
    [
        ({"Type": "ManuallyDeactivated"}, Failure.LISTED),
        (
            {
                "Type": "SMTPApiError",
                "Details": "You tried to send to a recipient that has been marked as inactive.",
            },
            Failure.LISTED,
        ),
        ({"Type": "SMTPApiError", "Details": "Sender signature not found."}, None),
    ],
)
def test_an_inactive_recipient_is_on_postmarks_list(
    provider: Postmark, told: dict[str, str], class_: Failure | None
):
    parsed = provider.parse(posted(PATH, BOUNCE | told), NOW)

    assert [event.failure for event in parsed.events] == ([class_] if class_ else [])


@pytest.mark.parametrize(
    "event",
    [
        {"RecordType": "Bounce", "ID": 7, "Type": "HardBounce", "Recipient": "dana@example.net"},
        {"RecordType": "Bounce", "ID": 7, "Type": "Unsubscribe", "Recipient": "dana@example.net"},
        {"RecordType": "SpamComplaint", "ID": 7, "Recipient": "dana@example.net"},
        {"RecordType": "SubscriptionChange", "SuppressSending": True, "Email": "dana@example.net"},
    ],
    ids=str,
)
def test_the_mailbox_is_read_wherever_it_stands(provider: Postmark, event: dict[str, object]):
    (found,) = provider.parse(posted(PATH, event), NOW).events

    assert found.address == "dana@example.net"


def test_a_batch_with_one_odd_item_keeps_the_rest(provider: Postmark):
    batch = [{"RecordType": "Bounce", "ID": 1}, 7, BOUNCE | {"Type": "HardBounce"}]

    parsed = provider.parse(posted(PATH, batch), NOW)

    assert [event.failure for event in parsed.events] == [Failure.HARD]
    assert len(parsed.skipped) == 2


@pytest.mark.parametrize("record", ["Open", "Click", "Inbound"])
def test_what_is_of_no_interest_is_ignored_by_name(provider: Postmark, record: str):
    assert provider.parse(posted(PATH, {"RecordType": record}), NOW).ignored == (record,)


@pytest.mark.parametrize("body", [b"\xff", BOUNCE | {"Email": None}, CHANGE])
def test_what_cant_be_read_is_said_to_be_so(provider: Postmark, body: object):
    with pytest.raises(InvalidPayload):
        provider.parse(posted(PATH, body), NOW)
