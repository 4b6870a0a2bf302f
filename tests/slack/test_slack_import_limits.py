"""What `/optin import` and `/optin check` show fits into Slack, whatever a file or a contact says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.consent.model import Channel, Contact
from bot.consent.rules import decide
from bot.consent.use_cases import CheckedAddress
from bot.consent.use_cases.imports.stored_jobs import ImportJob
from handlers.slack.blocks.check_modals import checked_modal
from handlers.slack.blocks.formatting import MESSAGE, Block
from handlers.slack.imports import import_blocks
from sandbox.block_kit.check import check_blocks, check_view

NASTY = "<!channel> & *bold* `code` "
JOB = ImportJob(
    id="01J" + "0" * 23,
    user="U1",
    file="F1",
    name=NASTY * 8,
    made_at=datetime(2026, 11, 3, tzinfo=UTC),
)


def shown(blocks: list[Block]) -> str:
    """All of it as Slack gets it, once Slack takes it."""
    assert check_blocks(blocks) == []
    return json.dumps(blocks, ensure_ascii=False)


def test_a_table_full_of_signs_that_get_longer_is_cut_and_not_lost() -> None:
    said = shown(import_blocks.ready(JOB, ["First line", "& <x> " * 600], {}, {}))

    assert "First line" in said
    assert "…```" in said
    assert "<x>" not in said


def test_twenty_columns_with_long_titles_fit_into_one_message() -> None:
    columns = {str(number): f"{number} {NASTY * 60}" for number in range(20)}

    blocks = import_blocks.asking(JOB, columns)
    said = shown(blocks)

    texts = [block["text"] for block in blocks if block["type"] == "section"]
    assert sum(len(str(text)) for text in texts) < MESSAGE
    assert "<!channel>" not in said


@pytest.mark.parametrize("sentence", [NASTY * 200, "One column. " + "x" * 5_000])
def test_a_sentence_about_a_long_title_is_cut_and_not_lost(sentence: str) -> None:
    for blocks in (
        import_blocks.ended(JOB, sentence),
        import_blocks.done(JOB, 0, problem=sentence),
        import_blocks.done(JOB, 0, note=sentence),
    ):
        assert sentence[:4].replace("<", "&lt;")[:4] in shown(blocks)


def test_contacts_whose_names_get_longer_hide_no_answer() -> None:
    answers = [
        CheckedAddress(
            text=f"+1415555{number:04}",
            address=f"+1415555{number:04}",
            channel=Channel.SMS,
            decision=decide(contact, None, Channel.SMS),
            contact=contact,
            holders=2,
        )
        for number in range(100, 160)
        for contact in [Contact(id="1", name="&" * 60, phone=f"+1415555{number:04}")]
    ]

    modal = checked_modal(answers, "")

    assert check_view(modal) == []
    said = json.dumps(modal)
    assert [n for n in range(100, 150) if f"555-{n:04}" not in said] == []
