"""What must not leak by the ways to a contact beside the command: into logs, into buttons and
modals, into the channel."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.slack.sealed_values import LONGEST_LIST, Drafts
from sandbox.client import PersonClient, ShownMessage
from sandbox.first_workspace import SUPPORT
from tests.support.canaries import CANARIES, EMAIL, NAME, PHONES, carried_by
from tests.support.slack_fixtures import MANIFEST, Slack, started

UNHELD = "+1 212 555 0168"


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=MANIFEST) as slack:
        slack.add(NAME, phone=PHONES[0], email=EMAIL)
        yield slack


def _tour(slack: Slack) -> Iterator[Any]:
    """Every door with a contact who has something to hide; what is shown, and what is sent."""
    ana = slack.person("Ana")
    for text in (f"{PHONES[0]} {UNHELD}", EMAIL, UNHELD, f"x{EMAIL}"):
        ana.say(text)
        ticket = ana.messages()[-1]
        ana.shortcut("check_message", ticket)
        slack.workspace.wait_until(lambda: ana.modal is not None)
        yield ana.modal
        ana.close(whole=True)
        for said in (f"@optin {text}", "@optin"):
            yield _answer(slack, ana, said, "#support", ticket.raw["ts"])
        yield _answer(slack, ana, text, "directmessage", None)
    # What fails, too; nobody has asked who these two are so far.
    for kind, name in (("server_error", "Ben"), ("close_after_accept", "Lee")):
        for method in ("users.info", "conversations.info", "chat.postEphemeral"):
            _fail(slack, name, method, kind)
    for line in slack.workspace.journal():
        if line["direction"] == "in":
            yield line["args"]


def _fail(slack: Slack, name: str, method: str, kind: str) -> None:
    before = len(slack.workspace.journal(method))
    slack.workspace.fault(method, kind)
    slack.person(name).say(f"@optin {EMAIL}")
    slack.workspace.wait_until(lambda: len(slack.workspace.journal(method)) > before)
    slack.workspace.clear_faults()


def _answer(
    slack: Slack, ana: PersonClient, text: str, channel: str, thread: str | None
) -> ShownMessage:
    before = len(ana.messages(channel))
    ana.say(text, channel, thread_ts=thread)
    slack.workspace.wait_until(lambda: len(ana.messages(channel)) > before + 1)
    return ana.messages(channel)[-1]


def test_no_log_record_at_any_level_holds_a_word_of_a_contact(
    slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    for _ in _tour(slack):
        pass

    format_ = logging.Formatter("%(message)s").format
    leaks = {
        (record.name, format_(record))
        for record in caplog.records
        # Whoever reads the workspace's own frames sees what people see.
        if not record.name.startswith("websockets")
        and any(canary in format_(record).casefold() for canary in CANARIES)
    }
    assert leaks == set()


def test_no_button_and_no_modal_carries_a_number_or_an_address(slack: Slack) -> None:
    carried = [
        text
        for shown in _tour(slack)
        if shown is not None
        for text in carried_by(shown if isinstance(shown, dict) else shown.raw)
    ]

    assert len(carried) > 50
    assert [text for text in carried if any(c in text.casefold() for c in CANARIES)] == []
    assert not [text for text in carried if "0168" in text]


def test_nothing_of_a_contact_is_ever_posted_to_the_channel(slack: Slack) -> None:
    for _ in _tour(slack):
        pass

    posted = [
        line["args"]
        for line in slack.workspace.journal("chat.postMessage")
        if line["args"].get("channel") == SUPPORT
    ]
    assert posted == []
    seen = json.dumps([one.raw for one in slack.person("Ben").messages() if "OPTINBOT" in one.user])
    assert not any(canary in seen.casefold() for canary in CANARIES)


@pytest.mark.parametrize("count", [1, 10, 200])
def test_a_sealed_list_opens_again_and_fits_into_a_modal(count: int) -> None:
    drafts = Drafts(b"k" * 32)
    numbers = [f"+1212555{7919 * n % 10_000:04}" for n in range(count)]

    sealed, kept = drafts.seal_list(numbers)

    assert (list(drafts.open_list(sealed)), kept) == (numbers, count)
    assert len(sealed) <= LONGEST_LIST


def test_a_list_that_is_too_long_keeps_its_beginning() -> None:
    drafts = Drafts(b"k" * 32)
    long = [f"{n * 7919:x}{'é' * 60}{n}@example{n * 104729}.com" for n in range(200)]

    sealed, kept = drafts.seal_list(long)

    assert 20 < kept < 200
    assert list(drafts.open_list(sealed)) == long[:kept]


def test_what_was_sealed_for_something_else_is_no_list() -> None:
    drafts = Drafts(b"k" * 32)

    assert drafts.open_list(drafts.seal(phone="+14155550100") or "") == ()
    assert drafts.open_list("rubbish") == ()
    assert drafts.open_list(Drafts(b"x" * 32).seal_list(["+1"])[0]) == ()
    assert drafts.open(drafts.seal_list(["+14155550100"])[0]) == {}
