"""Amazon SES over SNS: signatures of our own making, and which hosts are called."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.events import EventKind, Failure
from handlers.webhooks.provider import (
    InvalidPayload,
    InvalidSignature,
    Request,
    VerificationUnavailable,
)
from handlers.webhooks.providers.ses import Ses
from handlers.webhooks.providers.ses.certificates import PAUSE, Certificates
from tests.support.ses_requests import (
    CERTIFICATE_URL,
    HOST,
    NOW,
    TOPIC,
    Amazon,
    certificate,
    ses,
    signed,
    told,
)
from tests.support.webhooks_fixtures import all_samples

SUBSCRIBE = {
    "Type": "SubscriptionConfirmation",
    "Message": "You have chosen to subscribe",
    "SubscribeURL": f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t",
    "Token": "t/1",
}


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "kind", [{}, {"Subject": "ü"}, SUBSCRIBE, SUBSCRIBE | {"Type": "UnsubscribeConfirmation"}]
)
def test_every_kind_of_message_holds_in_both_versions(version: str, kind: dict[str, str]):
    assert ses().verify(signed(version, **kind), NOW)


def test_a_certificate_is_asked_for_once():
    amazon = Amazon()
    provider = ses(amazon)
    for _ in range(3):
        provider.verify(signed(), NOW)

    assert amazon.asked == [CERTIFICATE_URL]


def test_a_pinned_certificate_is_used_and_nobody_is_asked(tmp_path: Path):
    (tmp_path / "SimpleNotificationService-1.pem").write_bytes(certificate())
    amazon = Amazon()

    assert ses(amazon, tmp_path).verify(signed(), NOW)
    assert amazon.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": "arn:aws:sns:us-east-1:999999999999:else"},
        {"Timestamp": "2026-03-10T13:04:05.000Z"},
        {"Timestamp": "soon"},
        {"SignatureVersion": "3"},
        SUBSCRIBE | {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"},
        SUBSCRIBE | {"SubscribeURL": f"http://{HOST}/?Action=ConfirmSubscription"},
        SUBSCRIBE | {"SubscribeURL": f"https://{HOST}@evil.example/?x"},
        *(
            {"SigningCertURL": url}
            for url in (
                "",
                f"http://{HOST}/x.pem",
                f"https://{HOST}.evil.example/x.pem",
                f"https://{HOST}@evil.example/x.pem",
                f"https://{HOST}:8443/x.pem",
                f"https://{HOST}/x.pem?a",
                f"https://{HOST}/x.pem#a",
                f"https://{HOST}/../x.pem",
                f"https://{HOST}/a/x.pem",
                f"https://{HOST}/x.pem\n",
                f"https://evil.example/{HOST}/x.pem",
                f"https://evil.example#@{HOST}/x.pem",
                "https://sns.amazonaws.com/x.pem",
                "https://s3.amazonaws.com/x.pem",
                "https://169.254.169.254/x.pem",
                "file:///etc/x.pem",
            )
        ),
    ],
    ids=str,
)
def test_what_is_not_ours_or_not_amazons_is_refused_and_nobody_is_asked(changes: dict[str, str]):
    amazon = Amazon()

    with pytest.raises(InvalidSignature):
        ses(amazon).verify(signed(**changes), NOW)
    assert amazon.asked == []


def test_no_recorded_request_that_is_refused_has_us_ask_anyone_but_amazon(tmp_path: Path):
    amazon = Amazon()
    refused = [one for one in all_samples() if one.provider == "ses" and not one.accepted]
    for sample in refused:
        provider = Ses(
            topic_arns=sample.told["secret"]["topic_arns"],
            certificates=Certificates(fetch=amazon),
        )
        with pytest.raises((InvalidSignature, InvalidPayload)):
            provider.verify(sample.request(), sample.received_at)

    assert refused
    assert {url.partition("/Simple")[0] for url in amazon.asked} <= {f"https://{HOST}"}


def test_a_certificate_must_have_held_when_the_message_was_sent():
    with pytest.raises(InvalidSignature, match="certificate"):
        ses(Amazon(certificate(until=NOW - timedelta(minutes=1)))).verify(signed(), NOW)
    assert ses(Amazon(certificate(until=NOW))).verify(signed(), NOW + timedelta(minutes=30))


@pytest.mark.parametrize("answer", [b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_an_answer_that_is_no_certificate_proves_nothing(answer: bytes):
    with pytest.raises(InvalidSignature):
        ses(Amazon(answer)).verify(signed(), NOW)


def test_while_amazon_is_away_sns_has_to_come_again_and_amazon_is_left_in_peace():
    amazon = Amazon(VerificationUnavailable("away"))
    provider = ses(amazon)
    for _ in range(3):
        with pytest.raises(VerificationUnavailable):
            provider.verify(signed(), NOW)
    amazon.answer = certificate()

    assert len(amazon.asked) == 1
    assert provider.verify(signed(), NOW + PAUSE)


def test_a_confirmation_asks_the_host_that_was_checked_for_what_was_signed():
    request = signed(**SUBSCRIBE)

    (confirmation,) = ses().parse(request, NOW).confirmations

    assert confirmation.topic == TOPIC
    assert confirmation.url == (
        f"https://{HOST}/?Action=ConfirmSubscription"
        "&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Aoptin&Token=t%2F1"
    )


def test_the_end_of_a_subscription_is_told_to_the_operator():
    request = signed(**SUBSCRIBE | {"Type": "UnsubscribeConfirmation"})

    assert ses().parse(request, NOW).skipped


@pytest.mark.parametrize(
    ("new", "old", "changes"),
    [
        ((True, {}), (False, {}), [(EventKind.UNSUBSCRIBED, "contact_list:L")]),
        ((True, {}), None, [(EventKind.UNSUBSCRIBED, "contact_list:L")]),
        ((False, {}), (True, {}), [(EventKind.RESUBSCRIBED, "contact_list:L")]),
        ((True, {"A": "OptOut"}), (True, {"A": "OptIn"}), []),
        (
            (False, {"A": "OptOut", "B": "OptIn", "C": "OptIn"}),
            (False, {"A": "OptIn", "B": "OptOut", "C": "OptIn"}),
            [
                (EventKind.UNSUBSCRIBED, "contact_list:L/topic:A"),
                (EventKind.RESUBSCRIBED, "contact_list:L/topic:B"),
            ],
        ),
    ],
)
def test_what_changed_in_a_subscription(new, old, changes):
    def preferences(what):
        if what is None:
            return None
        topics = [{"topicName": n, "subscriptionStatus": s} for n, s in what[1].items()]
        return {"unsubscribeAll": what[0], "topicSubscriptionStatus": topics}

    request = told(
        eventType="Subscription",
        subscription={
            "contactList": "L",
            "newTopicPreferences": preferences(new),
            "oldTopicPreferences": preferences(old),
        },
    )
    parsed = ses().parse(request, NOW)

    assert [(event.kind, event.scope) for event in parsed.events] == changes
    assert len({event.id for event in parsed.events}) == len(changes)


def bounced(class_: str, subject: str, *recipients: dict[str, str], **mail: object) -> Request:
    bounce = {
        "feedbackId": "f",
        "bounceType": class_,
        "bounceSubType": subject,
        "bouncedRecipients": recipients,
    }
    more = {"mail": {"destination": ["Dana@example.net"], **mail}} if mail else {}
    return told(eventType="Bounce", bounce=bounce, **more)


def test_whoever_unsubscribed_did_not_bounce():
    request = bounced("Permanent", "UnsubscribedRecipient", {"emailAddress": "dana@example.net"})

    (event,) = ses().parse(request, NOW).events

    assert (event.kind, event.failure) == (EventKind.UNSUBSCRIBED, None)


@pytest.mark.parametrize("subject", ["Suppressed", "OnAccountSuppressionList"])
def test_whoever_is_on_amazons_list_did_not_bounce(subject: str):
    request = bounced("Permanent", subject, {"emailAddress": "d@e.net", "status": "5.1.1"})

    assert ses().parse(request, NOW).events[0].failure is Failure.LISTED


@pytest.mark.parametrize(
    ("class_", "subject", "status", "failure"),
    [
        ("Transient", "General", "", None),
        ("Transient", "General", "4.4.7", Failure.SOFT),
        ("Transient", "General", "5.7.1", Failure.OURS),
        ("Transient", "MailboxFull", "", Failure.SOFT),
        ("Transient", "ContentRejected", "5.6.1", Failure.OURS),
        ("Undetermined", "Undetermined", "", Failure.SOFT),
        ("Undetermined", "Undetermined", "5.1.1", Failure.SOFT),
        ("Permanent", "General", "", Failure.HARD),
    ],
)
def test_the_class_of_a_bounce(class_: str, subject: str, status: str, failure: Failure | None):
    recipient = {"emailAddress": "d@e.net", "action": "failed"}
    if status:
        recipient |= {"status": status, "diagnosticCode": f"smtp; 550 {status} words"}

    parsed = ses().parse(bounced(class_, subject, recipient), NOW)

    assert [event.failure for event in parsed.events] == ([failure] if failure else [])
    assert bool(parsed.ignored) is (failure is None)


@pytest.mark.parametrize("kind", ["Bounce", "Complaint"])
@pytest.mark.parametrize(
    ("destination", "placed"),
    [
        (["Dana@example.net"], ["dana@example.net"]),
        (["a@e.net", "b@e.net"], []),
        ([], []),
        ([None], []),
    ],
)
def test_without_recipients_it_is_counted_and_the_only_destination_told(
    kind: str, destination: list[object], placed: list[str]
):
    mail = {"destination": destination, "sendingAccountId": "123456789012"}
    about = {kind.lower(): {"feedbackId": "f", f"{kind.lower()}edRecipients": []}}

    parsed = ses().parse(told(eventType=kind, mail=mail, **about), NOW)

    assert [(event.kind, event.address) for event in parsed.events] == [
        (EventKind.UNPLACED, address) for address in placed
    ]
    assert parsed.skipped == ("a bounce or complaint without a mailbox",)


@pytest.mark.parametrize(
    ("destination", "only"),
    [(["Dana@example.net"], "dana@example.net"), (["a@e.net", "b@e.net"], None), ([], None)],
)
def test_the_only_destination_is_told(destination: list[str], only: str | None):
    recipient = {"emailAddress": "gone@other.example", "status": "5.1.1"}
    request = bounced("Permanent", "General", recipient, destination=destination)

    (event,) = ses().parse(request, NOW).events

    assert (event.address, event.only_recipient) == ("gone@other.example", only)


def test_one_unreadable_recipient_of_several_is_skipped():
    recipients = [{"emailAddress": "nobody"}, {"emailAddress": "Dana@example.net"}, {}]
    bounce = {"feedbackId": "f", "bounceType": "Permanent", "bouncedRecipients": recipients}

    parsed = ses().parse(told(eventType="Bounce", bounce=bounce), NOW)

    assert [(e.address, e.failure) for e in parsed.events] == [("dana@example.net", Failure.HARD)]
    assert len(parsed.skipped) == 2
