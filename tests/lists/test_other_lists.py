"""Lists that are suddenly others: another account's, or emptied at the provider."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.errors import Refused
from bot.consent.use_cases import change
from bot.consent.use_cases.lists.list_alerts import ListNews, ListNewsKind, news_of
from bot.consent.use_cases.lists.list_state import confirm_writes, read_state
from tests.support.consent_fixtures import AGENT, MANAGER
from tests.support.list_fixtures import BY_PHONE, EVERY, Lists, ana, check, with_lists

DAY = timedelta(days=1)


def test_other_lists_that_a_person_confirmed_are_believed(lists: Lists) -> None:
    for number in range(20):
        contact = ana(lists, f"Contact {number}", email=f"c{number}@example.com")
        change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    lists.sendgrid.entries.clear()
    lists.clock.advance(DAY)
    assert lists.read().other_lists
    lists.clock.advance(timedelta(hours=1))
    confirm_writes(lists.service, "sendgrid", MANAGER)
    lists.clock.advance(DAY)
    end = lists.read()

    assert not end.other_lists
    assert read_state(lists.service, "sendgrid").confirmed
    lists.work_until_done()
    assert len(lists.sendgrid.addresses) == 20
    # Emptied once more, they are not believed again.
    lists.clock.advance(DAY)
    lists.read()
    lists.sendgrid.entries.clear()
    lists.clock.advance(DAY)
    assert lists.read().other_lists
    check(lists)


def test_other_lists_are_confirmed_without_a_write_where_nothing_is_written(
    lists: Lists,
) -> None:
    for number in range(20):
        ana(lists, f"Contact {number}", email=f"c{number}@example.com")
        lists.sendgrid.put(f"c{number}@example.com")
    lists.read()
    writing = lists.service
    reads_only = EVERY.read_only()
    lists.service = with_lists(lists.service, dict.fromkeys(lists.by_name, reads_only))
    with pytest.raises(Refused, match="OPTIN_WRITE_BACK"):
        confirm_writes(lists.service, "sendgrid", MANAGER)
    lists.sendgrid.entries.clear()
    lists.clock.advance(DAY)
    assert lists.read().other_lists
    (asked,) = (news for news in list_news(lists) if news.kind is ListNewsKind.OTHER_LISTS)
    assert not asked.writes
    confirm_writes(lists.service, "sendgrid", MANAGER)
    confirm_writes(lists.service, "sendgrid", MANAGER)
    state = read_state(lists.service, "sendgrid")
    assert (state.confirmed, state.others_confirmed_by) == (False, MANAGER.id)
    lists.clock.advance(DAY)
    end = lists.read()

    assert (end.other_lists, len(end.to_look_up)) == (False, 20)
    assert lists.blocks("c1@example.com") == {}
    # Switched on later, the first write still waits for a person.
    assert not read_state(writing, "sendgrid").confirmed
    check(lists)


def list_news(lists: Lists) -> list[ListNews]:
    with lists.service.store.reading() as records:
        return [news_of(one) for one in records.outbox.all() if one.kind is AlertKind.LISTS]


def test_another_key_asks_for_no_confirmation_where_nothing_is_written(lists: Lists) -> None:
    reads_only = EVERY.__class__(shows=EVERY.shows, shows_scopes=True)
    lists.service = with_lists(lists.service, dict.fromkeys(lists.by_name, reads_only))
    with lists.service.store.reading() as records:
        before = {alert.id: alert.text for alert in records.outbox.all()}
    lists.read(account="another")

    with lists.service.store.reading() as records:
        assert {alert.id: alert.text for alert in records.outbox.all()} == before
