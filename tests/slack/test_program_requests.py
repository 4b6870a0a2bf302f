"""The requests of programs in the approvals channel: by name, decided one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.api_key import Scope
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.use_cases import approve, erase
from bot.consent.use_cases.api_keys import add_key
from bot.consent.use_cases.cases.hourly_requests import post_hourly_requests
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.stated.state_consent import state_consent
from bot.consent.use_cases.stated.statement import ConsentStatement, StatedStatus, program
from sandbox.client import ShownMessage
from sandbox.first_workspace import APPROVALS
from tests.support.alerts_fixtures import reply
from tests.support.consent_fixtures import MANAGER, OPERATOR
from tests.support.slack_fixtures import Slack, said, started
from tests.support.stated_fixtures import proof

HOUR = timedelta(hours=1)
PHONES = ("+14155550142", "+14155550143")
BLOCKED = "+14155550144"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    """Two contacts who opted out and signed up again in the newsletter's form."""
    with started(tmp_path, "http", OPTIN_APPROVAL_CHANNEL=APPROVALS) as slack:
        key, _ = add_key(slack.service, "Newsletter", [Scope.WRITE], OPERATOR)
        for name, phone in zip(("Nia Canary", "Ole <!here> Bold"), PHONES, strict=True):
            slack.add(name, phone=phone)
            ingest(slack.service, [reply("stop all", phone, occurred_at=slack.clock())])
        slack.clock.advance(HOUR)
        for phone in PHONES:
            statement = ConsentStatement(
                channel=Channel.SMS, status=StatedStatus.YES, evidence=proof(slack.clock())
            )
            state_consent(slack.service, slack.find(phone).id, statement, program(key.id))
        slack.clock.advance(HOUR)
        yield slack
        assert slack.problems() is None


def listed(slack: Slack) -> ShownMessage:
    """The message, once it is there."""
    post_hourly_requests(slack.service)
    slack.workspace.wait_until(lambda: bool(slack.person("Lee").messages("#optin-approvals")))
    return message(slack)


def message(slack: Slack) -> ShownMessage:
    return slack.person("Lee").messages("#optin-approvals")[0]


def contact(slack: Slack, phone: str = PHONES[0]) -> Contact:
    return slack.find(phone)


def test_a_message_names_who_signed_up_again_and_what_they_said(slack: Slack) -> None:
    shown = listed(slack)

    assert "2 re-opt-in requests from other programs" in shown.plain
    assert "Nia Canary · SMS · number ending 0142 · from the API (Newsletter)" in shown.plain
    assert "Opted out" in shown.plain
    assert "Ticked “Text me offers” (source: checkout)" in shown.plain
    assert shown.buttons == ["Approve", "Deny", "Approve", "Deny"]
    assert "!here" not in slack.workspace.pings()
    assert "5550142" not in str(shown.raw)


def test_a_manager_decides_each_of_them(slack: Slack) -> None:
    shown = listed(slack)
    answer = slack.person("Lee").press("Approve", in_=shown, confirm=True)

    assert "Approved: SMS On is YES." in said(answer)
    assert slack.on(PHONES[0])[0] is ConsentValue.YES
    assert slack.on(PHONES[1])[0] is ConsentValue.NO
    slack.workspace.wait_until(lambda: message(slack).buttons == ["Approve", "Deny"])
    assert "1 still waits for a manager" in message(slack).plain
    assert "☑ Approved by" in message(slack).plain

    lee = slack.person("Lee")
    lee.press("Deny", in_=message(slack))
    lee.type("Reason", "We know nothing of that form")
    lee.submit()
    slack.workspace.wait_until(lambda: message(slack).buttons == [])
    assert "nothing is left to decide" in message(slack).plain
    assert "🔴 Denied by" in message(slack).plain
    assert slack.on(PHONES[1])[0] is ConsentValue.NO


def test_a_request_names_the_unstop_that_it_waits_for(slack: Slack) -> None:
    slack.add("Pia Blocked", phone=BLOCKED)
    ingest(slack.service, [reply("STOP", BLOCKED, occurred_at=slack.clock())])
    slack.clock.advance(HOUR)
    statement = ConsentStatement(
        channel=Channel.SMS, status=StatedStatus.YES, evidence=proof(slack.clock())
    )
    case = state_consent(slack.service, slack.find(BLOCKED).id, statement, program("shop")).case
    before = listed(slack).plain
    assert case is not None
    approve(slack.service, case.id, MANAGER)
    slack.workspace.wait_until(lambda: "but not complete yet" in message(slack).plain)
    after = message(slack).plain

    assert before.count("☐ Contact texts UNSTOP to +1") == 1
    assert after.count("☐ Contact texts UNSTOP to +1") == 1


def test_one_request_is_called_one(slack: Slack) -> None:
    erase(slack.service, contact(slack).id, OPERATOR)

    assert (
        "Re-opt-in request from another program: the contact opted out, and signed up again. "
        "A manager decides it." in listed(slack).plain
    )


def test_an_agent_decides_none_of_them(slack: Slack) -> None:
    answer = slack.person("Ben").press("Approve", in_=listed(slack), confirm=True)

    assert "Only a manager" in said(answer)
    assert slack.on(PHONES[0])[0] is ConsentValue.NO


def test_the_second_of_two_managers_reads_who_was_quicker(slack: Slack) -> None:
    shown = listed(slack)
    slack.person("Mia").press("Approve", in_=shown, confirm=True)
    answer = slack.person("Lee").press("Approve", in_=shown, confirm=True)

    assert "already approved by" in said(answer)


def test_a_stop_since_takes_the_buttons_away(slack: Slack) -> None:
    listed(slack)
    slack.clock.advance(HOUR)
    ingest(slack.service, [reply("STOP", PHONES[0], occurred_at=slack.clock())])
    slack.workspace.wait_until(lambda: message(slack).buttons == ["Approve", "Deny"])

    assert "🔴 overtaken by a new opt-out" in message(slack).plain


def test_erasure_takes_the_name_and_the_words_out(slack: Slack) -> None:
    listed(slack)
    erase(slack.service, contact(slack).id, OPERATOR)
    slack.workspace.wait_until(lambda: "Nia" not in message(slack).plain)

    assert "Erased contact" in message(slack).plain
    assert message(slack).plain.count("Ticked") == 1


def test_the_card_and_the_list_of_open_requests_name_the_program(slack: Slack) -> None:
    lee = slack.person("Lee")
    card = lee.command(f"/optin {PHONES[0]}")
    pending = lee.command("/optin pending")

    assert "request of the API (Newsletter)" in said(card)
    assert "Requested by the API (Newsletter)" in said(pending)
    assert "by the API (Newsletter)" in said(lee.command("/optin recent"))
