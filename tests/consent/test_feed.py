"""The feed: what changed for whom, with the answer before and after."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    LineType,
)
from bot.consent.rules import answer, decide
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, edit, erase, profile
from bot.consent.use_cases.feed import FeedType, changes, newest_place
from tests.support.consent_fixtures import AGENT, NOW, OPERATOR, bounce, stop

PHONE, OTHER = "+14155550100", "+14155550101"
MAIL = "ana@example.com"


def willing(service: Service, name: str = "Ana", phone: str = PHONE) -> Contact:
    contact = add(service, Details(name=name, phone=phone), AGENT)
    yes = StatusUpdate(sms=ConsentValue.YES, evidence="Web form")
    return change(service, contact.id, yes, AGENT).contact


def answers(service: Service, after: int = 0) -> list[tuple[str, str, str, str]]:
    """Each row: type, channel, answer before and after."""
    return [
        (row.type.value, channel.value, row.before[channel].value, row.after[channel].value)
        for row in changes(service, after, limit=1_000).rows
        for channel in row.after
    ]


def test_each_row_has_the_answer_before_and_after(service: Service):
    ana = willing(service)
    change(service, ana.id, StatusUpdate(do_not_contact=True), AGENT)

    # Nobody could be sent to a contact who is new: their first row has no answers.
    assert answers(service) == [
        ("consent.changed", "sms", "no", "yes"),
        ("contact.changed", "sms", "yes", "no"),
        ("contact.changed", "email", "no", "no"),
    ]


def test_a_stop_is_told_of_everybody_with_the_number(service: Service):
    willing(service)
    willing(service, "Bob")
    place = newest_place(service)
    stop(service, PHONE, sender="+18885550199")

    assert (
        answers(service, place)
        == [
            ("consent.changed", "sms", "yes", "no"),
            ("block.changed", "sms", "no", "no"),
        ]
        * 2
    )


def test_a_bounce_turns_the_answer_of_each_holder(service: Service):
    willing(service)
    willing(service, "Bob")
    place = newest_place(service)
    bounce(service, PHONE)

    assert answers(service, place) == [("bounce.changed", "sms", "yes", "no")] * 2


def test_a_new_number_turns_the_answer(service: Service):
    ana = willing(service)
    place = newest_place(service)
    edit(service, ana.id, Details(name="Ana", phone=OTHER), AGENT)

    rows = changes(service, place, limit=10).rows
    assert (rows[0].before[Channel.SMS], rows[0].after[Channel.SMS]) == ("yes", "no")


def test_do_not_contact_and_erasure_are_changes_of_the_contact(service: Service):
    ana = willing(service)
    place = newest_place(service)
    change(service, ana.id, StatusUpdate(do_not_contact=True), AGENT)
    erase(service, ana.id, OPERATOR)

    rows = changes(service, place, limit=100).rows
    assert {rows[0].type, rows[-1].type} == {FeedType.CONTACT}
    assert rows[0].before[Channel.SMS] == "yes"
    assert all(row.after.get(Channel.SMS, "no") == "no" for row in rows)
    assert rows[-1].contact is not None
    assert rows[-1].contact.erased


def test_the_newest_answer_is_the_one_on_the_card(service: Service):
    ana = willing(service)
    stop(service, PHONE, sender="+14155550177")

    # Without a row: nobody could ever be sent to.
    newest = dict.fromkeys(Channel, "no")
    for row in changes(service, 0, limit=1_000).rows:
        newest |= row.after
    seen = profile(service, ana.id, AGENT)
    assert newest == {channel: seen.decisions[channel].answer for channel in Channel}


def test_pages_lead_to_the_end_without_a_gap(service: Service):
    for n in range(5):
        willing(service, f"Contact {n}", f"+1415555010{n}")
    whole = changes(service, 0, limit=1_000)
    place, found = 0, []
    while True:
        page = changes(service, place, limit=2)
        found += page.rows
        place = page.next
        if not page.more:
            break

    assert [row.seq for row in found] == [row.seq for row in whole.rows]
    assert place == whole.next == newest_place(service)


def test_what_changes_nothing_is_no_row(service: Service):
    ana = willing(service)
    change(service, ana.id, StatusUpdate(note="Called back"), AGENT)
    place = newest_place(service)

    page = changes(service, 3, limit=10)
    assert [row.type for row in page.rows if row.seq == place] == []
    assert page.next == place
    assert not page.more


CONTACTS = st.builds(
    Contact,
    id=st.just("a"),
    line=st.sampled_from([None, *LineType]),
    phone=st.sampled_from([PHONE, None]),
    email=st.sampled_from([MAIL, None]),
    do_not_contact=st.booleans(),
    erased=st.booleans(),
    consents=st.fixed_dictionaries(
        {key: st.builds(Consent, on=st.sampled_from(ConsentValue)) for key in (PHONE, MAIL)}
    ),
)


@given(
    contact=CONTACTS,
    blocked=st.booleans(),
    bounce=st.sampled_from(Bounce),
    known=st.booleans(),
    channel=st.sampled_from(Channel),
)
def test_the_quick_answer_is_the_decisions(
    contact: Contact, blocked: bool, bounce: Bounce, known: bool, channel: Channel
):
    blocks = {"+18885550199": Block(state=BlockState.BLOCKED, since=NOW)} if blocked else {}
    address = contact.key(channel) or ""
    facts = AddressFacts(address=address, blocks=blocks, bounce=bounce) if known else None

    assert answer(contact, facts, channel) is decide(contact, facts, channel).answer
