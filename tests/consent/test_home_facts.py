"""What a Home is drawn from: look-ups that are stored later, requests, and counted opt-outs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.consent.errors import NotAllowed
from bot.consent.model import Actor, Channel, Role
from bot.consent.use_cases import Details, add, find, write_value
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.home_facts import (
    MOST_RECENT,
    has_home,
    home_facts,
    remember_home,
    store_look_ups,
)
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.opt_out_counts import COUNTS, count_opt_outs, read_counts
from bot.runtime.clock import Stopped
from tests.support.alerts_fixtures import reply
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.storages import KINDS, forget, path_in

ANA = Actor(id="slack:U0ANA", role=Role.AGENT, source="slack")
BEN = Actor(id="slack:U0BEN", role=Role.AGENT, source="slack")


@pytest.fixture(params=KINDS)
def service(tmp_path: Path, clock: Stopped, request: pytest.FixtureRequest) -> Iterator[Service]:
    path = path_in(tmp_path, request.param)
    opened = open_service(path, clock)
    yield opened
    opened.store.close()
    forget(path)


def people(service: Service, count: int) -> list[str]:
    """Their phone numbers."""
    phones = [f"+1415555{number:04}" for number in range(100, 100 + count)]
    for phone in phones:
        add(service, Details(name=f"Person {phone[-4:]}", phone=phone), OPERATOR)
    return phones


def names(service: Service, actor: Actor) -> list[str]:
    return [contact.name for contact in home_facts(service, actor).recent]


def test_the_last_five_look_ups_are_kept_the_newest_first(service: Service) -> None:
    for phone in people(service, MOST_RECENT + 2):
        find(service, phone, ANA)
        store_look_ups(service)
    find(service, "+14155550102", ANA)

    assert names(service, ANA) == [f"Person 0{n}" for n in (102, 106, 105, 104, 103)]
    assert names(service, BEN) == []


def test_a_search_with_several_hits_and_a_programs_look_up_do_not_count(service: Service) -> None:
    people(service, 2)
    find(service, "Person", ANA)
    find(service, "+14155550100", OPERATOR)

    store_look_ups(service)

    assert names(service, ANA) == []
    with service.store.reading() as records:
        assert [name for name, _ in records.key_value.all() if "look-ups" in name] == []


def test_what_could_not_be_stored_is_stored_later(service: Service) -> None:
    first, second = people(service, 2)
    find(service, first, ANA)
    find(service, second, ANA)
    # A transaction inside another is refused, as a storage that is busy refuses.
    with service.store.transaction(), pytest.raises(RuntimeError):
        store_look_ups(service)
    assert len(service.look_ups) == 2
    store_look_ups(service)

    assert not service.look_ups
    assert names(service, ANA) == ["Person 0101", "Person 0100"]


def test_somebody_without_rights_gets_no_facts(service: Service) -> None:
    with pytest.raises(NotAllowed):
        home_facts(service, Actor(id="slack:U0GUS", role=Role.NOBODY, source="slack"))


def test_a_home_is_remembered_once_it_was_opened(service: Service) -> None:
    assert not has_home(service, ANA)
    remember_home(service, ANA)

    assert has_home(service, ANA)
    assert home_facts(service, ANA).opened
    assert not has_home(service, BEN)


def test_opt_outs_are_counted_as_the_log_grows(service: Service, clock: Stopped) -> None:
    first, second = people(service, 2)
    assert home_facts(service, ANA).counts is None
    ingest(service, [reply("STOP", first, occurred_at=clock())])
    assert count_opt_outs(service)
    assert not count_opt_outs(service)
    clock.advance(timedelta(days=1))
    ingest(service, [reply("STOP", second, occurred_at=clock())])
    assert home_facts(service, ANA).outdated
    assert count_opt_outs(service)

    facts = home_facts(service, ANA)
    assert facts.counts is not None
    assert not facts.outdated
    days = facts.counts.days(clock().date(), UTC)
    assert [counts[Channel.SMS] for counts in days.values()] == [0, 0, 0, 0, 0, 1, 1]
    assert all(counts[Channel.EMAIL] == 0 for counts in days.values())


def test_counting_from_the_start_gives_the_same(service: Service, clock: Stopped) -> None:
    for phone in people(service, 3):
        ingest(service, [reply("STOP", phone, occurred_at=clock())])
        count_opt_outs(service)
        clock.advance(timedelta(hours=5))
    one_by_one = stored(service)
    write_value(service, COUNTS, None)
    count_opt_outs(service)

    assert stored(service) == one_by_one


def test_what_is_too_old_is_counted_no_longer(service: Service, clock: Stopped) -> None:
    first, second = people(service, 2)
    ingest(service, [reply("STOP", first, occurred_at=clock())])
    count_opt_outs(service)
    clock.advance(timedelta(days=30))
    ingest(service, [reply("STOP", second, occurred_at=clock())])
    count_opt_outs(service)

    assert len(stored(service)) == 1


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_days_begin_at_midnight_of_the_reader(service: Service, clock: Stopped, zone: str) -> None:
    (phone,) = people(service, 1)
    there = ZoneInfo(zone)
    local = (clock() + timedelta(days=2)).astimezone(there)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    clock.advance(midnight.astimezone(UTC) - clock())
    ingest(service, [reply("STOP", phone, occurred_at=clock())])
    count_opt_outs(service)
    counts = home_facts(service, ANA).counts
    assert counts is not None

    days = counts.days(midnight.date(), there)
    assert [day for day, found in days.items() if found[Channel.SMS]] == [midnight.date()]


def stored(service: Service) -> dict[int, tuple[int, int]]:
    with service.store.reading() as records:
        counts = read_counts(records.key_value.get(COUNTS))
    assert counts is not None
    return dict(counts.quarters)
