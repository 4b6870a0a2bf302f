"""When nothing can be stored: a sentence, no traceback, and afterwards nothing is different."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.consent.model import ConsentValue
from sandbox.client import PersonClient
from tests.support.slack_fixtures import Slack, card, opened
from tests.support.storages import KIND


@contextmanager
def full_disk(slack: Slack) -> Iterator[None]:
    """No file of this process can grow: what a full disk does, for root, too."""
    if KIND == "postgresql":
        pytest.skip("PostgreSQL writes in a process of its own (test_sql_faults.py)")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_a_sentence_and_what_was_typed_is_kept(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    head = slack.head()

    with full_disk(slack):
        refused = "".join(ana.submit().errors.values())

    assert "nothing was changed" in refused
    assert "Traceback" not in refused
    assert slack.head() == head
    assert slack.on("ana@example.com")[0] is ConsentValue.YES

    assert opened(ana, ana.submit()).title == "Saved"
    assert slack.on("ana@example.com")[0] is ConsentValue.NO
    assert slack.problems() is None


def test_a_full_disk_is_a_sentence_for_a_click_too(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()
    head = slack.head()

    with full_disk(slack):
        told = opened(ana, ana.press("Undo"))

    assert "nothing was changed" in told.plain
    assert slack.head() == head


def test_looking_up_goes_on_while_the_disk_is_full(slack: Slack, ana: PersonClient) -> None:
    with full_disk(slack):
        card(ana, "ana@example.com")
        assert opened(ana, ana.press("Activity")).title == "Activity Log"
