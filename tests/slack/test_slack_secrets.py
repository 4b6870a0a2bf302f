"""What must not leak: into logs at any level, into buttons, into what modals remember."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.client import PersonClient
from sandbox.first_workspace import APPROVALS
from tests.support.canaries import (
    CANARIES,
    COMPANY,
    EMAIL,
    EVIDENCE,
    NAME,
    NOTE,
    PHONES,
    carried_by,
)
from tests.support.slack_fixtures import MANIFEST, Slack, card, opened, started


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
    ana.home()
    slack.workspace.wait_until(lambda: ana.shown_home is not None)
    home = ana.shown_home
    yield home
    ana.pick("Name, number", NAME, typed=EMAIL, in_=home)
    yield ana.modal
    ana.close(whole=True)
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


@pytest.fixture(params=["socket", "http"])
def with_steps(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    """With the steps of Workflow Builder, and a channel for requests."""
    with started(
        tmp_path, request.param, manifest=MANIFEST, OPTIN_APPROVAL_CHANNEL=APPROVALS
    ) as slack:
        slack.add(NAME, phone=PHONES[0], email=EMAIL, company=COMPANY)
        slack.add(f"{NAME} II", phone=PHONES[0])
        yield slack


def _steps(slack: Slack) -> Iterator[dict[str, Any]]:
    """Each step with a contact who has something to hide, well and badly: how it ended."""
    ana = slack.person("Ana")

    def run(step: str, /, **inputs: Any) -> dict[str, Any]:
        number = len(ana.step_runs())
        assert ana.run_step(step, **{"person": ana.id, **inputs}).error is None
        slack.workspace.wait_until(lambda: ana.step_runs()[number]["state"] != "running")
        ended: dict[str, Any] = ana.step_runs()[number]
        return ended

    about = (EMAIL, PHONES[1], f"+1 {PHONES[1]}", NAME, f"{NAME} <{EMAIL}>", f"x{EMAIL}", NAME[:6])
    for contact in (*about, f"{PHONES[1]}999999", f"{EMAIL} {PHONES[1]}"):
        for channel in (None, "SMS", "Email", NAME):
            yield run("check_status", contact=contact, channel=channel)
        yield run("record_opt_out", contact=contact, who_asked=NAME, note=NOTE)
    yield run("record_opt_out", contact=EMAIL, note=NOTE)
    slack.clock.advance(timedelta(minutes=1))  # evidence is newer than the opt-out
    for contact in about:
        yield run("request_re_opt_in", contact=contact, evidence=EVIDENCE, note=NOTE)
    yield run("wait_for_outcome", request=EMAIL)
    yield run("check_status", contact=EMAIL, person="U0GUSGUEST")
    slack.workspace.fault("users.info", "server_error", times=3)
    yield run("record_opt_out", contact=EMAIL, note=NOTE)
    slack.workspace.clear_faults()


def test_no_output_and_no_error_of_a_step_names_the_contact(with_steps: Slack) -> None:
    ended = list(_steps(with_steps))

    assert {one["state"] for one in ended} == {"completed", "failed"}
    assert {one["callback_id"] for one in ended if one["state"] == "completed"} == {
        "check_status",
        "record_opt_out",
        "request_re_opt_in",
    }
    said = [f"{one['outputs']} {one['error']}".casefold() for one in ended]
    assert [text for text in said if any(canary in text for canary in CANARIES)] == []


def test_no_log_record_of_a_step_holds_a_word_of_the_contact(
    with_steps: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in _steps(with_steps):
        pass

    assert caplog.records
    assert _leaks(caplog) == set()


def test_requests_of_a_step_are_masked_in_their_channel(with_steps: Slack) -> None:
    for _ in _steps(with_steps):
        pass
    lee = with_steps.person("Lee")
    with_steps.workspace.wait_until(lambda: bool(lee.messages("optin-approvals")))

    posted = " ".join(str(one.raw) for one in lee.messages("optin-approvals"))
    assert not any(address in posted for address in (EMAIL, *PHONES))


def _card(ana: PersonClient) -> Any:
    return next(m for m in reversed(ana.messages()) if "Edit" in m.buttons)


def test_no_log_record_at_any_level_holds_a_word_of_a_contact(
    slack: Slack, ana: PersonClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    for _ in _tour(slack, ana):
        pass

    assert caplog.records
    assert _leaks(caplog) == set()


def _leaks(caplog: pytest.LogCaptureFixture) -> set[str]:
    """The loggers that wrote a word of the contact."""
    format_ = logging.Formatter("%(message)s").format
    return {
        record.name
        for record in caplog.records
        # Whoever reads the workspace's own frames sees what people see.
        if not record.name.startswith("websockets")
        and any(canary in format_(record).casefold() for canary in CANARIES)
    }


def test_no_button_and_no_modal_carries_a_number_or_an_address(
    slack: Slack, ana: PersonClient
) -> None:
    carried = [
        text
        for shown in _tour(slack, ana)
        if shown is not None
        for text in carried_by(shown if isinstance(shown, dict) else shown.raw)
    ]

    assert len(carried) > 100
    assert [text for text in carried if any(c in text.casefold() for c in CANARIES)] == []
    assert not [text for text in carried if "0168" in text]


def test_the_edit_modal_remembers_ids_and_words_of_status_only(
    slack: Slack, ana: PersonClient
) -> None:
    slack.add(NAME, phone=PHONES[0], email=EMAIL)
    card(ana, EMAIL)

    form = opened(ana, ana.press("Edit"))

    assert EMAIL not in form.private_metadata
    assert PHONES[0] not in form.private_metadata
