"""An entry has one name, whether a webhook tells of it or a read of the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.consent.events import Event
from bot.consent.use_cases import Details, Service, add
from bot.consent.use_cases.ingest import ingest
from handlers.webhooks.provider import Provider, Request
from handlers.webhooks.providers.postmark.webhook import Postmark
from sandbox.client.lists_client import ListsClient
from tests.support import mailgun_requests, resend_requests, sendgrid_requests, ses_requests
from tests.support.consent_fixtures import AGENT
from tests.support.list_clients_fixtures import all_entries, client_of
from tests.support.webhooks_fixtures import posted

ANA = "ana@example.com"
AT = datetime(2026, 3, 10, 15, 4, 5, tzinfo=UTC)
ISO = AT.isoformat()


def sendgrid(**event: Any) -> Request:
    told = {"sg_event_id": "e1", "email": ANA, "timestamp": int(AT.timestamp()), **event}
    return posted(sendgrid_requests.PATH, [told])


def mailgun(**event: Any) -> Request:
    return mailgun_requests.signed({**mailgun_requests.EVENT, "recipient": ANA, **event})


def postmark(**event: Any) -> Request:
    told = {
        "RecordType": "SubscriptionChange",
        "Recipient": ANA,
        "ChangedAt": ISO,
        "SuppressSending": True,
        "MessageID": "m1",
        "ServerID": 23,
        "MessageStream": "broadcast",
        **event,
    }
    return posted("/webhooks/postmark", told)


def resend(origin: str) -> Request:
    return resend_requests.about("suppression.added", email=ANA, origin=origin)


def ses(**said: Any) -> Request:
    return ses_requests.told(**said)


PROVIDERS: Mapping[str, Callable[[], Provider]] = {
    "sendgrid": sendgrid_requests.provider,
    "mailgun": mailgun_requests.provider,
    "postmark": lambda: Postmark(user="user", password="password"),
    "resend": resend_requests.provider,
    "ses": ses_requests.ses,
}

#: By provider: an event, and the entry of the sandbox's list that it is about.
SAME: list[tuple[str, str, Request, str, Mapping[str, Any]]] = [
    ("sendgrid", "unsubscribe", sendgrid(event="unsubscribe"), "unsubscribes", {}),
    (
        "sendgrid",
        "unsubscribe/asm_group:12",
        sendgrid(event="group_unsubscribe", asm_group_id=12),
        "group:12",
        {},
    ),
    ("sendgrid", "complaint", sendgrid(event="spamreport"), "spam_reports", {}),
    (
        "sendgrid",
        "bounce",
        sendgrid(event="dropped", reason="Bounced Address"),
        "bounces",
        {},
    ),
    ("mailgun", "unsubscribe", mailgun(event="unsubscribed"), "mg.example.com/unsubscribes", {}),
    ("mailgun", "complaint", mailgun(event="complained"), "mg.example.com/complaints", {}),
    (
        "mailgun",
        "bounce",
        mailgun(event="failed", severity="permanent", reason="suppress-bounce"),
        "mg.example.com/bounces",
        {},
    ),
    (
        "postmark",
        "unsubscribe/server:23/stream:broadcast",
        postmark(SuppressionReason="ManualSuppression", Origin="Recipient"),
        "broadcast",
        {"SuppressionReason": "ManualSuppression", "Origin": "Recipient"},
    ),
    (
        "postmark",
        "ours",
        postmark(SuppressionReason="ManualSuppression", Origin="Customer"),
        "broadcast",
        {"SuppressionReason": "ManualSuppression", "Origin": "Customer"},
    ),
    (
        "postmark",
        "ours",
        postmark(SuppressionReason="ManualSuppression", Origin="Admin"),
        "broadcast",
        {"SuppressionReason": "ManualSuppression", "Origin": "Admin"},
    ),
    (
        "postmark",
        "complaint",
        postmark(SuppressionReason="SpamComplaint", Origin="Recipient"),
        "broadcast",
        {"SuppressionReason": "SpamComplaint"},
    ),
    (
        "postmark",
        "bounce",
        postmark(SuppressionReason="HardBounce", Origin="Recipient"),
        "broadcast",
        {"SuppressionReason": "HardBounce"},
    ),
    ("resend", "bounce", resend("bounce"), "suppressions", {"origin": "bounce"}),
    ("resend", "complaint", resend("complaint"), "suppressions", {"origin": "complaint"}),
    ("resend", "ours", resend("manual"), "suppressions", {"origin": "manual"}),
    (
        "ses",
        "complaint",
        ses(
            eventType="Complaint",
            complaint={"complainedRecipients": [{"emailAddress": ANA}], "timestamp": ISO},
        ),
        "suppression",
        {"Reason": "COMPLAINT"},
    ),
]


@pytest.mark.parametrize(
    ("provider", "name", "request_", "list_", "facts"),
    SAME,
    ids=[f"{provider}/{name}" for provider, name, *_ in SAME],
)
def test_an_event_and_a_read_give_an_entry_the_same_name(
    service: Service,
    lists_of: Callable[[str], ListsClient],
    provider: str,
    name: str,
    request_: Request,
    list_: str,
    facts: Mapping[str, Any],
):
    lists = lists_of(provider)
    if provider == "sendgrid":
        lists.settle(groups={"12": "Offers"})
    lists.add(list_, ANA, at=AT.timestamp(), **facts)
    contact = add(service, Details(name="Ana", email=ANA), AGENT)
    events: tuple[Event, ...] = PROVIDERS[provider]().parse(request_, AT).events

    ingest(service, events)
    (entry,) = all_entries(client_of(provider, lists.url))

    with service.store.reading() as records:
        blocks = records.addresses.get(ANA).blocks
    assert contact.email == ANA
    assert set(blocks) == {entry.listing.name} == {f"{provider}/{name}"}


def test_the_table_has_every_provider_that_keeps_a_list_of_mailboxes():
    assert {provider for provider, *_ in SAME} == set(PROVIDERS)
