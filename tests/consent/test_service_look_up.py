"""Looking a contact up by what people type."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.errors import Invalid, NotAllowed, NotFound
from bot.consent.log.changes import BlockChanged
from bot.consent.model import Actor, Channel, ConsentValue, Contact
from bot.consent.use_cases import (
    Details,
    Service,
    StatusUpdate,
    activity,
    add,
    change,
    edit,
    erase,
    find,
    profile,
    recent,
    suggest,
    undo,
)
from bot.consent.use_cases.record import Recorder
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import (
    AGENT,
    MANAGER,
    NOBODY,
    OPERATOR,
    OTHER_AGENT,
    SENDERS,
    stop,
)
from tests.support.storages import on_disk

pytestmark = pytest.mark.every_storage

PHONE = "+14155550100"


@pytest.fixture
def ana(service: Service) -> Contact:
    return add(
        service,
        Details(name="Ana Gómez", phone=PHONE, email="ana@example.com", external_id="crm-1"),
        AGENT,
    )


@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        "415-555-0100",
        "(415) 555 0100",
        "\u202a+1 415 555 0100\u202c",
        "٤١٥٥٥٥٠١٠٠",
        "ana@example.com",
        " ANA@Example.com ",
        "crm-1",
        "ana",
        "GOMEZ",
        "gómez ana",
        "Ana\u200b",
    ],
)
def test_a_contact_is_found_by_number_mailbox_id_and_name_as_people_type_them(
    service: Service, ana: Contact, text: str
):
    add(service, Details(name="Bo Li", phone="+1 415 555 0111"), AGENT)

    assert [p.contact.id for p in find(service, text, AGENT).contacts] == [ana.id]


def test_a_contact_is_found_by_its_own_id(service: Service, ana: Contact):
    assert [p.contact for p in find(service, ana.id, AGENT).contacts] == [ana]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u200b",
        "\0",
        "\ud800",
        "<!channel>",
        "' OR 1=1 --",
        '{"$ne": null}',
        "%",
        "*",
        "\u202e0010",
        "🙂" * 50,
        "@",
        "+",
        "1" * 80,
        "x" * 200,
    ],
)
def test_no_text_breaks_a_look_up_and_none_of_these_finds_anybody(
    service: Service, ana: Contact, text: str
):
    assert find(service, text, AGENT).contacts == []
    assert list(suggest(service, text, AGENT)) == []


def test_what_is_too_long_to_be_anything_is_refused(service: Service):
    with pytest.raises(Invalid):
        find(service, "x" * 10_000, AGENT)


@pytest.mark.parametrize("text", ["+1 415 555", "+1 999 555 0100", "ana@", "12345"])
def test_what_looks_like_an_address_and_is_none_says_why(service: Service, text: str):
    found = find(service, text, AGENT)

    assert found.problem
    assert (found.phone, found.email) == (None, None)


def test_a_near_miss_is_offered_where_nobody_is_exactly_that(service: Service, ana: Contact):
    for text in ("+1 415 555 0101", "anna@example.com", "ANNA@Example.COM", "Ana Gomes"):
        found = find(service, text, AGENT)
        assert found.contacts == []
        assert [p.contact.id for p in found.near] == [ana.id]


def test_what_is_known_of_an_address_that_nobody_has_is_said(service: Service, ana: Contact):
    stop(service, "+14155550111")
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    erase(service, ana.id, OPERATOR)

    for text in ("+14155550111", PHONE):
        found = find(service, text, AGENT)
        assert found.contacts == []
        assert found.facts is not None
        assert found.facts.refusal is not None


def test_more_hits_than_are_shown_are_counted_up_to_a_hundred(service: Service):
    for n in range(103):
        add(service, Details(name=f"Ana {n}", email=f"ana{n}@example.com"), AGENT)
    found = find(service, "ana", AGENT, limit=10)

    assert (len(found.contacts), found.count, found.more) == (10, 100, True)


def test_a_profile_answers_for_the_default_sender_and_for_each_of_the_others(
    service: Service, ana: Contact
):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="form"), AGENT)
    sales = SENDERS[1].id
    with service.store.transaction() as records:
        here = records.contacts.get(ana.id)
        Recorder(
            service=service,
            records=records,
            actor="provider:twilio",
            source="provider:twilio",
            now=service.now(),
        ).record(
            here,
            BlockChanged(sender=sales, before="none", after="blocked"),
            address=PHONE,
            channel=Channel.SMS,
        )

    seen = profile(service, ana.id, AGENT)
    assert seen.decisions[Channel.SMS].answer == "yes"
    assert {name: d.answer for name, d in seen.by_sender.items()} == {sales: "no"}
    assert "START" in seen.by_sender[sales].gates[0].remedy


def test_looking_changes_nothing(service: Service, ana: Contact, storage_path: Path):
    before = on_disk(storage_path)
    find(service, "Ana", AGENT)
    find(service, "Nobody", AGENT)
    suggest(service, "An", AGENT)
    profile(service, ana.id, AGENT)
    activity(service, ana.id, AGENT)
    recent(service, AGENT)

    assert on_disk(storage_path) == before


def test_who_is_nobody_here_sees_nothing(service: Service, ana: Contact):
    for look in (
        lambda: find(service, PHONE, NOBODY),
        lambda: suggest(service, "An", NOBODY),
        lambda: profile(service, ana.id, NOBODY),
        lambda: activity(service, ana.id, NOBODY),
        lambda: recent(service, NOBODY),
    ):
        with pytest.raises(NotAllowed):
            look()


def test_who_is_not_there_is_not_found(service: Service):
    for look in (
        lambda: profile(service, "0" * 32, AGENT),
        lambda: activity(service, "0" * 32, AGENT),
    ):
        with pytest.raises(NotFound):
            look()


def test_the_log_is_read_newest_first_page_by_page_and_by_channel(service: Service, ana: Contact):
    for n in range(5):
        edit(service, ana.id, Details(name=f"Ana {n}"), AGENT)
    change(service, ana.id, StatusUpdate(email=ConsentValue.NO), AGENT)
    _, first = activity(service, ana.id, AGENT, limit=4)
    _, rest = activity(service, ana.id, AGENT, limit=4, before=first[-1].seq)
    _, mail = activity(service, ana.id, AGENT, channel=Channel.EMAIL)

    assert [entry.seq for entry in (*first, *rest)] == [7, 6, 5, 4, 3, 2, 1]
    assert [entry.after for entry in mail] == ["NO"]


def test_the_last_changes_of_everybody_come_with_their_contacts(service: Service, ana: Contact):
    bo = add(service, Details(name="Bo", phone="+1 415 555 0111"), AGENT)

    assert [(e.seq, c and c.id) for e, c in recent(service, AGENT)] == [(2, bo.id), (1, ana.id)]


def test_a_look_up_says_where_ones_own_slip_can_still_be_undone(
    service: Service, ana: Contact, clock: Stopped
):
    yes = StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence="form 12")
    change(service, ana.id, yes, AGENT)
    assert undoable(service, ana, AGENT) == set()

    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    assert undoable(service, ana, AGENT) == {Channel.SMS}
    assert undoable(service, ana, OTHER_AGENT) == undoable(service, ana, MANAGER) == set()

    clock.advance(timedelta(minutes=15))
    change(service, ana.id, StatusUpdate(email=ConsentValue.NO), AGENT)
    assert undoable(service, ana, AGENT) == {Channel.SMS, Channel.EMAIL}

    clock.advance(timedelta(seconds=1))
    assert undoable(service, ana, AGENT) == {Channel.EMAIL}

    undo(service, ana.id, Channel.EMAIL, AGENT)
    assert undoable(service, ana, AGENT) == set()


def test_a_look_up_offers_no_undo_where_the_contact_has_refused_since(
    service: Service, ana: Contact, clock: Stopped
):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="form 12"), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    clock.advance(timedelta(minutes=1))
    stop(service, PHONE, sender="+18885550199")

    assert undoable(service, ana, AGENT) == set()


def undoable(service: Service, contact: Contact, actor: Actor) -> frozenset[Channel]:
    """As a look-up by the number finds it, which is the same as by the id."""
    (found,) = find(service, PHONE, actor).contacts

    assert found.undoable == profile(service, contact.id, actor).undoable
    return found.undoable
