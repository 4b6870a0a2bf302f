"""Re-opt-in requests, and the workspace in which they are decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.cases import Case
from bot.consent.model import Actor, Channel, Role
from bot.consent.use_cases import CaseRequest, request
from sandbox.first_workspace import ANA, APPROVALS
from tests.support.alerts_fixtures import Bench, reply
from tests.support.alerts_fixtures import bench as bench

AGENT = Actor(id=f"slack:{ANA}", role=Role.AGENT, source="slack")
EVIDENCE = "Called on Monday, wants them back"


@pytest.fixture
def desk(bench: Bench) -> Bench:
    """Whose managers decide in a channel."""
    bench.service = replace(bench.service, approval_channel=APPROVALS)
    bench.worker = bench.hire(bench.slack)
    return bench


def asked(desk: Bench) -> Case:
    """By an agent, for a contact who texted STOP; the managers have been told."""
    contact = desk.add()
    desk.take(reply("STOP"))
    desk.clock.advance(timedelta(hours=1))
    case = request(
        desk.service, contact.id, CaseRequest(channel=Channel.SMS, evidence=EVIDENCE), AGENT
    )
    desk.run()
    return case
