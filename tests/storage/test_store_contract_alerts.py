"""What every storage does with alerts, marks and the ids of events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.consent.alerts import (
    Alert,
    AlertKind,
    Delivery,
    DeliveryState,
)
from bot.consent.store import Store
from tests.support.store_fixtures import FULL_ALERT, NOON, Opened, alert

MINUTE = timedelta(minutes=1)


def put(store: Store, *alerts: Alert) -> None:
    with store.transaction() as records:
        for one in alerts:
            records.outbox.put(one)


def due(store: Store, **asked: object) -> list[str]:
    with store.reading() as records:
        found = records.outbox.due(**{"now": NOON, "limit": 10} | asked)  # type: ignore[arg-type]
        return [alert.id for alert in found]


def test_an_alert_comes_back_as_it_was_put(opened: Opened) -> None:
    put(opened.open(), FULL_ALERT)
    with opened.open().reading() as records:
        assert records.outbox.get("full") == FULL_ALERT
        assert list(records.outbox.all()) == [FULL_ALERT]
        assert records.outbox.get("another") is None


def test_the_newest_alert_of_a_key_is_found(store: Store) -> None:
    put(store, alert("a1", key="k"), alert("a2", key="k"), alert("a3", key="other"))
    put(store, alert("a1", key="k", count=2))
    with store.reading() as records:
        newest = records.outbox.newest_for("k")
        assert newest is not None
        assert newest.id == "a2"
        assert records.outbox.newest_for("none") is None


def test_a_removed_alert_is_gone(opened: Opened) -> None:
    store = opened.open()
    put(store, alert("a1", key="k"), alert("a2", key="k"))
    with store.transaction() as records:
        records.outbox.remove("a2")
        records.outbox.remove("a2")
    for looking in (store, opened.open()):
        with looking.reading() as records:
            found = records.outbox.newest_for("k")
            assert found is not None
            assert found.id == "a1"
            assert records.outbox.get("a2") is None
        assert due(looking) == ["a1"]


def test_reviews_are_found_among_all_alerts(opened: Opened) -> None:
    kept = [
        alert(f"r{n:04}", key=f"review:r{n:04}", kind=AlertKind.REVIEW, count=n + 1)
        for n in range(1_200)
    ]
    others = [alert(key, key=key) for key in ("revie", "review", "review;", "reviews:r1", "stop:r")]
    put(opened.open(), *others, *kept)
    with opened.open().transaction() as records:
        records.outbox.remove("r0000")
        changed = replace(kept[1], count=99)
        records.outbox.put(changed)
        assert list(records.outbox.reviews()) == [changed, *kept[2:]]

    for looking in (opened.open(), opened.open()):
        with looking.reading() as records:
            assert list(records.outbox.reviews()) == [changed, *kept[2:]]


def test_urgent_ones_come_first_and_then_the_oldest(opened: Opened) -> None:
    put(
        opened.open(),
        alert("new", first_at=NOON + MINUTE),
        alert("old"),
        alert("stop", kind=AlertKind.STOP, first_at=NOON + MINUTE),
    )

    assert due(opened.open()) == ["stop", "old", "new"]
    assert due(opened.open(), limit=2) == ["stop", "old"]


@pytest.mark.parametrize(
    ("delivery", "is_due"),
    [
        ({}, True),
        ({"not_before": NOON}, True),
        ({"not_before": NOON + MINUTE}, False),
        ({"desired_version": 2, "posted_version": 2}, False),
        ({"desired_version": 3, "posted_version": 2, "state": DeliveryState.SENT}, True),
        ({"state": DeliveryState.DEAD}, False),
        ({"state": DeliveryState.SENDING}, True),
        ({"desired_version": 0}, False),
    ],
)
def test_what_is_due(opened: Opened, delivery: dict[str, Any], is_due: bool) -> None:
    """Also for a storage that was opened after it, and one that had it in another state before."""
    store = opened.open()
    put(store, alert(delivery=Delivery(state=DeliveryState.DEAD)))
    put(store, alert(delivery=Delivery(**delivery)))

    assert due(store) == due(opened.open()) == (["a1"] if is_due else [])


def test_channels_can_be_left_out(store: Store) -> None:
    put(store, alert("a1"), alert("a2", slack_channel="C2"))

    assert due(store, except_in={"C1"}) == ["a2"]


def test_the_outbox_says_how_it_stands(opened: Opened) -> None:
    put(
        opened.open(),
        alert("sent", delivery=Delivery(posted_version=1)),
        alert("late", last_at=NOON - MINUTE),
        alert("waits", last_at=NOON - MINUTE * 9, delivery=Delivery(not_before=NOON + MINUTE)),
        alert("dead", delivery=Delivery(state=DeliveryState.DEAD)),
        alert("paused", last_at=NOON - MINUTE * 9, slack_channel="C2"),
    )
    with opened.open().reading() as records:
        assert records.outbox.backlog(NOON) == (3, NOON - MINUTE * 9, 1)
        assert records.outbox.backlog(NOON, except_in={"C2"}) == (3, NOON - MINUTE, 1)
        assert records.outbox.backlog(NOON - MINUTE * 10) == (3, None, 1)


def test_what_fails_leaves_the_outbox_as_it_was(store: Store) -> None:
    put(store, alert("a1"))
    with suppress(ZeroDivisionError), store.transaction() as records:
        records.outbox.put(alert("a2"))
        records.outbox.put(replace(alert("a1"), delivery=Delivery(posted_version=1)))
        records.key_value.put("cursor", "7")
        records.events.remember("twilio:SM1")
        raise ZeroDivisionError

    assert due(store) == ["a1"]
    with store.reading() as records:
        assert records.key_value.get("cursor") is None
        assert not records.events.seen("twilio:SM1")
        assert records.outbox.newest_for("stop:a2") is None


def test_a_mark_is_kept_and_taken_away(opened: Opened) -> None:
    store = opened.open()
    with store.transaction() as records:
        records.key_value.put("cursor", "7")
        records.key_value.put("other", "")
        records.key_value.put("cursor", "8")
        assert records.key_value.get("cursor") == "8"
    with opened.open().transaction() as records:
        assert (records.key_value.get("cursor"), records.key_value.get("other")) == ("8", "")
        records.key_value.put("cursor", None)
        records.key_value.put("never", None)
    with store.reading() as records:
        assert records.key_value.get("cursor") is None


def test_who_claims_alerts_reads_and_keeps_marks_with_them(opened: Opened) -> None:
    """An alert and the word that it is being told are stored together, or neither is."""
    store, other = opened.open(), opened.open()
    put(store, alert("a1"))
    with store.transaction() as records:
        records.key_value.put("limited", "7")
    with suppress(ZeroDivisionError), store.transaction() as records:
        (claimed,) = records.outbox.due(NOON, limit=9)
        records.outbox.put(replace(claimed, count=9))
        records.key_value.put("last call", "never made")
        raise ZeroDivisionError
    for looking, before in ((store, None), (other, "1")):
        with looking.transaction() as records:
            (claimed,) = records.outbox.due(NOON, limit=9)
            assert (records.key_value.get("last call"), records.key_value.get("limited")) == (
                before,
                "7",
            )
            records.outbox.put(replace(claimed, count=claimed.count + 1))
            records.key_value.put("last call", str(claimed.count))
            assert records.key_value.get("last call") == str(claimed.count)

    with store.reading() as records:
        assert records.key_value.get("last call") == "2"
        assert records.outbox.get("a1") == alert("a1", count=3)


def test_an_event_is_seen_once_it_is_remembered(opened: Opened) -> None:
    ids = [f"twilio:SM{number}" for number in range(500)]
    with opened.open().transaction() as records:
        for id in ids:
            assert not records.events.seen(id)
            records.events.remember(id)
            assert records.events.seen(id)
        records.events.remember(ids[0])
    with opened.open().reading() as records:
        assert all(records.events.seen(id) for id in ids)
        assert not any(records.events.seen(f"telnyx:SM{number}") for number in range(500))
        assert records.events.seen("telnyx:SM1", ids[1])
        assert not records.events.seen("telnyx:SM1", "telnyx:SM2")


def test_an_id_with_half_a_character_is_remembered_all_the_same(store: Store) -> None:
    with store.transaction() as records:
        records.events.remember("twilio:\ud800")
    with store.reading() as records:
        assert records.events.seen("twilio:\ud800")


def test_events_are_told_by_their_fingerprints(opened: Opened) -> None:
    with opened.open().transaction() as records:
        for number in range(50):
            records.events.remember(f"twilio:SM{number}")
        fingerprints = list(records.events.all())
        records.events.put("0" * 28)
        records.events.put(fingerprints[0])

    with opened.open().reading() as records:
        assert list(records.events.all()) == sorted({"0" * 28, *fingerprints})
        assert len(fingerprints) == 50
        assert {len(one) for one in fingerprints} == {28}


def test_marks_are_told_with_their_names(store: Store) -> None:
    with store.transaction() as records:
        records.key_value.put("b", "2")
        records.key_value.put("a", "")
        records.key_value.put("c", "3")
        records.key_value.put("c", None)

        assert list(records.key_value.all()) == [("a", ""), ("b", "2")]


def test_alerts_come_in_the_order_in_which_they_came(opened: Opened) -> None:
    store = opened.open()
    put(store, alert("z"), alert("b"))
    put(store, alert("a"), alert("z", count=2))

    for looking in (store, opened.open()):
        with looking.reading() as records:
            assert [one.id for one in records.outbox.all()] == ["z", "b", "a"]
