"""Socket Mode: the connection breaks before Slack hears the acknowledgement, and Slack sends the
same envelope again. What it asks for is carried out once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.model import ConsentValue
from tests.support.slack_fixtures import Slack, card, opened, started
from tests.support.storages import KINDS


@pytest.fixture(params=KINDS)
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "socket", kind=request.param) as slack:
        yield slack


def test_a_note_whose_acknowledgement_is_lost_is_stored_once(slack: Slack) -> None:
    ana = slack.person("Ana")
    card(ana, "ana@example.com")
    opened(ana, ana.overflow("Add a note"))
    ana.type("Note", "Called her")
    slack.workspace.lose_acknowledgement()
    answer = ana.submit()

    notes = [entry for entry in slack.log() if entry.kind is EntryKind.NOTE]
    assert [note.reason for note in notes if note.reason == "Called her"] == ["Called her"]
    assert "carried out already" in str(answer)
    assert slack.problems() is None


def test_a_change_whose_acknowledgement_is_lost_is_one_change(slack: Slack) -> None:
    ana = slack.person("Ana")
    card(ana, "ana@example.com")
    opened(ana, ana.press("Edit"))
    ana.choose("SMS On", "NO")
    before = slack.find("ana@example.com").version
    slack.workspace.lose_acknowledgement()
    ana.submit()

    assert slack.on("ana@example.com")[0] is ConsentValue.NO
    assert slack.find("ana@example.com").version == before + 1
    assert slack.problems() is None
