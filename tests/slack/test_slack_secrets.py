"""What must not leak: into logs at any level, into buttons, into what modals remember."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.client import PersonClient
from tests.support.slack_fixtures import Slack, card, opened

NAME = "Canaria Kanarienvogel"
COMPANY = "Canarycompany"
NOTE = "canarynote she moved to the seaside"
EVIDENCE = "canaryevidence form of the second of May"
PHONES = ("2125550167", "212-555-0167", "(212) 555-0167", "212 555 0167", "5550167")
EMAIL = "canarymail@example.com"
CANARIES = ("canar", "kanarien", *PHONES, "seaside")


def _tour(slack: Slack, ana: PersonClient) -> Iterator[Any]:
    """Every surface with a contact who has something to hide; what is shown, and what is sent."""
    slack.add(NAME, phone=PHONES[0], email=EMAIL, company=COMPANY)
    ana.command(f"/optin {PHONES[1]}")
    ana.press("Edit")
    ana.choose("SMS On", "YES")
    ana.submit()  # refused: no evidence
    ana.type("Evidence", EVIDENCE)
    ana.type("Note", NOTE)
    yield ana.modal
    ana.submit()
    yield ana.modal
    ana.close()
    for item in ("Change contact", "Add a note", "Details", "Refresh"):
        ana.overflow(item, in_=ana.messages()[-1])
        yield ana.modal
        if ana.modal:
            ana.close(whole=True)
    ana.press("Activity")
    yield ana.modal
    ana.press("Export as CSV")
    ana.close(whole=True)
    ana.command("/optin")
    ana.pick("Find", NAME, typed=EMAIL)
    yield ana.modal
    ana.press("Edit")
    yield from ana.modals
    ana.close(whole=True)
    for asked in (NAME, NAME[:6], f"{NAME}x", EMAIL, f"x{EMAIL}", "+1 212 555 0168", "recent"):
        ana.command(f"/optin {asked}")
    ana.press("Add contact")
    yield ana.modal
    ana.close()
    # What fails, too
    for method in ("views.open", "response_url", "users.info"):
        for kind in ("server_error", "close_after_accept", "ratelimited"):
            slack.workspace.fault(method, kind, times=3)
            ana.command("/optin")
            ana.command(f"/optin {EMAIL}")
            ana.overflow("Refresh", in_=_card(ana))
            slack.workspace.clear_faults()
            if ana.modal:
                ana.close(whole=True)
    yield from ana.messages()
    yield from ana.dms()
    for line in slack.workspace.journal():
        if line["direction"] == "in":
            yield line["args"]


def _card(ana: PersonClient) -> Any:
    return next(m for m in reversed(ana.messages()) if "Edit" in m.buttons)


def test_no_log_record_at_any_level_holds_a_word_of_a_contact(
    slack: Slack, ana: PersonClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    for _ in _tour(slack, ana):
        pass

    assert caplog.records
    format_ = logging.Formatter("%(message)s").format
    leaks = {
        record.name
        for record in caplog.records
        # Whoever reads the workspace's own frames sees what people see.
        if not record.name.startswith("websockets")
        and any(canary in format_(record).casefold() for canary in CANARIES)
    }
    assert leaks == set()


def test_no_button_and_no_modal_carries_a_number_or_an_address(
    slack: Slack, ana: PersonClient
) -> None:
    carried = [
        text
        for shown in _tour(slack, ana)
        if shown is not None
        for text in _carried(shown if isinstance(shown, dict) else shown.raw)
    ]

    assert len(carried) > 100
    assert [text for text in carried if any(c in text.casefold() for c in CANARIES)] == []
    assert not [text for text in carried if "0168" in text]


def _carried(raw: Any) -> Iterator[str]:
    """All that comes back from Slack without having been on the screen."""
    if isinstance(raw, list):
        for item in raw:
            yield from _carried(item)
    elif isinstance(raw, dict):
        for name, value in raw.items():
            if name in ("private_metadata", "callback_id", "block_id", "action_id", "external_id"):
                yield str(value)
            elif name == "value" and isinstance(value, str):
                yield value
            elif name == "metadata" and value:
                yield str(value)
            elif name != "values":  # what the person is typing
                yield from _carried(value)


def test_the_edit_modal_remembers_ids_and_words_of_status_only(
    slack: Slack, ana: PersonClient
) -> None:
    slack.add(NAME, phone=PHONES[0], email=EMAIL)
    card(ana, EMAIL)

    form = opened(ana, ana.press("Edit"))

    assert EMAIL not in form.private_metadata
    assert PHONES[0] not in form.private_metadata
