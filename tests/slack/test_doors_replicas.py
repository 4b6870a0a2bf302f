"""Two bots on one storage: an event that Slack repeats is answered by one of them."""

from __future__ import annotations

from pathlib import Path

from bot.runtime.clock import Stopped
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from sandbox.client import PersonClient, Workspace
from tests.support.balancer import free_ports
from tests.support.serving import serving
from tests.support.slack_fixtures import MANIFEST, NOW, Slack
from tests.support.slack_requests import last_sent, post_event
from tests.support.storages import path_in, url_of


def test_a_mention_that_slack_repeats_to_another_replica_is_answered_once(
    tmp_path: Path,
) -> None:
    storage = path_in(tmp_path / "storage")
    first, second = free_ports(2)
    with (
        Workspace.start(mode="http", ack_timeout=10.0, manifest=MANIFEST) as workspace,
        open_service(read_settings({"OPTIN_STORAGE": url_of(storage)})) as service,
        serving(tmp_path, workspace, first, url_of(storage)),
        serving(tmp_path, workspace, second, url_of(storage)),
    ):
        ana = workspace.person("Ana")
        one, other = (
            Slack(
                workspace=workspace,
                service=service,
                clock=Stopped(NOW),
                url=f"http://127.0.0.1:{port}",
                storage=storage,
            )
            for port in (first, second)
        )
        workspace.set_request_url(f"{one.url}/slack/events")
        ana.say("@optin grace lee")
        workspace.wait_until(lambda: _answers(ana) == 1)
        payload = last_sent(one, "app_mention")
        assert post_event(other, payload, retry=1) == (200, "")
        assert post_event(other, payload | {"event_id": "Ev0NEW"}) == (200, "")
        workspace.wait_until(lambda: _answers(ana) == 2)
        assert post_event(one, payload | {"event_id": "Ev0NEW"}, retry=2) == (200, "")
        ana.say("@optin grace lee")

        workspace.wait_until(lambda: _answers(ana) >= 3)
        assert _answers(ana) == 3


def _answers(person: PersonClient) -> int:
    return sum(one.user == "U0OPTINBOT" for one in person.messages("#support"))
