"""The outbox shared by replicas: what one has claimed the others are not given, and nobody waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.consent.alerts import Alert, AlertKind, DeliveryState, revise
from bot.consent.store import Store
from bot.consent.use_cases import Service
from bot.consent.use_cases.alerts.outbox import LOOK_AFTER, claim, outbox
from bot.consent.use_cases.alerts.settle import Posting, Result, settle
from bot.runtime.clock import Stopped
from storage import open_store
from tests.support.consent_fixtures import NOW, open_service
from tests.support.storages import path_in, url_of
from tests.support.store_fixtures import NOON, OPEN, contact, entry

pytestmark = pytest.mark.every_storage


def alert(id: str, **fields: object) -> Alert:
    known: dict[str, object] = {
        "id": id,
        "key": id,
        "kind": AlertKind.STOP,
        "slack_channel": "C1",
        "first_at": NOON,
        "last_at": NOON,
    }
    return Alert(**known | fields)  # type: ignore[arg-type]


def delivered(alert: Alert, **fields: object) -> Alert:
    return replace(alert, delivery=replace(alert.delivery, **fields))  # type: ignore[arg-type]


def put(store: Store, *alerts: Alert) -> None:
    with store.transaction() as records:
        for one in alerts:
            records.outbox.put(one)


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """On PostgreSQL: elsewhere one process writes at a time, and the others wait their turn."""
    url = url_of(path_in(tmp_path, "postgresql"))
    with closing(open_store(url)) as one, closing(open_store(url)) as other:
        yield one, other


def test_while_one_claims_the_other_is_given_nothing_and_does_not_wait(
    replicas: tuple[Store, Store],
) -> None:
    one, other = replicas
    put(one, *(alert(f"a{n}", slack_channel=f"C{n}") for n in range(2)))
    with one.transaction() as mine:
        (claimed,) = mine.outbox.due(NOON, limit=1)
        with other.transaction() as theirs:
            meanwhile = theirs.outbox.due(NOON, limit=9)
            with pytest.raises(RuntimeError):
                theirs.key_value.put("last call:C0", "theirs")
        mine.outbox.put(delivered(claimed, not_before=NOON + LOOK_AFTER))
        mine.key_value.put("last call:C0", "mine")
    with other.transaction() as theirs:
        after = theirs.outbox.due(NOON, limit=9)
        mark = theirs.key_value.get("last call:C0")

    assert meanwhile == []
    assert [found.id for found in after] == ["a1"]
    assert mark == "mine"


def test_claiming_waits_for_nobody_who_writes(replicas: tuple[Store, Store]) -> None:
    one, other = replicas
    put(one, alert("a1"), alert("a2", slack_channel="C2"))
    with one.transaction() as writing:
        writing.contacts.put(contact())
        writing.log.append(entry())
        changed = writing.outbox.get("a1")
        assert changed is not None
        writing.outbox.put(replace(changed, count=2))
        with other.transaction() as claiming:
            claimed = claiming.outbox.due(NOON, limit=9)
            claiming.outbox.put(delivered(claimed[0], state=DeliveryState.SENDING))

        assert [found.id for found in claimed] == ["a2"]


def test_what_is_told_meanwhile_does_not_undo_a_claim(replicas: tuple[Store, Store]) -> None:
    one, other = replicas
    put(one, alert("a1"))
    found: list[Alert | None] = []

    def tell() -> None:
        with other.transaction() as records:
            known = records.outbox.newest_for("a1")
            assert known is not None
            records.outbox.put(revise(known, count=known.count + 1))
        found.append(known)

    with one.transaction() as records:
        (claimed,) = records.outbox.due(NOON, limit=9)
        telling = threading.Thread(target=tell)
        telling.start()
        records.outbox.put(delivered(claimed, state=DeliveryState.SENDING, attempts=1))
    telling.join()

    assert found[0] is not None
    assert found[0].delivery.state is DeliveryState.SENDING
    with one.reading() as records:
        kept = records.outbox.get("a1")
        assert kept is not None
        assert kept.delivery.state is DeliveryState.SENDING
        assert (kept.delivery.attempts, kept.count) == (1, 2)


def test_a_transaction_that_claims_does_nothing_else(replicas: tuple[Store, Store]) -> None:
    one, _ = replicas
    put(one, alert("a1"))
    with one.transaction() as records:
        records.outbox.due(NOON, limit=9)
        for other in (
            lambda: records.contacts.put(contact()),
            lambda: records.log.append(entry()),
            lambda: records.events.remember("twilio:1"),
            lambda: records.outbox.get("a1"),
            lambda: list(records.key_value.all()),
        ):
            with pytest.raises(RuntimeError):
                other()


def test_replicas_share_the_work_and_nothing_is_told_twice(storage_path: Path) -> None:
    """Each alert is in a Slack channel of its own, so that nothing but the claims keeps them
    apart."""
    services = [open_service(storage_path, Stopped(NOW)) for _ in range(3)]
    put(services[0].store, *(alert(f"a{n}", slack_channel=f"C{n}") for n in range(60)))
    told: list[str] = []

    def work(service: Service) -> None:
        while outbox(service).waiting:
            if one := claim(service, OPEN):
                told.append(one.id)
                settle(service, one, Posting(result=Result.SENT, ts=f"1.{one.id}"))

    with ThreadPoolExecutor(len(services)) as pool:
        list(pool.map(work, services))
    for service in services:
        service.store.close()

    assert Counter(told) == Counter(f"a{n}" for n in range(60))


def test_who_dies_with_a_claim_is_followed_by_another(storage_path: Path) -> None:
    clock = Stopped(NOW)
    dead, heir = (open_service(storage_path, clock) for _ in range(2))
    put(dead.store, alert("a1"))
    claimed = claim(dead, OPEN)
    dead.store.close()

    assert claimed is not None
    assert claim(heir, OPEN) is None
    clock.advance(LOOK_AFTER)
    taken = claim(heir, OPEN)
    assert taken is not None
    assert (taken.id, taken.delivery.attempts) == (claimed.id, 2)
    assert taken.delivery.state is DeliveryState.UNKNOWN
    heir.store.close()
