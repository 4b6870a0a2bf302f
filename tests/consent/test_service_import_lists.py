"""Suppression lists from a file: what a row does to an address, and what taking it back leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.consent.model import Bounce, Channel, ConsentValue, Contact, Evidence, Origin
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases import (
    Details,
    Report,
    Row,
    Service,
    StatusUpdate,
    add,
    change,
    find,
    import_rows,
    profile,
    removed_at_provider,
    undo_import,
    verify,
)
from bot.consent.use_cases.imports.rows import OptOutDetails
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, MANAGER, NOW, OPERATOR, told

MAILBOX = "ana@example.com"
UNSUBSCRIBED = Listing(provider="sendgrid", cause=Cause.UNSUBSCRIBE).name


def listed(**says: Any) -> Row:
    return Row(line=2, details=Details(phone="", email=MAILBOX), listed=True, **says)


def take(service: Service, *rows: Row, provider: str | None = "sendgrid") -> Report:
    return import_rows(service, rows, file="list.csv", actor=OPERATOR, provider=provider)


def agreed(service: Service, name: str = "Ana", days_ago: int = 9) -> Contact:
    contact = add(service, Details(name=name, email=MAILBOX), AGENT)
    at = NOW - timedelta(days=days_ago)
    row = Row(
        line=2,
        details=Details(name=name, email=MAILBOX),
        email=ConsentValue.YES,
        evidence=Evidence(text="Form", at=at),
    )
    import_rows(service, [row], file="contacts.csv", actor=OPERATOR)
    return contact


def blocks(service: Service, contact: Contact) -> set[str]:
    return {*profile(service, contact.id, AGENT).facts[Channel.EMAIL].blocks}


def email(service: Service, contact: Contact) -> ConsentValue:
    return profile(service, contact.id, AGENT).contact.consent(Channel.EMAIL).on


@pytest.mark.parametrize(
    ("says", "on", "bounce", "complaint", "cause"),
    [
        ({"email": ConsentValue.NO}, "NO", "NO", False, Cause.UNSUBSCRIBE),
        ({"email_bounce": True}, "YES", "YES", False, Cause.BOUNCE),
        (
            {"email": ConsentValue.NO, "email_bounce": True, "complaint": True},
            "NO",
            "YES",
            True,
            Cause.COMPLAINT,
        ),
        (
            {
                "email": ConsentValue.NO,
                "refusals": {Channel.EMAIL: OptOutDetails(by_staff=True)},
            },
            "NO",
            "NO",
            False,
            Cause.OURS,
        ),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_row_marks_everybody_with_the_address_or_is_kept_for_whoever_appears(
    service: Service,
    says: dict[str, Any],
    on: str,
    bounce: str,
    complaint: bool,
    cause: Cause,
    known: bool,
):
    if known:
        contacts = [agreed(service), agreed(service, "Bo")]
        take(service, listed(**says))
    else:
        take(service, listed(**says))
        contacts = [agreed(service), agreed(service, "Bo")]

    for contact in contacts:
        found = profile(service, contact.id, AGENT)
        assert found.contact.consent(Channel.EMAIL).on == on
        assert found.facts[Channel.EMAIL].bounce == bounce
        assert found.facts[Channel.EMAIL].complaint is complaint
        assert {*found.facts[Channel.EMAIL].blocks} == {f"sendgrid/{cause}"}
    assert verify(service).problem is None


def test_our_own_sides_no_is_staffs(service: Service):
    ana = agreed(service)
    refusals = {Channel.EMAIL: OptOutDetails(by_staff=True, reason="Not subscribed in Shopify")}
    take(service, listed(email=ConsentValue.NO, refusals=refusals), provider=None)

    consent = profile(service, ana.id, AGENT).contact.consent(Channel.EMAIL)
    assert (consent.on, consent.by, consent.refused) == (ConsentValue.NO, Origin.STAFF, False)
    assert consent.reason == "Not subscribed in Shopify"
    change(service, ana.id, StatusUpdate(email=ConsentValue.YES, evidence="call"), AGENT)
    assert email(service, ana) is ConsentValue.YES


@pytest.mark.parametrize(("days_ago", "on"), [(10, "YES"), (8, "NO")])
def test_an_opt_out_counts_by_its_own_date(service: Service, days_ago: int, on: str):
    ana = agreed(service, days_ago=9)
    at = NOW - timedelta(days=days_ago)
    row = listed(email=ConsentValue.NO, refusals={Channel.EMAIL: OptOutDetails(at=at)})
    report = take(service, row)

    assert email(service, ana) == on
    if on == "NO":
        assert profile(service, ana.id, AGENT).contact.consent(Channel.EMAIL).since == at
    else:
        assert report.counts["NO in the file that is older than the YES, noted"] == 1


def test_an_opt_out_of_the_day_of_an_opt_in_without_a_time_counts(service: Service):
    day = (NOW - timedelta(days=9)).replace(hour=23, minute=59, second=59)
    ana = add(service, Details(name="Ana", email=MAILBOX), AGENT)
    yes = Row(
        line=2,
        details=Details(name="Ana", email=MAILBOX),
        email=ConsentValue.YES,
        evidence=Evidence(text="Form", at=day),
    )
    take(service, yes, provider=None)
    refusals = {Channel.EMAIL: OptOutDetails(at=day.replace(hour=10))}
    take(service, listed(email=ConsentValue.NO, refusals=refusals))

    assert email(service, ana) is ConsentValue.NO


def test_an_opt_out_of_the_future_is_of_now(service: Service):
    ana = agreed(service)
    at = NOW + timedelta(days=9)
    take(service, listed(email=ConsentValue.NO, refusals={Channel.EMAIL: OptOutDetails(at=at)}))

    assert profile(service, ana.id, AGENT).contact.consent(Channel.EMAIL).since == NOW


def test_the_same_list_again_changes_nothing(service: Service):
    rows = [listed(email=ConsentValue.NO, email_bounce=True, complaint=True)]
    take(service, *rows)
    again = take(service, *rows)
    ana = agreed(service)
    take(service, *rows)
    last = take(service, *rows)

    assert again.changes_nothing
    assert last.changes_nothing
    assert blocks(service, ana) == {"sendgrid/complaint"}


def test_an_entry_that_was_removed_at_the_provider_is_not_on_an_older_list(
    service: Service, clock: Stopped
):
    ana = agreed(service)
    at = NOW - timedelta(days=2)
    row = listed(email=ConsentValue.NO, refusals={Channel.EMAIL: OptOutDetails(at=at)})
    take(service, row)
    removed_at_provider(service, ana.id, "sendgrid", MANAGER)
    clock.advance(timedelta(days=1))
    take(service, row)
    left = blocks(service, ana)
    take(service, listed(email=ConsentValue.NO))

    assert left == set()
    assert blocks(service, ana) == {UNSUBSCRIBED}


@pytest.mark.parametrize("opt_outs", [False, True])
@pytest.mark.parametrize("known", [True, False])
def test_undoing_a_list_leaves_its_opt_outs_unless_they_were_a_mistake(
    service: Service, opt_outs: bool, known: bool
):
    contacts = [agreed(service)] if known else []
    refused = take(service, listed(email=ConsentValue.NO))
    bounced = take(service, listed(email_bounce=True))
    for report in (refused, bounced):
        assert report.id
        reason = "Wrong list" if opt_outs else None
        undo_import(service, report.id, OPERATOR, opt_outs=opt_outs, reason=reason)
    [ana] = contacts or [agreed(service)]

    assert email(service, ana) == ("YES" if opt_outs else "NO")
    assert blocks(service, ana) == (set() if opt_outs else {UNSUBSCRIBED})
    assert profile(service, ana.id, AGENT).facts[Channel.EMAIL].bounce is Bounce.NO
    assert verify(service).problem is None


def test_a_carriers_list_sets_no_block_since_it_names_no_sender(service: Service):
    phone = "+14155550100"
    ana = add(service, Details(name="Ana", phone=phone), AGENT)
    row = Row(line=2, details=Details(phone=phone, email=""), listed=True, sms=ConsentValue.NO)
    take(service, row, provider="twilio")

    found = profile(service, ana.id, AGENT)
    assert found.contact.consent(Channel.SMS).on is ConsentValue.NO
    assert not found.facts[Channel.SMS].blocks


def test_a_row_with_several_addresses_stores_one_and_opts_all_of_them_out(service: Service):
    row = Row(
        line=2,
        details=Details(name="Ana", phone="0123", email=MAILBOX),
        sms=ConsentValue.NO,
        more={Channel.SMS: ["+44 20 7946 0000", "+14155550101", "+14155550102"]},
    )
    report = take(service, row)
    bo = add(service, Details(name="Bo", phone="+14155550102"), AGENT)
    [ana] = find(service, MAILBOX, AGENT).contacts

    assert ana.contact.phone == "+14155550101"
    assert {line for line, _ in report.further} == {2}
    assert bo.consent(Channel.SMS).on is ConsentValue.NO


def test_do_not_call_is_noted_once(service: Service):
    row = Row(line=2, details=Details(name="Ana", email=MAILBOX), do_not_call=True)
    for _ in range(2):
        take(service, row)

    assert [e.reason for e in told(service) if e.contact and e.kind == "note"] == [
        "Do Not Call, says an import"
    ]
