"""Ending the process while Slack does not answer."""

from __future__ import annotations

import time
from pathlib import Path

from bot.consent.use_cases.ingest import ingest
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import reply
from tests.support.slack_fixtures import started


def test_a_call_that_slack_does_not_answer_holds_up_no_end(tmp_path: Path) -> None:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        slack.workspace.fault("chat.postMessage", "timeout", seconds=20)
        ingest(slack.service, [reply("STOP")])
        slack.workspace.wait_until(
            lambda: any(c["method"] == "chat.postMessage" for c in slack.workspace.journal())
        )
        began = time.monotonic()
    took = time.monotonic() - began

    assert took < 9
