"""The decision function against the table of the rules: twelve rows for each channel, and what lies
on top of them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.consent.gates import Code, Owner
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Evidence,
    Hold,
    LineType,
    Origin,
)
from bot.consent.rules import RULES_VERSION, Decision, decide
from bot.consent.senders import Number, NumberKind, Sender, Senders
from tests.support.consent_fixtures import PROVIDERS, sender

SINCE = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
PHONE, MAILBOX = "+14155550100", "ana@example.com"
SUPPORT = sender("+18885550199")
SALES = sender("+14155550177", unblock_word="START")
OURS = Senders(groups=(SUPPORT, SALES), providers=PROVIDERS)
#: Our sender for a text, the entry of a provider's list for an e-mail.
BLOCKED_AT = {Channel.SMS: SUPPORT.id, Channel.EMAIL: "mailgun/unsubscribe"}
ADDRESS = {Channel.SMS: PHONE, Channel.EMAIL: MAILBOX}

#: On, block, bounce | answer, status | gates in order with who has to act.
SMS_ROWS = """
 1  YES    none     no   |  yes  opted_in     |
 2  YES    none     yes  |  no   unreachable  |  bounced:agent
 3  YES    blocked  no   |  no   unreachable  |  carrier_block:contact
 4  YES    blocked  yes  |  no   unreachable  |  carrier_block:contact  bounced:agent
 5  NO     none     no   |  no   opted_out    |  opted_out:manager
 6  NO     none     yes  |  no   opted_out    |  opted_out:manager  bounced:agent
 7  NO     blocked  no   |  no   opted_out    |  carrier_block:contact  opted_out:manager
 8  NO     blocked  yes  |  no   opted_out    |  carrier_block:contact  opted_out:manager  bounced:agent
 9  UNSET  none     no   |  no   never_asked  |  never_asked:agent
10  UNSET  none     yes  |  no   unreachable  |  never_asked:agent  bounced:agent
11  UNSET  blocked  no   |  no   unreachable  |  carrier_block:contact  never_asked:agent
12  UNSET  blocked  yes  |  no   unreachable  |  carrier_block:contact  never_asked:agent  bounced:agent
"""
#: The same, but that nobody can text a word to a suppression list.
EMAIL_ROWS = SMS_ROWS.replace("carrier_block:contact", "suppressed:operator")

ROWS = [
    pytest.param(channel, line, id=f"{channel}-{line.split()[0]}")
    for channel, rows in ((Channel.SMS, SMS_ROWS), (Channel.EMAIL, EMAIL_ROWS))
    for line in rows.strip().splitlines()
]

#: Of each version of the rules, a hash of the tables of this module.
TABLES = {2: "1a587d27c3629b5c6087854893003c2fbe407a56dbcb670ad2ad64feffe9583f"}

#: What lies on top: a fact, of a contact whose row would else be 1, 5 or 9.
#: fact, On | answer, status | gates in order with who has to act | in the note
OVERLAYS = """
no_address        YES    |  no          unreachable  |  no_address:agent                       |
no_address        UNSET  |  no          unreachable  |  no_address:agent                       |
do_not_contact    YES    |  no          unreachable  |  do_not_contact:manager                 |
do_not_contact    NO     |  no          opted_out    |  do_not_contact:manager  opted_out:manager |
do_not_contact    UNSET  |  no          unreachable  |  do_not_contact:manager  never_asked:agent |
erased            YES    |  no          unreachable  |  erased:operator                        |
erased            NO     |  no          unreachable  |  erased:operator                        |
hold              YES    |  no          unreachable  |  review_hold:agent                      |
hold              NO     |  no          opted_out    |  opted_out:manager  review_hold:agent   |
hold              UNSET  |  no          unreachable  |  never_asked:agent  review_hold:agent   |
block_unknown     YES    |  unverified  waiting      |  block_unknown:BLOCK_OWNER              |
block_unknown     NO     |  no          opted_out    |  block_unknown:BLOCK_OWNER  opted_out:manager |
block_unknown     UNSET  |  no          never_asked  |  block_unknown:BLOCK_OWNER  never_asked:agent |
probation         YES    |  unverified  waiting      |  probation:agent                        |
probation         NO     |  no          opted_out    |  opted_out:manager  probation:agent     |
probation         UNSET  |  no          never_asked  |  never_asked:agent  probation:agent     |
soft_failures     YES    |  yes         opted_in     |                                         | 2 messages
soft_failures     UNSET  |  no          never_asked  |  never_asked:agent                      | 2 messages
staff_no          NO     |  no          opted_out    |  opted_out:agent                        |
import_no         NO     |  no          opted_out    |  opted_out:manager                      |
unproven          YES    |  yes         opted_in     |                                         | Unproven
"""
SMS_ONLY = """
landline          YES    |  no          unreachable  |  invalid_address:agent                  |
landline          NO     |  no          opted_out    |  invalid_address:agent  opted_out:manager |
landline          UNSET  |  no          unreachable  |  invalid_address:agent  never_asked:agent |
"""
EMAIL_ONLY = """
complaint         YES    |  no          unreachable  |  complaint:manager                      |
complaint         NO     |  no          opted_out    |  opted_out:manager  complaint:manager   |
landline          YES    |  yes         opted_in     |                                         |
"""

ON_TOP = [
    pytest.param(channel, line, id=f"{channel}-{'-'.join(line.split()[:2])}")
    for channel, rows in (
        (Channel.SMS, OVERLAYS.replace("BLOCK_OWNER", "agent") + SMS_ONLY),
        (Channel.EMAIL, OVERLAYS.replace("BLOCK_OWNER", "operator") + EMAIL_ONLY),
    )
    for line in rows.strip().splitlines()
    if line.strip()
]


def test_the_version_of_the_rules_is_pinned_to_their_table():
    """Whoever changes the table raises RULES_VERSION, and adds the hash of the new one."""
    tables = (SMS_ROWS, EMAIL_ROWS, OVERLAYS, SMS_ONLY, EMAIL_ONLY)
    words = [line.split() for rows in tables for line in rows.splitlines()]

    assert TABLES[RULES_VERSION] == hashlib.sha256(repr(words).encode()).hexdigest()
    assert max(TABLES) == RULES_VERSION


@pytest.mark.parametrize(("channel", "row"), ROWS)
def test_every_row_of_the_table_has_its_answer_its_status_and_its_gates(channel: Channel, row: str):
    given, outcome, gates = (part.split() for part in row.split("|"))
    _, on, block, bounced = given
    contact = _contact(channel, ConsentValue(on))
    facts = _facts(channel, blocked=block == "blocked", bounced=bounced == "yes")
    sender = SUPPORT if channel is Channel.SMS else None

    assert _outcome(decide(contact, facts, channel, sender)) == (*outcome, gates)


@pytest.mark.parametrize(("channel", "row"), ON_TOP)
def test_every_overlay_has_its_answer_its_status_its_gates_and_its_note(channel: Channel, row: str):
    given, outcome, gates, note = (part.strip() for part in row.split("|"))
    fact, on = given.split()
    contact, facts = _overlaid(channel, ConsentValue(on), fact)

    decision = decide(contact, facts, channel, SUPPORT)

    assert _outcome(decision) == (*outcome.split(), gates.split())
    assert [n for n in decision.notes if note and n.startswith(note)] == list(decision.notes)
    assert bool(decision.notes) == bool(note)


@pytest.mark.parametrize("channel", Channel)
def test_only_an_answer_of_yes_is_green_and_nothing_unknown_is(channel: Channel):
    decisions = [
        decide(*_overlaid(channel, ConsentValue(on), fact), channel, SUPPORT)
        for fact in ("block_unknown", "probation", "hold", "no_address", "erased", "do_not_contact")
        for on in ConsentValue
    ]

    assert {d.status for d in decisions}.isdisjoint({"opted_in"})
    assert {d.answer for d in decisions} == {"no", "unverified"}


@pytest.mark.parametrize("channel", Channel)
def test_every_gate_says_why_and_what_has_to_happen(channel: Channel):
    everything = replace(
        _facts(channel, blocked=True, bounced=True), hold=Hold(since=SINCE, text="no more")
    )
    contact = replace(
        _contact(channel, ConsentValue.NO), do_not_contact=True, line=LineType.LANDLINE
    )

    gates = decide(contact, everything, channel, SUPPORT).gates

    assert len(gates) == (6 if channel is Channel.SMS else 5)
    assert all(gate.reason and gate.remedy and isinstance(gate.owner, Owner) for gate in gates)
    assert all("{" not in gate.reason + gate.remedy for gate in gates)


def test_a_block_names_its_sender_and_the_word_that_lifts_it():
    contact = _contact(Channel.SMS, ConsentValue.YES)
    facts = AddressFacts(
        address=PHONE, blocks={SALES.id: Block(state=BlockState.BLOCKED, since=SINCE)}
    )

    [gate] = decide(contact, facts, Channel.SMS, SALES, OURS).gates

    assert (gate.sender, gate.since, gate.owner) == (SALES.id, SINCE, Owner.CONTACT)
    assert "texts START to +14155550177" in gate.remedy


def test_a_block_of_one_sender_stops_no_other():
    contact = _contact(Channel.SMS, ConsentValue.YES)
    facts = _facts(Channel.SMS, blocked=True, bounced=False)

    assert decide(contact, facts, Channel.SMS, SUPPORT, OURS).answer == "no"
    assert decide(contact, facts, Channel.SMS, SALES, OURS).answer == "yes"


@pytest.mark.parametrize("state", [BlockState.BLOCKED, BlockState.UNKNOWN])
@pytest.mark.parametrize("name", ["+14155550123", "MG0123456789abcdef0123456789abcdef"])
def test_a_block_whose_group_nobody_knows_counts_against_every_sender(name: str, state: BlockState):
    contact = _contact(Channel.SMS, ConsentValue.YES)
    facts = AddressFacts(address=PHONE, blocks={name: Block(state=state, since=SINCE)})
    expected = "no" if state is BlockState.BLOCKED else "unverified"

    for one in (SUPPORT, SALES, None):
        assert decide(contact, facts, Channel.SMS, one, OURS).answer == expected


def test_a_block_of_the_service_is_one_of_each_of_its_numbers_and_names_the_number_to_text():
    service, number = "MG0123456789abcdef0123456789abcdef", "+14155550123"
    group = Sender(
        id="support",
        service=service,
        numbers=(Number(number=number, kind=NumberKind.LONG_CODE),),
    )
    contact = _contact(Channel.SMS, ConsentValue.YES)
    block = Block(state=BlockState.BLOCKED, since=SINCE)
    facts = AddressFacts(address=PHONE, blocks={service: block})
    ours = Senders(groups=(group, SALES))

    [gate] = decide(contact, facts, Channel.SMS, group, ours).gates

    assert (gate.code, gate.sender, gate.sender_id) == (Code.CARRIER_BLOCK, number, "support")
    assert service not in gate.reason + gate.remedy
    assert decide(contact, facts, Channel.SMS, SALES, ours).answer == "yes"


@pytest.mark.parametrize(
    ("channel", "name", "retired"),
    [
        (Channel.SMS, SUPPORT.id, SUPPORT.id),
        (Channel.SMS, "MG0123456789abcdef0123456789abcdef", "MG0123456789abcdef0123456789abcdef"),
        (Channel.EMAIL, "mailgun/unsubscribe/news", "mailgun"),
    ],
)
def test_a_block_of_a_retired_sender_or_provider_counts_no_more(
    channel: Channel, name: str, retired: str
):
    contact = _contact(channel, ConsentValue.YES)
    block = Block(state=BlockState.BLOCKED, since=SINCE)
    facts = AddressFacts(address=ADDRESS[channel], blocks={name: block})
    ours = replace(OURS, retired=frozenset({retired}))

    assert decide(contact, facts, channel, SUPPORT, OURS).answer == "no"
    assert decide(contact, facts, channel, SUPPORT, ours).answer == "yes"


def test_each_entry_of_a_providers_list_is_a_gate_of_its_own_that_names_the_provider():
    contact = _contact(Channel.EMAIL, ConsentValue.YES)
    block = Block(state=BlockState.BLOCKED, since=SINCE)
    names = ("sendgrid/bounce", "sendgrid/unsubscribe/news", "ses/complaint")
    facts = AddressFacts(address=MAILBOX, blocks=dict.fromkeys(names, block))

    gates = decide(contact, facts, Channel.EMAIL, senders=OURS).gates

    assert [(gate.code, gate.sender_id) for gate in gates] == [
        (Code.SUPPRESSED, name) for name in names
    ]
    assert [gate.sender for gate in gates] == ["sendgrid", "sendgrid", "ses"]
    assert {gate.owner for gate in gates} == {Owner.OPERATOR}
    assert "news" in gates[1].reason
    assert "Amazon SES" in gates[2].remedy


def test_without_a_sender_every_known_block_counts():
    contact = _contact(Channel.SMS, ConsentValue.YES)
    facts = AddressFacts(
        address=PHONE,
        blocks={
            SALES.id: Block(state=BlockState.BLOCKED, since=SINCE),
            SUPPORT.id: Block(state=BlockState.UNKNOWN, since=SINCE),
        },
    )

    decision = decide(contact, facts, Channel.SMS, None)

    assert [gate.code for gate in decision.gates] == [Code.CARRIER_BLOCK, Code.BLOCK_UNKNOWN]
    assert decision.answer == "no"


def test_a_suppression_counts_whichever_of_our_numbers_is_asked_for():
    contact = _contact(Channel.EMAIL, ConsentValue.YES)
    facts = _facts(Channel.EMAIL, blocked=True, bounced=False)

    assert decide(contact, facts, Channel.EMAIL, SALES).answer == "no"


def test_consent_at_a_former_address_says_nothing_of_the_present_one():
    contact = Contact(
        id="c",
        phone="+14155550111",
        consents={PHONE: Consent(on=ConsentValue.YES, by=Origin.CONTACT, since=SINCE)},
    )

    decision = decide(contact, None, Channel.SMS, SUPPORT)

    assert [gate.code for gate in decision.gates] == [Code.NEVER_ASKED]


def test_one_channel_says_nothing_of_the_other():
    texts = _contact(Channel.SMS, ConsentValue.NO)
    contact = replace(
        texts,
        consents={**texts.consents, MAILBOX: Consent(on=ConsentValue.YES, evidence=_EVIDENCE)},
    )

    assert decide(contact, None, Channel.SMS, SUPPORT).answer == "no"
    assert decide(contact, None, Channel.EMAIL, SUPPORT).answer == "yes"


_EVIDENCE = Evidence(text="web form", at=SINCE)


def _outcome(decision: Decision) -> tuple[str, str, list[str]]:
    gates = [f"{gate.code}:{gate.owner}" for gate in decision.gates]
    return decision.answer, decision.status, gates


def _contact(channel: Channel, on: ConsentValue) -> Contact:
    consents = {}
    if on is not ConsentValue.UNSET:
        evidence = _EVIDENCE if on is ConsentValue.YES else None
        consents[ADDRESS[channel]] = Consent(
            on=on, by=Origin.CONTACT, since=SINCE, evidence=evidence
        )
    return Contact(
        id="c", name="Ana", phone=PHONE, line=LineType.MOBILE, email=MAILBOX, consents=consents
    )


def _facts(channel: Channel, *, blocked: bool, bounced: bool) -> AddressFacts:
    block = Block(state=BlockState.BLOCKED, since=SINCE)
    return AddressFacts(
        address=ADDRESS[channel],
        blocks={BLOCKED_AT[channel]: block} if blocked else {},
        bounce=Bounce.YES if bounced else Bounce.NO,
        bounced_at=SINCE if bounced else None,
    )


def _overlaid(  # noqa: C901, PLR0912 - a table of facts
    channel: Channel, on: ConsentValue, fact: str
) -> tuple[Contact, AddressFacts | None]:
    contact, address = _contact(channel, on), ADDRESS[channel]
    facts = AddressFacts(address=address)
    unknown = Block(state=BlockState.UNKNOWN, since=SINCE)
    mine = contact.consents.get(address, Consent())
    match fact:
        case "no_address":
            return replace(contact, phone=None, email=None), None
        case "do_not_contact":
            contact = replace(contact, do_not_contact=True)
        case "erased":
            contact = replace(contact, erased=True)
        case "landline":
            contact = replace(contact, line=LineType.LANDLINE)
        case "staff_no":
            contact = replace(contact, consents={address: replace(mine, by=Origin.STAFF)})
        case "import_no":
            contact = replace(contact, consents={address: replace(mine, by=Origin.IMPORT)})
        case "unproven":
            contact = replace(contact, consents={address: replace(mine, evidence=None)})
        case "hold":
            facts = replace(facts, hold=Hold(since=SINCE, text="please, no more"))
        case "block_unknown":
            facts = replace(facts, blocks={BLOCKED_AT[channel]: unknown})
        case "probation":
            facts = replace(facts, bounce=Bounce.PROBATION)
        case "soft_failures":
            facts = replace(facts, soft_failures=(SINCE, SINCE))
        case "complaint":
            facts = replace(facts, bounce=Bounce.YES, bounced_at=SINCE, complaint=True)
        case _:
            raise AssertionError(fact)
    return contact, facts
