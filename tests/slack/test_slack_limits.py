"""Every builder, with the largest and the nastiest contacts, against Slack's documented limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.consent.gates import Code
from bot.consent.log.entries import EntryKind
from bot.consent.model import (
    Channel,
)
from bot.consent.use_cases import (
    Found,
    LogLine,
    LogPage,
    StatusChange,
    UnheldAddress,
    WhoHas,
)
from handlers import vocabulary
from handlers.entry_lines import meanwhile
from handlers.slack.blocks import activity_page
from handlers.slack.blocks.card import card, card_text
from handlers.slack.blocks.details_modal import details_view
from handlers.slack.blocks.edit_modal import edit_modal
from handlers.slack.blocks.formatting import escape, section
from handlers.slack.blocks.found_addresses import FoundListing, found_message, found_modal
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.blocks.saved_modal import saved_modal
from handlers.slack.blocks.search_results import hits, nothing
from handlers.slack.blocks.small_modals import (
    details_modal,
    details_of,
    message_modal,
    mistake_modal,
    note_modal,
    profile_modal,
    search_modal,
)
from handlers.slack.commands import help_blocks
from handlers.slack.sealed_values import LONGEST_LIST
from handlers.slack.workflow_steps.check_status import _REASONS, _outputs
from sandbox.block_kit.check import check_blocks, check_view
from sandbox.mrkdwn import pings
from tests.support.consent_fixtures import PROVIDERS
from tests.support.longest_profiles import AT, NASTY, characters, entry, listed, profile


def views(text: str) -> Iterator[dict[str, Any]]:
    whole = profile(text)
    metadata = Metadata(
        contact="f" * 32,
        version=999_999_999,
        response_url="https://hooks.slack.com/actions/T0ACMESUP/123456789012/abcdefghijklmnopqrst",
        view_id="V0123456789",
        cursors=[10**12] * 100,
        touched=["name", "phone", "email", "company"],
        channel="email",
        kind="expected_error",
    )
    changes = [
        StatusChange(what="SMS On", channel=Channel.SMS, before=text, after=text, undoable=True),
        StatusChange(
            what="Email On", channel=Channel.EMAIL, before="YES", after="NO", undoable=True
        ),
        *(StatusChange(what="Name", channel=None, before=text, after=text) for _ in range(8)),
    ]
    notice = meanwhile(entry(text, 1), AT, PROVIDERS)
    typed = dict.fromkeys(("sms_on", "email_on", "reason", "evidence", "note"), text)
    yield edit_modal(whole, metadata, notice=notice, typed=typed)
    yield profile_modal(whole, metadata)
    yield saved_modal(whole, changes, metadata, notice=notice)
    yield saved_modal(whole, [], metadata)
    yield details_view(whole, metadata)
    yield details_modal(metadata, details_of(whole.contact), adding=False, notice=notice)
    yield details_modal(metadata, {}, adding=True)
    yield note_modal(metadata)
    yield mistake_modal(whole, metadata)
    yield mistake_modal(whole, metadata, notice=notice, typed=typed | {"channel": "email"})
    yield search_modal(metadata)
    yield message_modal(text or "Title", text or "Sentence.")
    for length in (1_300, LONGEST_LIST):
        listing = FoundListing(sealed="s" * length, left_out=999_999, skip=100)
        yield found_modal(who_has(text), lambda _: "d" * 600, listing)
    for kind in EntryKind:
        for times in (1, 10**6):
            page = log_page(text, kind, times)
            yield activity_page.log_modal(whole.contact, page, metadata, PROVIDERS)
    yield activity_page.log_modal(whole.contact, LogPage(lines=()), Metadata(), PROVIDERS)


def log_page(text: str, kind: EntryKind, times: int = 1, **fields: Any) -> LogPage:
    entries = [entry(text, seq, kind) for seq in range(1, activity_page.PAGE + 1)]
    lines = [LogLine(entry=one, times=times, more=True, **fields) for one in entries]
    return LogPage(lines=lines, older=10**12)


def who_has(text: str) -> WhoHas:
    whole = profile(text)
    unheld = [
        UnheldAddress(address="+14155550100", facts=whole.facts[Channel.SMS]),
        UnheldAddress(address=f"{'a' * 64}@{'b' * 180}.example.com", facts=None),
    ]
    return WhoHas(entries=[*[whole] * 8, *unheld], count=200)


def messages(text: str) -> Iterator[list[dict[str, Any]]]:
    whole = profile(text)
    yield card(whole)
    yield card(listed(text))
    yield card(profile(text, phone=None, email=None))
    yield card(profile(text, erased=True))
    yield hits(Found(contacts=[whole] * 10, more=True, count=100))
    yield hits(Found(contacts=[whole] * 10, count=23))
    found = Found(
        contacts=[],
        near=[whole] * 5,
        phone="+14155550100",
        facts=whole.facts[Channel.SMS],
        problem=text,
    )
    yield nothing(found, text, "d" * 32, PROVIDERS)
    yield nothing(Found(contacts=[]), text, None, PROVIDERS)
    listing = FoundListing(sealed="s" * 1_300, left_out=999_999)
    yield found_message(who_has(text), lambda _: "d" * 600, listing)
    yield help_blocks("/optin")
    for kind in EntryKind:
        for page in recent_pages(text, kind):
            yield activity_page.recent(page, PROVIDERS, "contact", first=False)
    yield activity_page.recent(LogPage(lines=()), PROVIDERS, first=True)


def recent_pages(text: str, kind: EntryKind) -> Iterator[LogPage]:
    for times in (1, 10**6):
        yield log_page(text, kind, times, contact=profile(text).contact)
        yield log_page(text, kind, times, masked=text)


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_recent_in_sentences_is_short_and_inert(text: str) -> None:
    for kind in EntryKind:
        for page in recent_pages(text, kind):
            said = activity_page.recent_text(page, PROVIDERS)

            assert 0 < len(said) <= 4000
            assert pings(said, []) == []


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_every_modal_keeps_to_the_limits(text: str) -> None:
    for view in views(text):
        problems = check_view(json.loads(json.dumps(view)))

        assert problems == [], view["callback_id"]
        assert pings("", view["blocks"]) in ([], ["@U0ANARUIZ1"])
        json.dumps(view, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_every_message_keeps_to_the_limits(text: str) -> None:
    for blocks in messages(text):
        problems = check_blocks(json.loads(json.dumps(blocks)))

        assert problems == []
        assert pings("", blocks) == []
        # Slack refuses messages somewhere above 13,000 characters.
        assert characters(blocks) <= 12_000
        json.dumps(blocks, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_the_card_as_one_sentence_is_short_and_inert(text: str) -> None:
    said = card_text(profile(text), card(profile(text)))

    assert 0 < len(said) <= 3000
    assert pings(said, []) == []
    assert "&" not in said.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_the_metadata_of_a_long_walk_through_the_log_fits() -> None:
    metadata = Metadata(contact="f" * 32, version=10**9, cursors=[10**12] * 100, kind="consent")

    assert len(metadata.dump()) < 3000


def test_every_gate_has_a_line_with_somebody_to_do_it() -> None:
    whole = profile("Ana", do_not_contact=False)
    codes = {gate.code for decision in whole.decisions.values() for gate in decision.gates}

    assert {Code.CARRIER_BLOCK, Code.OPTED_OUT, Code.BOUNCED, Code.COMPLAINT} <= codes
    for decision in whole.decisions.values():
        for gate in decision.gates:
            assert vocabulary.OWNER[gate.owner] in vocabulary.step(gate)


def test_every_status_has_an_icon_with_a_word() -> None:
    for icon, word in vocabulary.STATUS.values():
        assert icon in {icon for icon, _, _ in vocabulary.LEGEND}
        assert word


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_the_outputs_of_a_step_fit_into_a_message_and_notify_nobody(text: str) -> None:
    whole = profile(text)
    for decision in (*whole.decisions.values(), *whole.by_sender.values()):
        outputs = _outputs(decision, found=True)
        said = [section(words) for words in outputs.values()]

        assert check_blocks(said) == []
        assert [one["text"]["text"] for one in said] == [*outputs.values()]  # nothing is cut off
        assert pings("", said) == []
        assert escape(outputs["reason"]) == outputs["reason"]


def test_a_step_has_a_reason_for_every_gate() -> None:
    assert {*Code} - {*_REASONS} == {Code.NO_ADDRESS}
