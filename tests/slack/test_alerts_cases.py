"""Re-opt-ins on their way to Slack, on its bad days: refused drawings, restarts, people who are
managers no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind, DeliveryState
from bot.consent.model import Actor, Channel, Role
from bot.consent.use_cases import (
    CaseRequest,
    approve,
    deny,
    erase,
    request,
    request_subscribers,
    run_case_timers,
    subscribe_to_requests,
)
from sandbox.client import ShownMessage
from sandbox.first_workspace import LEE, MANAGERS, MIA
from tests.support.alert_cases import AGENT, EVIDENCE, asked
from tests.support.alert_cases import desk as desk
from tests.support.alerts_fixtures import Bench, reply
from tests.support.alerts_fixtures import bench as bench
from tests.support.consent_fixtures import OPERATOR

LEE_CHEN = Actor(id=f"slack:{LEE}", role=Role.MANAGER, source="slack")
MIA_NOVAK = Actor(id=f"slack:{MIA}", role=Role.MANAGER, source="slack")


def shown(desk: Bench) -> ShownMessage:
    return desk.messages("#optin-approvals")[0]


def refused_drawing(desk: Bench) -> None:
    """The request is drawn anew, and Slack takes neither the blocks nor the sentence."""
    desk.workspace.fault("chat.update", "error", error="invalid_blocks", times=9)
    desk.take(reply("UNSTOP"))
    desk.run()
    desk.workspace.clear_faults()

    assert [alert.delivery.state for alert in desk.alerts(AlertKind.CASE)] == [DeliveryState.DEAD]


def dms(desk: Bench, name: str) -> list[str]:
    return [message.plain for message in desk.workspace.person(name).dms()]


def test_what_was_decided_right_before_the_end_is_drawn_after_the_start(desk: Bench) -> None:
    case = asked(desk)
    approve(desk.service, case.id, MIA_NOVAK)
    desk.restart()
    desk.run()

    assert "☑ Approved by" in shown(desk).plain
    assert shown(desk).buttons == []
    assert any("approved your re-opt-in request" in text for text in dms(desk, "Ana"))


def test_a_drawing_that_slack_refused_does_not_leave_its_buttons_for_ever(desk: Bench) -> None:
    case = asked(desk)
    refused_drawing(desk)
    deny(desk.service, case.id, "No record of that call", MIA_NOVAK)
    desk.run()

    assert "Denied by" in shown(desk).plain
    assert shown(desk).buttons == []


def test_a_request_without_its_blocks_says_where_the_buttons_are(desk: Bench) -> None:
    contact = desk.add()
    desk.take(reply("stop all"))
    desk.run()
    desk.clock.advance(timedelta(hours=1))
    desk.workspace.fault("chat.postMessage", "error", error="invalid_blocks", times=1)
    request(desk.service, contact.id, CaseRequest(channel=Channel.SMS, evidence=EVIDENCE), AGENT)
    desk.run()
    plain = shown(desk)
    desk.take(reply("UNSTOP"))
    desk.run()

    assert plain.buttons == []
    assert "`/optin pending` has them" in plain.text
    assert "Approve" in shown(desk).buttons


def test_erasure_reaches_a_message_whose_last_drawing_was_refused(desk: Bench) -> None:
    case = asked(desk)
    refused_drawing(desk)
    erase(desk.service, case.contact, OPERATOR)
    desk.run()

    assert EVIDENCE not in shown(desk).plain
    assert "0100" not in shown(desk).plain


def test_erasure_leaves_a_denial_without_its_reason_and_no_empty_place(desk: Bench) -> None:
    case = asked(desk)
    deny(desk.service, case.id, "Ana never called", MIA_NOVAK)
    desk.run()
    before = shown(desk).plain, dms(desk, "Ana")[-1]
    erase(desk.service, case.contact, OPERATOR)
    desk.run()
    after = shown(desk).plain, dms(desk, "Ana")[-1]

    assert all("Ana never called" in text for text in before)
    assert not any("Ana never called" in text for text in after)
    assert not any(line.rstrip().endswith(":") for text in after for line in text.split("\n"))


@pytest.mark.parametrize("how", ["out of the group", "a guest", "gone"])
def test_who_is_a_manager_no_more_is_sent_no_requests(desk: Bench, how: str) -> None:
    subscribe_to_requests(desk.service, LEE_CHEN, True)
    subscribe_to_requests(desk.service, MIA_NOVAK, True)
    match how:
        case "out of the group":
            desk.workspace.set_group(MANAGERS, [MIA])
        case "a guest":
            desk.workspace.make_guest("Lee")
        case "gone":
            desk.workspace.deactivate("Lee")
    asked(desk)
    with desk.service.store.reading() as records:
        wanted = list(request_subscribers(records.key_value))

    assert dms(desk, "Lee") == []
    assert "A manager has to decide" in dms(desk, "Mia")[0]
    assert wanted == [MIA]
    assert desk.health.dead == 0

    desk.clock.advance(timedelta(days=2))
    run_case_timers(desk.service)
    desk.run()

    assert dms(desk, "Lee") == []
    assert any("Nobody has decided" in text for text in dms(desk, "Mia"))
    assert not any(alert.delivery.due for alert in desk.alerts())
