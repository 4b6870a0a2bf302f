"""Pages of the Activity Log: full ones, without what tells nothing new."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, Contact
from bot.consent.use_cases import (
    LogPage,
    Service,
    contact_log,
    note,
    profile,
    recent_log,
)
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT
from tests.support.take_fixtures import delivered, failed, mailed, tell, text

MINUTE = timedelta(minutes=1)
OFF = {"code": "30003", "meaning": "The handset is off or out of reach."}


def _fails(service: Service, clock: Stopped, times: int) -> None:
    for _ in range(times):
        clock.advance(MINUTE)
        tell(service, failed(Failure.SOFT, **OFF))


def _said(page: LogPage) -> list[tuple[EntryKind, int, bool]]:
    return [(line.entry.kind, line.times, line.more) for line in page.lines]


def test_failures_that_changed_nothing_are_one_line(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    _fails(alerting, clock, 4)
    _, page = contact_log(alerting, subscriber.id, AGENT, limit=1)

    assert _said(page) == [(EntryKind.BOUNCE, 4, False)]
    assert page.lines[0].entry.occurred_at == clock()


def test_what_stands_between_two_failures_parts_them(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    _fails(alerting, clock, 2)
    note(alerting, subscriber.id, "called", AGENT)
    _fails(alerting, clock, 2)
    _, page = contact_log(alerting, subscriber.id, AGENT, limit=3)

    assert _said(page) == [
        (EntryKind.BOUNCE, 2, True),
        (EntryKind.NOTE, 1, False),
        (EntryKind.BOUNCE, 2, False),
    ]


def test_a_stop_that_is_said_again_is_folded_and_the_first_one_stands(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(4):
        clock.advance(MINUTE)
        tell(alerting, text("STOP"))
    _, page = contact_log(alerting, subscriber.id, AGENT, kinds=_OPT_OUTS, limit=2)

    assert _said(page) == [(EntryKind.NOTE, 3, True), (EntryKind.CONSENT, 1, False)]


_OPT_OUTS = (EntryKind.CONSENT, EntryKind.NOTE)


def test_expected_errors_are_hidden_unless_they_are_asked_for(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(timedelta(seconds=2))
    tell(alerting, failed(Failure.OPT_OUT, code="21610"))
    _, page = contact_log(alerting, subscriber.id, AGENT)
    _, asked = contact_log(alerting, subscriber.id, AGENT, kinds=(EntryKind.EXPECTED_ERROR,))
    _, every = contact_log(alerting, subscriber.id, AGENT, every=True)

    assert EntryKind.EXPECTED_ERROR not in {line.entry.kind for line in page.lines}
    assert _said(asked) == [(EntryKind.EXPECTED_ERROR, 1, False)]
    assert every.lines[0].entry.kind is EntryKind.EXPECTED_ERROR


@pytest.mark.parametrize("every", [False, True])
def test_the_pages_are_full_and_hold_each_entry_once(
    alerting: Service, subscriber: Contact, clock: Stopped, every: bool
):
    for number in range(7):
        _fails(alerting, clock, number % 3)
        note(alerting, subscriber.id, f"note {number}", AGENT)
    pages: list[LogPage] = []
    before: int | None = None
    while not pages or before is not None:
        _, page = contact_log(alerting, subscriber.id, AGENT, before=before, limit=3, every=every)
        pages.append(page)
        before = page.older
    all_lines = [line for page in pages for line in page.lines]
    with alerting.store.reading() as records:
        stored = records.log.entries(contact=subscriber.id, limit=100)

    assert [len(page.lines) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert sum(line.times for line in all_lines) == len(stored)
    assert (len(all_lines) == len(stored)) is every


def test_thousands_of_repeats_are_read_in_bounded_pages(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    note(alerting, subscriber.id, "the first", AGENT)
    tell(alerting, text("STOP"), *(text("STOP", id=f"again{n}") for n in range(2_100)))
    _, page = contact_log(alerting, subscriber.id, AGENT, kinds=(EntryKind.NOTE,))
    assert page.older is not None
    _, rest = contact_log(
        alerting, subscriber.id, AGENT, kinds=(EntryKind.NOTE,), before=page.older
    )

    assert _said(page) == [(EntryKind.NOTE, 2_000, True)]
    assert _said(rest) == [(EntryKind.NOTE, 100, True), (EntryKind.NOTE, 1, False)]


def test_recent_folds_each_contact_by_itself(
    alerting: Service, subscriber: Contact, housemate: Contact, clock: Stopped
):
    _fails(alerting, clock, 3)
    page = recent_log(alerting, AGENT, limit=2)

    names = {line.contact and line.contact.id for line in page.lines}
    assert names == {subscriber.id, housemate.id}
    assert [line.times for line in page.lines] == [3, 3]


def test_a_number_that_nobody_has_is_known_by_its_last_digits(alerting: Service):
    tell(alerting, text("STOP", address="+12125550142"))
    page = recent_log(alerting, AGENT)

    assert {line.masked for line in page.lines} == {"ending 0142"}


# The last thing that matters


def _last(service: Service, contact: Contact) -> Entry | None:
    return profile(service, contact.id, AGENT, latest=1).last


def test_after_a_stop_the_last_thing_is_the_stop(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(timedelta(seconds=2))
    tell(alerting, failed(Failure.OPT_OUT, code="21610"))
    last = _last(alerting, subscriber)

    assert last is not None
    assert (last.kind, last.reason) == (EntryKind.CONSENT, "Replied “STOP”")


def test_a_stop_after_an_unstop_is_the_last_thing_again(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for word in ("STOP", "UNSTOP", "STOP"):
        clock.advance(MINUTE)
        tell(alerting, text(word))
    last = _last(alerting, subscriber)

    assert last is not None
    assert (last.kind, last.occurred_at) == (EntryKind.NOTE, clock())


def test_the_last_thing_is_no_failure_that_only_counts(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    note(alerting, subscriber.id, "called", AGENT)
    _fails(alerting, clock, 30)
    last = _last(alerting, subscriber)

    assert last is not None
    assert last.reason == "called"


def test_an_unsubscribe_is_the_last_thing_and_not_the_list_that_it_led_to(
    alerting: Service, subscriber: Contact
):
    tell(alerting, mailed(EventKind.UNSUBSCRIBED))
    last = _last(alerting, subscriber)

    assert last is not None
    assert (last.kind, last.channel) == (EntryKind.CONSENT, Channel.EMAIL)


def test_a_delivery_that_ends_a_bounce_matters(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.HARD, code="30005"))
    clock.advance(MINUTE)
    tell(alerting, delivered(sent_at=clock()))
    last = _last(alerting, subscriber)

    assert last is not None
    assert (last.kind, last.reason) == (EntryKind.BOUNCE, "Delivered")
