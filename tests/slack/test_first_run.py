"""The first run: three steps for the installer that tick themselves, and a test alert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.consent.use_cases import write_value
from bot.consent.use_cases.alerts.first_run import FIRST_RUN, look_at_first_run
from sandbox.client import PersonClient
from sandbox.first_workspace import ALERTS, LEE, MANAGERS
from tests.support.slack_fixtures import MANIFEST, Slack, said, started


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    """Lee looks after Optin."""
    settings = {"OPTIN_ALERT_CHANNEL": ALERTS, "OPTIN_MANAGERS": f"{LEE},{MANAGERS}"}
    with started(tmp_path, request.param, manifest=MANIFEST, **settings) as slack:
        yield slack


def look(slack: Slack, *, heard: bool = False, managers: bool = True) -> None:
    look_at_first_run(slack.service, managers=managers, heard=lambda _: heard)


def begin(slack: Slack) -> None:
    """As on a storage that nobody has used."""
    write_value(slack.service, FIRST_RUN, None)
    look(slack)


def steps(slack: Slack, person: PersonClient, says: str) -> str:
    slack.workspace.wait_until(lambda: any(says in message.plain for message in person.dms()))
    return person.dms()[-1].plain


def test_the_installer_sees_what_is_left_and_tries_an_alert(slack: Slack) -> None:
    lee = slack.person("Lee")
    begin(slack)
    plain = steps(slack, lee, "Optin is running")
    assert "☐ Alert channel" in plain
    assert "☑ Managers" in plain
    assert "☑ Contacts" in plain
    answer = lee.press("Send a test alert", in_=lee.dms()[-1])
    assert "on its way to #optin-alerts" in said(answer)
    slack.workspace.wait_until(lambda: bool(lee.messages("optin-alerts")))
    assert "This is a test alert." in lee.messages("optin-alerts")[-1].plain

    def ticked() -> bool:
        look(slack)
        return any("Optin is set up" in message.plain for message in lee.dms())

    slack.workspace.wait_until(ticked)
    message = next(m for m in lee.dms() if "Optin is set up" in m.plain)
    assert "☑ Alert channel: Optin posts to #optin-alerts." in message.plain
    assert message.buttons == []
    assert slack.person("Mia").dms() == []
