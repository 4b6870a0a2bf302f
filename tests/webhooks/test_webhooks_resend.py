"""Resend: what its recorded requests do not show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.events import EventKind, Failure
from handlers.webhooks.provider import InvalidSignature
from handlers.webhooks.providers.resend import Resend
from tests.support.resend_requests import NOW, PATH, SECRETS, about, provider, signed
from tests.support.webhooks_fixtures import posted


def test_both_secrets_verify_during_a_rotation_and_verify_says_which():
    held = [provider().verify(signed({}, secret=secret), NOW) for secret in SECRETS]

    assert held == ["secret 1 of 2", "secret 2 of 2"]


@pytest.mark.parametrize(("age", "holds"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_the_window_is_five_minutes_either_way(age: int, holds: bool):
    request = signed({}, at=NOW - timedelta(seconds=age))

    if holds:
        assert provider().verify(request, NOW)
    else:
        with pytest.raises(InvalidSignature):
            provider().verify(request, NOW)


def test_a_good_signature_of_another_version_does_not_count():
    with pytest.raises(InvalidSignature):
        provider().verify(signed({}, prefix="v2,"), NOW)


def test_a_request_without_an_id_is_refused():
    with pytest.raises(InvalidSignature):
        provider().verify(signed({}, id_=""), NOW)


@pytest.mark.parametrize("setting", ["", "whsec_", "whsec_é"])
def test_a_setting_that_is_no_secret_is_refused_at_the_start(setting: str):
    with pytest.raises(ValueError, match="is no signing secret"):
        Resend(signing_secrets=[setting])


@pytest.mark.parametrize(
    ("kind", "origin", "found", "failure"),
    [
        ("suppression.added", "bounce", EventKind.FAILED, Failure.LISTED_BOUNCE),
        ("suppression.added", "complaint", EventKind.COMPLAINT, None),
        ("suppression.added", "manual", EventKind.SUPPRESSED, None),
        ("suppression.removed", "manual", EventKind.UNSUPPRESSED, None),
    ],
)
def test_the_origin_of_a_suppression_says_who_made_it(kind: str, origin: str, found, failure):
    (event,) = provider().parse(about(kind, email="dana@example.net", origin=origin), NOW).events

    assert (event.kind, event.failure) == (found, failure)


def test_each_topic_is_an_event_with_an_id_of_its_own():
    topics = [
        {"id": "a", "subscription": "opt_out"},
        {"id": "b", "subscription": "opt_in"},
        {"id": "c", "subscription": "new"},
    ]

    parsed = provider().parse(about("contact.topics.updated", email="d@e.net", topics=topics), NOW)

    assert [(event.kind, event.scope, event.id) for event in parsed.events] == [
        (EventKind.UNSUBSCRIBED, "topic:a", "resend:msg_1:a"),
        (EventKind.RESUBSCRIBED, "topic:b", "resend:msg_1:b"),
    ]
    assert len(parsed.skipped) == 1


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("email.suppressed", Failure.LISTED),
        ("email.failed", Failure.OURS),
        ("email.delivery_delayed", Failure.NOT_FINAL),
    ],
)
def test_the_class_of_a_failure_that_is_no_bounce(kind: str, failure: Failure):
    (event,) = provider().parse(about(kind, to=["Dana <Dana@Example.net>"]), NOW).events

    assert (event.failure, event.address) == (failure, "dana@example.net")


@pytest.mark.parametrize(
    ("stated", "failure"),
    [
        ("OnAccountSuppressionList", Failure.LISTED),
        ("bounce", Failure.LISTED_BOUNCE),
        ("Complaint", Failure.LISTED_COMPLAINT),
        ("unsubscribed", Failure.LISTED_OPT_OUT),
    ],
)
def test_the_reason_of_a_suppression_says_which_list_the_address_is_on(
    stated: str, failure: Failure
):
    request = about("email.suppressed", to=["d@e.net"], suppressed={"type": stated})

    assert provider().parse(request, NOW).events[0].failure is failure


@pytest.mark.parametrize("subject", ["OnAccountSuppressionList", "Suppressed"])
def test_a_bounce_caused_by_the_list_of_ses_is_a_suppression(subject: str):
    bounce = {"type": "Permanent", "subType": subject, "diagnosticCode": "550 5.1.1 suppressed"}

    (event,) = provider().parse(about("email.bounced", to=["d@e.net"], bounce=bounce), NOW).events

    assert event.failure is Failure.LISTED


@pytest.mark.parametrize(
    ("bounce", "counts"),
    [
        ({"type": "Transient", "subType": "General", "message": "General bounce."}, False),
        ({"type": "Temporary", "subType": "General"}, False),
        ({"type": "Transient", "subType": "General", "diagnosticCode": ["421 4.4.7 late"]}, True),
        ({"type": "Transient", "subType": "MailboxFull"}, True),
        ({"type": "Undetermined"}, True),
    ],
    ids=str,
)
def test_an_automatic_reply_is_no_failure(bounce: dict[str, object], counts: bool):
    parsed = provider().parse(about("email.bounced", to=["d@e.net"], bounce=bounce), NOW)

    assert [event.failure for event in parsed.events] == ([Failure.SOFT] if counts else [])
    assert bool(parsed.ignored) is not counts


def test_the_header_names_of_the_standard_are_accepted_too():
    request = signed({})
    renamed = posted(
        PATH,
        request.body,
        webhook_id="msg_1",
        webhook_timestamp=request.header("svix-timestamp"),
        webhook_signature=request.header("svix-signature"),
    )

    assert provider().verify(renamed, NOW) == "secret 1 of 2"


def test_the_two_kinds_of_header_names_are_not_mixed():
    request = signed({})
    mixed = posted(
        PATH,
        request.body,
        webhook_id="msg_1",
        svix_timestamp=request.header("svix-timestamp"),
        svix_signature=request.header("svix-signature"),
    )

    with pytest.raises(InvalidSignature):
        provider().verify(mixed, NOW)


def test_a_bounce_of_several_recipients_is_of_the_first_and_says_so():
    request = about("email.bounced", to=["a@e.net", "b@e.net"], bounce={"type": "Permanent"})

    (event,) = provider().parse(request, NOW).events

    assert event.address == "a@e.net"
    assert "several recipients" in (event.meaning or "")


def test_a_delivery_to_one_of_several_clears_nothing():
    parsed = provider().parse(about("email.delivered", to=["a@e.net", "b@e.net"]), NOW)

    assert parsed.events == ()
    assert parsed.ignored
