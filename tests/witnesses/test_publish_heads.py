"""When the head of the log is published, and what is found when the log and a witness differ."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.errors import Corrupt
from bot.consent.log.heads import LogHead
from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change
from bot.consent.use_cases.log_tree import grow_tree, present_head
from bot.consent.use_cases.witnessed_heads import check_heads, head_now
from bot.runtime.clock import Stopped
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.publish_heads import EVERY, HeadPublisher
from tests.support.consent_fixtures import AGENT

pytestmark = pytest.mark.every_storage


@pytest.fixture
def file(tmp_path: Path) -> FileWitness:
    return FileWitness(tmp_path / "log-heads.txt", "file")


@pytest.fixture
def publisher(service: Service, file: FileWitness) -> HeadPublisher:
    return HeadPublisher(service, [file])


def grow(service: Service, name: str = "Ana") -> None:
    contact = add(service, Details(name=name, email=f"{name.lower()}@example.com"), AGENT)
    change(service, contact.id, StatusUpdate(email=ConsentValue.YES, evidence="web form"), AGENT)


def head_of(service: Service) -> LogHead:
    with service.store.reading() as records:
        return present_head(records, service.now())


def test_head_is_published_daily_while_the_log_grows(
    service: Service, clock: Stopped, publisher: HeadPublisher, file: FileWitness
):
    assert publisher.publish_due() == 0
    grow(service)
    assert publisher.publish_due() == 1
    first = file.newest()
    grow(service, "Béa")
    clock.advance(EVERY - timedelta(seconds=1))
    assert publisher.publish_due() == 0
    clock.advance(timedelta(seconds=1))
    assert publisher.publish_due() == 1
    clock.advance(EVERY * 2)
    assert publisher.publish_due() == 0

    assert file.remembered() == [first, replace(head_of(service), at=file.newest().at)]
    assert check_heads(service, file.remembered()) is None


def test_stop_publishes_what_the_witness_does_not_know(
    service: Service, publisher: HeadPublisher, file: FileWitness
):
    grow(service)
    publisher.publish_due()
    assert publisher.publish_now() == 0
    grow(service, "Béa")
    assert publisher.publish_now() == 1

    assert file.newest() == head_of(service)


def test_clock_that_was_set_back_makes_no_witness_wait(
    service: Service, clock: Stopped, publisher: HeadPublisher
):
    grow(service)
    publisher.publish_due()
    grow(service, "Béa")
    clock.advance(-EVERY)

    assert publisher.publish_due() == 1


def test_witness_that_fails_holds_up_no_other(
    service: Service, file: FileWitness, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    missing = FileWitness(tmp_path / "none" / "log-heads.txt", "missing")
    grow(service)
    with caplog.at_level(logging.WARNING):
        assert HeadPublisher(service, [missing, file]).publish_due() == 1

    assert "the witness missing has no new head: " in caplog.text
    (tmp_path / "none").mkdir()
    assert HeadPublisher(service, [missing, file]).publish_due() == 1


def test_log_that_grew_agrees_with_every_head(service: Service):
    heads = []
    for number in range(5):
        grow(service, f"Ana{number}")
        heads.append(head_of(service))

    assert check_heads(service, heads) is None


def test_first_head_that_the_log_contradicts_is_named(service: Service):
    grow(service)
    good = head_of(service)
    wrong = {
        replace(good, log="ff" * 16): "is the head of another log.",
        replace(good, size=9): "does not hold: the log ends at entry 2.",
        replace(good, chain="ff" * 32): "does not hold: entry 2 or one before it was changed.",
        replace(
            good, root="ff" * 32
        ): "does not hold: its root is not that of the first 2 entries.",
    }
    for head, problem in wrong.items():
        found = check_heads(service, [good, head, replace(good, size=99)])
        when = "published on 3 Nov 2026 at 14:02 UTC,"
        assert found == f"The head of entry {head.size}, {when} {problem}"


def test_storage_without_entries_contradicts_every_head(service: Service):
    head = LogHead(log="0a" * 16, size=1, chain="1b" * 32, root="2c" * 32, at=service.now())

    assert str(check_heads(service, [head])).endswith("does not hold: the log has no entries.")


def test_log_that_was_written_anew_is_published_and_said(
    service: Service,
    publisher: HeadPublisher,
    file: FileWitness,
    caplog: pytest.LogCaptureFixture,
):
    grow(service)
    file.publish(replace(head_of(service), chain="ff" * 32))
    with caplog.at_level(logging.ERROR):
        assert publisher.publish_now() == 1

    assert "the log contradicts the witness file: The head of entry 2," in caplog.text
    assert file.newest() == head_of(service)


def test_root_of_a_damaged_tree_is_not_published(
    service: Service, publisher: HeadPublisher, file: FileWitness
):
    for number in range(130):
        grow(service, f"Ana{number}")
    publisher.publish_now()
    assert grow_tree(service) == 0
    grow(service)
    with service.store.transaction() as records:
        records.key_value.put("log-tree:1:0", "00" * 32)

    with pytest.raises(Corrupt, match="published for entry 260"):
        publisher.publish_now()
    with pytest.raises(Corrupt):
        head_now(service, file.remembered())
