"""Public reports of failures that were read wrong: what bounces a contact, and what says nothing of
them (rules.md §7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.reports_fixtures import (
    MAILBOX,
    PHONE,
    Product,
    gates,
    mailgun,
    said_no,
    sendgrid,
    ses,
    ses_bounce,
)

Tell = Callable[[Product, str], object]


def by_mailgun(code: int, text: str, enhanced: str = "", **more: Any) -> Tell:
    """A permanent failure, as Mailgun tells every answer that begins with 5."""
    status: dict[str, Any] = {"code": code, "message": text, "description": ""}
    if enhanced:
        status["enhanced-code"] = enhanced
    event = {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "delivery-status": status,
        **more,
    }
    return lambda product, mailbox: mailgun(product, {"recipient": mailbox, **event})


def by_sendgrid(reason: str, status: str = "", kind: str = "bounce") -> Tell:
    event = {"event": "bounce", "type": kind, "reason": reason, "status": status}
    return lambda product, mailbox: sendgrid(product, {"email": mailbox, **event})


def by_ses(kind: str, sub: str, status: str = "", diagnostic: str = "") -> Tell:
    recipient = {"status": status, "diagnosticCode": diagnostic} if status else {}

    def tell(product: Product, mailbox: str) -> None:
        who = [{"emailAddress": mailbox, **recipient}]
        assert ses_bounce(product, kind, sub, who, destination=[mailbox]).status == 200

    return tell


def on_three_days(product: Product, tell: Callable[[], object]) -> None:
    for _ in range(3):
        tell()
        product.wait(days=1)


#: D11: a full mailbox. It counts, and is no bounce before the third time.
FULL = {
    "D11": by_mailgun(552, "mailbox full"),
    "with a sentence": by_mailgun(552, "552 The user's mailbox is full, try again later"),
    "over quota": by_mailgun(552, "5.2.2 user is over quota"),
    "outer 550": by_mailgun(550, "550 Mailbox is full"),
    "enhanced": by_mailgun(550, "over quota", "5.2.2"),
    "552 alone": by_mailgun(552, "Requested mail action aborted"),
    "SendGrid": by_sendgrid("552 5.2.2 The email account is over quota", "5.2.2"),
    "SendGrid, without a code": by_sendgrid("552 mailbox full"),
    "SES": by_ses("Transient", "MailboxFull", "5.2.2", "smtp; 552 5.2.2 mailbox full"),
}


@pytest.mark.parametrize("case", FULL)
def test_a_full_mailbox_is_no_bounce_at_once(product: Product, case: str) -> None:
    ana = product.add(email=MAILBOX)
    FULL[case](product, MAILBOX)
    email = product.email(ana)

    assert (email["answer"], email["on"], email["bounce"], email["gates"]) == (
        "yes",
        "YES",
        "NO",
        [],
    )
    assert "could not be delivered" in product.card(ana)
    product.wait(days=1)
    on_three_days(product, lambda: FULL[case](product, MAILBOX))
    assert product.email(ana)["bounce"] == "YES"


#: D12, D13: what the other side says of us, however often.
OURS_ = {
    "D12": by_mailgun(550, "blocked using zen.spamhaus.org"),
    "D12, with a sentence": by_mailgun(
        550, "550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using Spamhaus"
    ),
    "a list of another name": by_mailgun(554, "554 5.7.1 blocked using bl.spamcop.net"),
    "SendGrid, a block list": by_sendgrid("550 blocked using zen.spamhaus.org", "5.0.0"),
    "D13 by Mailgun": by_mailgun(550, "5.1.8 Sender domain does not exist", "5.1.8"),
    "D13 by SendGrid": by_sendgrid("550 5.1.8 sender address rejected", "5.1.8"),
    "D13, the code in the text": by_mailgun(550, "550 5.1.8 <news@example.com>: domain not found"),
    "our mailbox": by_mailgun(550, "5.1.7 bad sender's mailbox", "5.1.7"),
    "our mailbox, by SendGrid": by_sendgrid("550 5.1.7 bad sender", "5.1.7"),
    "policy": by_mailgun(550, "550 5.7.23 SPF validation failed", "5.7.23"),
    "policy by SES": by_ses("Permanent", "General", "5.7.1", "smtp; 550 5.7.1 policy"),
    "our domain by SES": by_ses("Permanent", "General", "5.1.8", "smtp; 550 5.1.8 bad domain"),
}


@pytest.mark.parametrize("case", OURS_)
def test_what_is_our_own_fault_leaves_no_trace_on_the_contact(product: Product, case: str) -> None:
    ana = product.add(email=MAILBOX)
    before = product.status(ana)
    entries = product.log(ana)
    on_three_days(product, lambda: OURS_[case](product, MAILBOX))

    assert product.status(ana) == before
    assert product.log(ana) == entries
    assert before["email"]["answer"] == "yes"


#: What stays a bounce beside these.
HARD = {
    "Mailgun": by_mailgun(550, "550 5.1.1 no such user", "5.1.1"),
    "Mailgun, no code": by_mailgun(550, "user unknown"),
    "SendGrid": by_sendgrid("550 5.1.1 unknown", "5.1.1"),
    "SES": by_ses("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"),
    "SES, no mailbox": by_ses("Permanent", "NoEmail"),
}


@pytest.mark.parametrize("case", HARD)
def test_a_mailbox_that_does_not_exist_is_a_bounce(product: Product, case: str) -> None:
    ana = product.add(email=MAILBOX)
    HARD[case](product, MAILBOX)

    assert ("bounced", "agent") in gates(product.email(ana))


# D14: SES says that the contact unsubscribed


def test_an_unsubscribed_recipient_of_ses_is_an_opt_out_and_no_bounce(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    bo = product.add("Bo", email="bo@example.com")
    by_ses("Permanent", "UnsubscribedRecipient", "5.1.1", "smtp; 550 unsubscribed")(
        product, MAILBOX
    )
    email = product.email(ana)

    assert said_no(email)
    assert email["bounce"] == "NO"
    assert {code for code, _ in gates(email)} == {"suppressed", "opted_out"}
    assert product.email(bo)["answer"] == "yes"
    product.check()


# D15: out of office


def test_automatic_replies_say_nothing_however_often(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    on_three_days(product, lambda: by_ses("Transient", "General")(product, MAILBOX))

    assert product.email(ana) == {
        "answer": "yes",
        "on": "YES",
        "bounce": "NO",
        "gates": [],
    }
    # With a status it is a message that did not arrive.
    on_three_days(
        product,
        lambda: by_ses("Transient", "General", "4.4.7", "smtp; 4.4.7 expired")(product, MAILBOX),
    )
    assert product.email(ana)["bounce"] == "YES"


# D16: a bounce that does not say whose


@pytest.mark.parametrize("destination", [[MAILBOX], [MAILBOX, "bo@example.com"], []])
def test_a_bounce_without_recipients_is_counted_and_bounces_nobody(
    product: Product, destination: list[str]
) -> None:
    ana = product.add(email=MAILBOX)
    bo = product.add("Bo", email="bo@example.com")
    before = product.everything()
    entries = {contact: len(product.log(contact)) for contact in (ana, bo)}
    answer = ses_bounce(product, "Permanent", "General", [], destination=destination)

    assert 200 <= answer.status < 300
    assert product.everything() == before
    noted = [contact for contact in (ana, bo) if len(product.log(contact)) > entries[contact]]
    assert noted == ([ana] if len(destination) == 1 else [])
    for contact in noted:
        assert product.log(contact)[-1]["kind"] == "note"
    product.check()


# D19: our account's limits


@pytest.mark.parametrize(
    "code", ["63038", "30450", "30001", "30013", "30020", "30031", "21617", "21703", "63018"]
)
def test_limits_of_our_own_account_bounce_nobody(product: Product, code: str) -> None:
    ana = product.add(phone=PHONE)
    before = product.status(ana)
    for by in ("twilio", "twilio streams"):
        on_three_days(product, lambda by=by: product.fail(code, by=by))  # type: ignore[misc]

    assert product.status(ana) == before


@pytest.mark.parametrize(
    ("by", "codes"),
    [
        ("vonage", ["1021", "1022", "1030", "1050", "1080", "1100", "1130", "1160"]),
        ("vonage sms", ["10", "11", "16"]),
    ],
)
def test_limits_of_the_platform_bounce_nobody(product: Product, by: str, codes: list[str]) -> None:
    ana = product.add(phone=PHONE)
    before = product.status(ana)
    for code in codes:
        on_three_days(product, lambda code=code: product.fail(code, by=by))  # type: ignore[misc]

    assert product.status(ana) == before


# D25: a mailbox that forwards


def test_what_comes_back_of_a_forwarded_mailbox_is_noted_on_the_contact(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    bo = product.add("Bo", email="bo@example.com")
    before = product.everything()
    gone = [{"emailAddress": "gone@other.example", "status": "5.1.1"}]
    ses_bounce(product, "Permanent", "General", gone, destination=[MAILBOX])

    assert product.everything() == before
    assert product.log(ana)[-1]["kind"] == "note"
    assert "gone@other.example" not in str(product.log(ana))
    mail = {"destination": ["bo@example.com"], "messageId": "m", "timestamp": product.iso}
    complaint = {
        "complainedRecipients": [{"emailAddress": "else@other.example"}],
        "feedbackId": "f",
        "timestamp": product.iso,
    }
    ses(product, {"eventType": "Complaint", "complaint": complaint, "mail": mail})
    assert product.everything() == before
    assert product.log(bo)[-1]["kind"] == "note"
    # Of several, nobody can say whose mailbox forwards.
    notes = [len(product.log(contact)) for contact in (ana, bo)]
    gone = [{"emailAddress": "third@other.example", "status": "5.1.1"}]
    ses_bounce(product, "Permanent", "General", gone, destination=[MAILBOX, "bo@example.com"])
    assert [len(product.log(contact)) for contact in (ana, bo)] == notes
    product.check()
