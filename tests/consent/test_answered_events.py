"""Events of Slack that were answered: once by all replicas, and forgotten after a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from bot.consent.use_cases.answered_events import KEEP_EVENTS, MOST_IN_A_VALUE, claim_event
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.key_values import read_values
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import open_service
from tests.support.storages import KINDS, forget, path_in


@pytest.fixture(params=KINDS)
def service(tmp_path: Path, clock: Stopped, request: pytest.FixtureRequest) -> Iterator[Service]:
    path = path_in(tmp_path, request.param)
    opened = open_service(path, clock)
    yield opened
    opened.store.close()
    forget(path)


def test_an_event_is_claimed_once_and_forgotten_after_a_while(
    service: Service, clock: Stopped
) -> None:
    assert claim_event(service, "Ev1")
    assert not claim_event(service, "Ev1")
    assert claim_event(service, "Ev2")
    clock.advance(KEEP_EVENTS - timedelta(seconds=1))
    assert not claim_event(service, "Ev1")
    clock.advance(timedelta(seconds=1))

    assert claim_event(service, "Ev1")


def test_of_several_replicas_one_claims_it(service: Service) -> None:
    won: list[bool] = []
    threads = [Thread(target=lambda: won.append(claim_event(service, "Ev1"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [False, False, False, True]


def test_only_the_newest_are_remembered(service: Service, clock: Stopped) -> None:
    for number in range(300):
        clock.advance(timedelta(seconds=1))
        assert claim_event(service, f"Ev{number}{'x' * 100}")
    assert not claim_event(service, f"Ev299{'x' * 100}")
    stored = read_values(service, "events:")

    assert len(stored) <= 64
    assert max(len(text) for text in stored.values()) < MOST_IN_A_VALUE * 100
