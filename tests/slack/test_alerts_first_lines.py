"""The first line of every alert says what is true now: each kind, and each thing that can follow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.events import EventKind, Failure
from bot.consent.model import Actor, Channel, ConsentValue, Role
from bot.consent.use_cases import (
    CaseRequest,
    StatusUpdate,
    approve,
    cancel,
    change,
    deny,
    request,
    run_case_timers,
)
from bot.consent.use_cases.alerts.reviews import answer_review, mark_handled
from sandbox.first_workspace import ANA, LEE
from tests.support.alert_cases import AGENT, EVIDENCE
from tests.support.alert_cases import desk as desk
from tests.support.alerts_fixtures import PHONE, Bench, failed, mail, reply
from tests.support.alerts_fixtures import bench as bench

MAILBOX = "ana.gomez@example.com"
LEE_CHEN = Actor(id=f"slack:{LEE}", role=Role.MANAGER, source="slack")
HOUR = timedelta(hours=1)
K = AlertKind

Step = Callable[[Bench], None]


def the(desk: Bench, kind: AlertKind) -> Alert:
    """The first alert of this kind."""
    return desk.alerts(kind)[0]


def case_id(desk: Bench) -> str:
    with desk.service.store.reading() as records:
        return max(records.cases.all(), key=lambda case: case.requested_at).id


def texts(words: str) -> Step:
    return lambda desk: desk.take(reply(words))


def mails(kind: EventKind) -> Step:
    return lambda desk: desk.take(mail(kind, MAILBOX))


def refused(desk: Bench) -> None:
    desk.take(failed(Failure.OPT_OUT, code="21610", meaning="The contact has opted out."))


def bounced(desk: Bench) -> None:
    desk.take(failed(Failure.HARD))


def two_bounced(desk: Bench) -> None:
    desk.add("+14155550101", name="Bea")
    bounced(desk)
    desk.take(failed(Failure.HARD, "+14155550101"))


def cleared(desk: Bench) -> None:
    contact = the(desk, K.BOUNCE).subject.contacts[0]
    wish = StatusUpdate(
        clear_bounce=frozenset({Channel.SMS}),
        reason="Asked by phone",
        evidence="She called us from this number",
    )
    change(desk.service, contact, wish, AGENT)


def handled(kind: AlertKind) -> Step:
    return lambda desk: _is_won(mark_handled(desk.service, the(desk, kind).id, LEE_CHEN).won)


def answered(refusal: bool) -> Step:
    return lambda desk: _is_won(
        answer_review(desk.service, the(desk, K.REVIEW).id, refusal, LEE_CHEN).won
    )


def unanswered(desk: Bench) -> None:
    desk.clock.advance(timedelta(days=10))


def requested(channel: Channel) -> Step:
    def step(desk: Bench) -> None:
        with desk.service.store.reading() as records:
            key = PHONE if channel is Channel.SMS else MAILBOX
            contact = records.contacts.at(key)[0].id
        request(desk.service, contact, CaseRequest(channel=channel, evidence=EVIDENCE), AGENT)

    return step


def approved(desk: Bench) -> None:
    _is_won(approve(desk.service, case_id(desk), LEE_CHEN).won)


def denied(desk: Bench) -> None:
    _is_won(deny(desk.service, case_id(desk), "No record of that call", LEE_CHEN).won)


def cancelled(desk: Bench) -> None:
    _is_won(cancel(desk.service, case_id(desk), AGENT).won)


def expired(desk: Bench) -> None:
    desk.clock.advance(timedelta(days=15))
    run_case_timers(desk.service)


def no_texts(desk: Bench) -> None:
    """A person records the contact's NO."""
    contact = the(desk, K.STOP).subject.contacts[0]
    change(desk.service, contact, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"), AGENT)


def _is_won(won: bool) -> None:
    assert won


STOP, UNSTOP, UNREAD = texts("STOP"), texts("UNSTOP"), texts("UNSTOP.")
PROBABLE = texts("please stop texting me")
SMS, EMAIL = requested(Channel.SMS), requested(Channel.EMAIL)
UNSUBSCRIBED, COMPLAINED = mails(EventKind.UNSUBSCRIBED), mails(EventKind.COMPLAINT)
WHO, TO, BOX = "number ending 0100", "+1 888-555-0199", "address a…@example.com"
CAME_BACK = f"🟡 *Came back AT with UNSTOP, still needs a manager:* {WHO} gets texts again after a "
CAME_BACK += "manager approves."
ASKED = (
    f"🟡 *Re-opt-in requested:* a manager decides whether {WHO} gets texts again. Until then no "
)
ASKED += "texts are sent."
WAITS = f"🟡 *Re-opt-in approved:* texts to {WHO} start again when this is done: Contact texts "
WAITS += f"UNSTOP to {TO}."
BACK = f"☑️ *Opted in again AT:* <@{LEE}> approved texts to {WHO}. View shows whether anything else "
BACK += "is in the way."
AGAIN = f"🔴 *Opted out again:* no more texts are sent to {WHO}."
STOPPED = f"🔴 *SMS opt-out:* {WHO} texted STOP to {TO} AT. No more texts will be sent."
BLOCKED = (
    f"🔴 *Still blocked:* {WHO} texted UNSTOP with other words AT, which the carrier ignores. "
)
BLOCKED += "Ask the contact to text UNSTOP and nothing else."
NO_MORE_MAIL = f"🔴 *Email opt-out:* {BOX} unsubscribed AT. No more e-mails will be sent."
MAIL_BACK = BACK.replace("texts", "e-mails").replace(WHO, BOX)
HANDLED = f"✓ *Handled by <@{LEE}>, AT.* "
OPT_OUT = f"🔴 *It was an opt-out:* no more texts are sent to {WHO}. Decided by <@{LEE}> AT."

FIRST_LINES: list[tuple[str, AlertKind, list[Step], str]] = [
    ("STOP", K.STOP, [STOP], STOPPED),
    ("STOP twice", K.STOP, [STOP, STOP], STOPPED.replace("AT.", "AT (2 times today).")),
    ("STOP, handled", K.STOP, [STOP, handled(K.STOP)], HANDLED + STOPPED),
    ("STOP, UNSTOP", K.STOP, [STOP, UNSTOP], CAME_BACK),
    ("STOP, handled, UNSTOP", K.STOP, [STOP, handled(K.STOP), UNSTOP], CAME_BACK),
    ("STOP, UNSTOP, handled", K.STOP, [STOP, UNSTOP, handled(K.STOP)], HANDLED + CAME_BACK),
    ("STOP, UNSTOP ignored", K.STOP, [STOP, UNREAD], BLOCKED),
    ("STOP, ignored, UNSTOP", K.STOP, [STOP, UNREAD, UNSTOP], CAME_BACK),
    (
        "STOP, UNSTOP, STOP",
        K.STOP,
        [STOP, UNSTOP, STOP],
        STOPPED.replace("AT.", "AT (2 times today)."),
    ),
    ("STOP, requested", K.STOP, [STOP, SMS], ASKED),
    ("STOP, approved", K.STOP, [STOP, SMS, approved], WAITS),
    ("STOP, approved, UNSTOP", K.STOP, [STOP, SMS, approved, UNSTOP], BACK),
    ("STOP, UNSTOP, approved", K.STOP, [STOP, UNSTOP, SMS, approved], BACK),
    ("STOP, back, handled", K.STOP, [STOP, UNSTOP, SMS, approved, handled(K.STOP)], HANDLED + BACK),
    ("STOP, back, NO", K.STOP, [STOP, UNSTOP, SMS, approved, no_texts], AGAIN),
    ("STOP, back, NO, requested", K.STOP, [STOP, UNSTOP, SMS, approved, no_texts, SMS], ASKED),
    ("STOP, denied", K.STOP, [STOP, SMS, denied], STOPPED),
    ("STOP, UNSTOP, denied", K.STOP, [STOP, UNSTOP, SMS, denied], CAME_BACK),
    ("STOP, cancelled", K.STOP, [STOP, SMS, cancelled], STOPPED),
    ("STOP, expired", K.STOP, [STOP, SMS, expired], STOPPED),
    ("unsubscribe", K.UNSUBSCRIBE, [UNSUBSCRIBED], NO_MORE_MAIL),
    (
        "unsubscribe, handled",
        K.UNSUBSCRIBE,
        [UNSUBSCRIBED, handled(K.UNSUBSCRIBE)],
        HANDLED + NO_MORE_MAIL,
    ),
    ("unsubscribe, back", K.UNSUBSCRIBE, [UNSUBSCRIBED, EMAIL, approved], MAIL_BACK),
    (
        "complaint",
        K.COMPLAINT,
        [COMPLAINED],
        f"🚫 *Spam complaint:* {BOX} reported our e-mail as spam AT. No more e-mails will be sent. "
        "Too many complaints cost the right to send at all: find out why this one came.",
    ),
    ("complaint, back", K.COMPLAINT, [COMPLAINED, EMAIL, approved], MAIL_BACK),
    (
        "drift",
        K.DRIFT,
        [refused],
        f"🔴 *SMS opt-out that we missed:* we thought {WHO} gets our texts, and the provider "
        "refused AT. The contact has opted out. SMS On is NO now.",
    ),
    ("drift, UNSTOP", K.DRIFT, [refused, UNSTOP], CAME_BACK),
    ("drift, back", K.DRIFT, [refused, UNSTOP, SMS, approved], BACK),
    (
        "UNSTOP of another day",
        K.UNSTOP,
        [STOP, lambda desk: desk.clock.advance(timedelta(days=1)), UNSTOP],
        f"🟡 *Half done:* {WHO} texted UNSTOP to {TO} AT. The carrier's block is lifted. SMS On "
        "stays as it is until an agent records a new permission and a manager approves.",
    ),
    (
        "UNSTOP of another day, back",
        K.UNSTOP,
        [STOP, lambda desk: desk.clock.advance(timedelta(days=1)), UNSTOP, SMS, approved],
        BACK,
    ),
    (
        "ignored UNSTOP of another day",
        K.UNREAD,
        [STOP, lambda desk: desk.clock.advance(timedelta(days=1)), UNREAD],
        BLOCKED.replace("texted UNSTOP with", f"texted UNSTOP to {TO} with"),
    ),
    (
        "ignored UNSTOP of another day, UNSTOP",
        K.UNREAD,
        [STOP, lambda desk: desk.clock.advance(timedelta(days=1)), UNREAD, UNSTOP],
        CAME_BACK,
    ),
    (
        "reply",
        K.REVIEW,
        [PROBABLE],
        f"🟡 *Is this an opt-out?* Number ending 0100 wrote to {TO} AT. No texts are sent until "
        "somebody answers. If nobody answers by AT, it counts as an opt-out.",
    ),
    ("reply, an opt-out", K.REVIEW, [PROBABLE, answered(True)], OPT_OUT),
    (
        "reply, no opt-out",
        K.REVIEW,
        [PROBABLE, answered(False)],
        f"☑️ *It was not an opt-out:* the pause for {WHO} is over. Decided by <@{LEE}> AT.",
    ),
    (
        "reply, deadline",
        K.REVIEW,
        [PROBABLE, unanswered],
        f"🔴 *It counts as an opt-out:* no more texts are sent to {WHO}. Nobody answered by the "
        "deadline, AT.",
    ),
    ("reply, an opt-out, requested", K.REVIEW, [PROBABLE, answered(True), SMS], ASKED),
    ("reply, an opt-out, denied", K.REVIEW, [PROBABLE, answered(True), SMS, denied], OPT_OUT),
    ("reply, an opt-out, back", K.REVIEW, [PROBABLE, answered(True), SMS, approved], BACK),
    (
        "bounce",
        K.BOUNCE,
        [bounced],
        f"🚫 *SMS bounce:* {WHO}, AT: No such number. Nothing more is sent there until somebody "
        "checks it.",
    ),
    (
        "bounce, cleared",
        K.BOUNCE,
        [bounced, cleared],
        f"🟡 *SMS bounce cleared:* {WHO}. The next of our texts is the test, where nothing else "
        "stops them.",
    ),
    (
        "two bounces, one cleared",
        K.BOUNCE,
        [two_bounced, cleared],
        "🚫 *2 SMS bounces* since AT. 1 of them is cleared. Nothing more is sent to the others "
        "until somebody checks them.",
    ),
]


@pytest.mark.parametrize(
    ("kind", "steps", "line"), [row[1:] for row in FIRST_LINES], ids=[row[0] for row in FIRST_LINES]
)
def test_the_first_line_is_what_is_true_now(
    desk: Bench, kind: AlertKind, steps: list[Step], line: str
) -> None:
    desk.add(email=MAILBOX)
    desk.clock.advance(HOUR)
    for step in steps:
        step(desk)
        desk.run(16, every=8)
        desk.clock.advance(HOUR)
    desk.run(16, every=8)

    message = next(m for m in desk.messages() if m.ts == the(desk, kind).delivery.ts)
    first = re.sub(r"<!date\^[^>]*>", "AT", message.text).split("\n")[0]
    assert first == line
    # Screen readers and notifications read the text alone, so it has all that the blocks have.
    for block in message.blocks:
        if block["type"] == "section":
            assert block["text"]["text"] == message.text
    assert ("No more texts will be sent" in message.text) == ("No more texts" in first)


def test_an_unknown_number_that_comes_back_still_needs_a_manager(bench: Bench) -> None:
    bench.take(reply("STOP", "+12125550167"))
    bench.run()
    bench.take(reply("UNSTOP", "+12125550167"))
    bench.run()
    first = re.sub(r"<!date\^[^>]*>", "AT", bench.message().text).split("\n")[0]

    assert first == (
        "🟡 *Came back AT with UNSTOP, still needs a manager:* no contact has number ending 0167. "
        "Whoever is added with this number gets texts after a manager approves."
    )


# The person who asked, in their direct messages

TOLD = "re-opt-in request for Ana Gómez, number ending 0100"
TOLD_FIRST_LINES: list[tuple[str, list[Step], str]] = [
    (
        "approved",
        [SMS, approved],
        f"🟡 <@{LEE}> approved your {TOLD} (SMS) AT. Still missing: Contact texts UNSTOP to {TO}.",
    ),
    (
        "done",
        [SMS, approved, UNSTOP],
        "✅ SMS On is YES for Ana Gómez, number ending 0100: texts are sent again. "
        f"<@{LEE}> approved your re-opt-in request AT.",
    ),
    (
        "opted out again",
        [SMS, approved, UNSTOP, no_texts],
        "🔴 Ana Gómez, number ending 0100 opted out of texts again AT. No more texts are sent.",
    ),
    ("denied", [SMS, denied], f"🔴 <@{LEE}> denied your {TOLD} (SMS) AT."),
    ("expired", [SMS, expired], f"⚪ Your {TOLD} (SMS) expired after two weeks."),
    (
        "overtaken",
        [SMS, STOP],
        "🔴 Ana Gómez, number ending 0100 opted out of texts again, so your re-opt-in request "
        "ended.",
    ),
    (
        "reminded",
        [SMS, approved, lambda desk: desk.clock.advance(timedelta(days=2))],
        "⏰ Ana Gómez, number ending 0100 still gets no texts. Still missing: Contact texts UNSTOP "
        f"to {TO}.",
    ),
]


@pytest.mark.parametrize(
    ("steps", "line"),
    [row[1:] for row in TOLD_FIRST_LINES],
    ids=[row[0] for row in TOLD_FIRST_LINES],
)
def test_a_direct_message_names_the_contact_and_the_present_state(
    desk: Bench, steps: list[Step], line: str
) -> None:
    desk.add()
    for step in (STOP, *steps):
        step(desk)
        desk.run(16, every=8)
        desk.clock.advance(HOUR)
    desk.run(16, every=8)
    messages = desk.workspace.person("Ana").dms()

    assert {message.user for message in messages} != {ANA}
    firsts = [re.sub(r"<!date\^[^>]*>", "AT", m.text).split("\n")[0] for m in messages]
    assert firsts[-1] == line
    assert all(message.buttons == ["View"] for message in messages)
    # Earlier messages do not go on saying what was true once.
    assert not any("Still missing" in first for first in firsts if "Still missing" not in line)


def test_who_may_no_longer_look_contacts_up_reads_no_name(desk: Bench) -> None:
    desk.add()
    STOP(desk)
    desk.run()
    desk.clock.advance(HOUR)
    SMS(desk)
    desk.run()
    desk.workspace.make_guest("Ana")
    approved(desk)
    desk.run()
    (message,) = desk.workspace.person("Ana").dms()

    assert "number ending 0100" in message.text
    assert "Gómez" not in message.plain + message.text
    assert message.buttons == []
