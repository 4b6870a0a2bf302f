"""Answers about the past: what Optin had recorded by then, or what had happened by then.

`tests/support/past_answers.py` compares every moment of the histories of `test_properties.py` and
`test_histories.py` with what Optin said at that moment.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.consent.errors import Invalid, NotAllowed, NotFound, Refused
from bot.consent.model import Channel, ConsentValue, Contact, Evidence
from bot.consent.rules import RULES_VERSION, Answer
from bot.consent.use_cases import (
    Details,
    Row,
    Service,
    StatusUpdate,
    add,
    change,
    edit,
    erase,
    import_rows,
    merge,
    profile,
    undo_import,
)
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.retire import retire
from bot.consent.use_cases.time_travel import (
    TimeBasis,
    holders_at,
    profile_at,
    unheld_at,
)
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, MANAGER, NOBODY, OPERATOR
from tests.support.take_fixtures import LOCAL, OTHER_PHONE, PHONE, TOLL_FREE, YES, text

pytestmark = pytest.mark.every_storage

day = timedelta(days=1)
RECORDED, HAPPENED = TimeBasis.RECORDED, TimeBasis.HAPPENED


@pytest.fixture
def ana(service: Service, clock: Stopped) -> Contact:
    """Added, and a day later she agreed to texts and e-mails; another day went by."""
    contact = add(service, Details(name="Ana", phone=PHONE, email="ana@example.com"), AGENT)
    clock.advance(day)
    change(service, contact.id, YES, AGENT)
    clock.advance(day)
    return contact


def sms(service: Service, contact: Contact, at: datetime, by: TimeBasis = RECORDED) -> Answer:
    return profile_at(service, contact.id, at, AGENT, by=by).profile.decisions[Channel.SMS].answer


def test_the_answer_now_is_the_live_one(service: Service, clock: Stopped, ana: Contact):
    ingest(service, [text("STOP")])
    past = profile_at(service, ana.id, clock(), AGENT)
    live = profile(service, ana.id, AGENT)

    assert past.profile.contact == live.contact
    assert past.profile.facts == live.facts
    assert past.profile.decisions == live.decisions
    assert past.profile.by_sender == live.by_sender
    assert past.rules_version == RULES_VERSION


def test_each_change_counts_from_the_moment_when_it_was_recorded(
    service: Service, clock: Stopped, ana: Contact
):
    stopped = clock()
    ingest(service, [text("STOP", sender=TOLL_FREE)])
    clock.advance(day)

    assert sms(service, ana, stopped - day - timedelta(microseconds=1)) is Answer.NO
    assert sms(service, ana, stopped - day) is Answer.YES
    assert sms(service, ana, stopped - timedelta(microseconds=1)) is Answer.YES
    assert sms(service, ana, stopped) is Answer.NO
    then = profile_at(service, ana.id, stopped, AGENT).profile
    assert [gate.code for gate in then.decisions[Channel.SMS].gates] == [
        "carrier_block",
        "opted_out",
    ]


def test_a_late_stop_counts_for_what_had_happened_and_not_for_what_was_known(
    service: Service, clock: Stopped, ana: Contact
):
    stopped = clock()
    clock.advance(3 * day)
    ingest(service, [text("STOP", occurred_at=stopped)])
    between = stopped + day

    assert sms(service, ana, between, RECORDED) is Answer.YES
    assert sms(service, ana, between, HAPPENED) is Answer.NO
    assert sms(service, ana, clock(), RECORDED) is Answer.NO


def test_consent_from_before_optin_knew_the_contact_had_happened_by_then(
    service: Service, clock: Stopped
):
    agreed = clock() - 100 * day
    row = Row(
        line=2,
        details=Details(name="Bob", phone=OTHER_PHONE),
        sms=ConsentValue.YES,
        evidence=Evidence(text="Form 7", at=agreed),
    )
    import_rows(service, [row], actor=OPERATOR, file="bob.csv")
    (bob,) = holders_at(service, OTHER_PHONE, clock(), AGENT, by=RECORDED)

    assert sms(service, bob, agreed, HAPPENED) is Answer.YES
    assert sms(service, bob, agreed - day, HAPPENED) is Answer.NO
    with pytest.raises(Refused, match="did not have this contact then"):
        sms(service, bob, agreed, RECORDED)


def test_a_block_of_another_contact_with_the_number_counts(
    service: Service, clock: Stopped, ana: Contact
):
    other = add(service, Details(name="Bob", phone=PHONE), AGENT)
    ingest(service, [text("STOP")])
    stopped = clock()
    clock.advance(day)
    edit(service, other.id, Details(phone=OTHER_PHONE), AGENT)

    then = profile_at(service, ana.id, stopped, AGENT).profile
    assert set(then.facts[Channel.SMS].blocks) == {LOCAL}


def test_the_addresses_are_those_of_the_time(service: Service, clock: Stopped, ana: Contact):
    before = clock()
    clock.advance(day)
    edit(service, ana.id, Details(phone=OTHER_PHONE), AGENT)

    assert profile_at(service, ana.id, before, AGENT).profile.contact.phone == PHONE
    assert [c.id for c in holders_at(service, PHONE, before, AGENT, by=RECORDED)] == [ana.id]
    assert holders_at(service, PHONE, clock(), AGENT, by=RECORDED) == []
    assert holders_at(service, OTHER_PHONE, before, AGENT, by=RECORDED) == []


def test_what_was_known_of_a_number_that_nobody_had(service: Service, clock: Stopped):
    ingest(service, [text("STOP")])
    stopped = clock()
    clock.advance(day)

    known = unheld_at(service, PHONE, stopped, AGENT, by=RECORDED)
    assert known is not None
    assert known.refusal is not None
    assert unheld_at(service, PHONE, stopped - day, AGENT, by=RECORDED) is None


def test_a_time_to_come_is_refused(service: Service, clock: Stopped, ana: Contact):
    with pytest.raises(Invalid, match="still to come"):
        profile_at(service, ana.id, clock() + timedelta(seconds=1), AGENT)


def test_before_the_contact_was_added_there_is_no_answer(
    service: Service, clock: Stopped, ana: Contact
):
    with pytest.raises(Refused, match="did not have this contact then: it came on 3 Nov 2026"):
        profile_at(service, ana.id, clock() - 3 * day, AGENT)


def test_of_an_erased_contact_nothing_is_said_but_that(
    service: Service, clock: Stopped, ana: Contact
):
    before = clock()
    clock.advance(day)
    erase(service, ana.id, OPERATOR)

    with pytest.raises(Refused, match="erased on 6 Nov 2026"):
        profile_at(service, ana.id, before, AGENT)
    assert profile_at(service, ana.id, clock(), AGENT).profile.contact.erased


def test_a_contact_that_was_merged_since_is_as_it_was(
    service: Service, clock: Stopped, ana: Contact
):
    twin = add(service, Details(name="Ana G.", phone=OTHER_PHONE), AGENT)
    change(service, twin.id, StatusUpdate(sms=ConsentValue.YES, evidence="a call"), AGENT)
    before = clock()
    clock.advance(day)
    merge(service, ana.id, twin.id, MANAGER)

    assert sms(service, twin, before) is Answer.YES
    assert sms(service, ana, before) is Answer.YES
    with pytest.raises(
        Refused, match=f"removed on 6 Nov 2026, 14:02:00 UTC. Merged into contact {ana.id}"
    ):
        profile_at(service, twin.id, clock(), AGENT)


def test_a_contact_whose_import_was_undone_is_as_it_was(service: Service, clock: Stopped):
    report = import_rows(
        service,
        [Row(line=2, details=Details(name="Bob", phone=PHONE))],
        file="b.csv",
        actor=OPERATOR,
    )
    then = clock()
    (bob,) = holders_at(service, PHONE, then, AGENT, by=RECORDED)
    clock.advance(day)
    undo_import(service, report.id, OPERATOR)

    assert profile_at(service, bob.id, then, AGENT).profile.contact.name == "Bob"
    with pytest.raises(Refused, match="removed on"):
        profile_at(service, bob.id, clock(), AGENT)


def test_senders_are_taken_as_they_are_today(service: Service, clock: Stopped, ana: Contact):
    ingest(service, [text("STOP", sender="+14155550133")])
    stopped = clock()
    clock.advance(day)
    retire(service, "+14155550133", MANAGER)

    then = profile_at(service, ana.id, stopped, AGENT).profile
    assert [gate.code for gate in then.decisions[Channel.SMS].gates] == ["opted_out"]


def test_who_may_not_look_sees_no_past(service: Service, clock: Stopped, ana: Contact):
    for ask in (profile_at, holders_at, unheld_at):
        with pytest.raises(NotAllowed):
            ask(service, ana.id, clock(), NOBODY, by=RECORDED)


def test_nobody_has_no_past(service: Service, clock: Stopped):
    with pytest.raises(NotFound):
        profile_at(service, "nobody", clock(), AGENT)
