"""Steps of workflows that change something, and the one that waits for managers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import assemble
from bot.config.settings import Mode, Settings
from bot.consent.log.entries import EntryKind
from bot.consent.model import Actor, Channel, ConsentValue, Origin, Role
from bot.consent.use_cases import approve, deny, run_case_timers
from bot.consent.use_cases.step_ends import KEEP_ENDS, claim_ends, sweep_ends, wait_for_case
from bot.demo.samples import SENDERS, fill
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from sandbox.client import PersonClient, Workspace
from sandbox.first_workspace import LEE, MANAGERS
from tests.support.slack_fixtures import MANIFEST, Slack, _until_ready, started
from tests.support.slack_requests import last_sent, post_event
from tests.support.storages import path_in, url_of

TOBY = "toby.step@example.com"
MANAGER = Actor(id=f"slack:{LEE}", role=Role.MANAGER, source="slack")


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=MANIFEST) as slack:
        slack.add("Toby Step", email=TOBY, phone="+12125550188")
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=MANIFEST) as slack:
        slack.add("Toby Step", email=TOBY, phone="+12125550188")
        yield slack


def start(person: PersonClient, step: str, /, **inputs: Any) -> int:
    """The number of the run."""
    number = len(person.step_runs())
    given = {"person": person.id} | inputs
    assert person.run_step(step, **given).error is None
    return number


def end(workspace: Workspace, person: PersonClient, number: int) -> dict[str, Any]:
    workspace.wait_until(lambda: person.step_runs()[number]["state"] != "running")
    return person.step_runs()[number]


def run(slack: Slack, step: str, who: str = "Ana", **inputs: Any) -> dict[str, Any]:
    person = slack.person(who)
    return end(slack.workspace, person, start(person, step, **inputs))


def opted_out(slack: Slack, **inputs: Any) -> str:
    done = run(slack, "record_opt_out", contact=TOBY, **inputs)
    assert done["state"] == "completed", done["error"]
    return str(done["outputs"]["done"])


def requested(slack: Slack) -> str:
    """The id of a re-opt-in that a workflow asked for."""
    opted_out(slack)
    slack.clock.advance(timedelta(minutes=1))
    done = run(slack, "request_re_opt_in", contact=TOBY, evidence="Form 7 of today", note="VIP")
    assert done["state"] == "completed", done["error"]
    assert done["outputs"]["state"] == "pending"
    return str(done["outputs"]["request"])


def test_an_opt_out_is_recorded_in_the_name_of_the_person_and_once(slack: Slack) -> None:
    assert opted_out(slack, note="rang us") == "No e-mails are sent any more."

    consent = slack.find(TOBY).consent(Channel.EMAIL)
    assert (consent.on, consent.by) == (ConsentValue.NO, Origin.CONTACT)
    entry = [one for one in slack.log() if one.kind is EntryKind.CONSENT][-1]
    assert entry.actor == f"slack:{slack.person('Ana').id}"
    assert opted_out(slack) == "No e-mails were sent before, and none are now."
    assert slack.problems() is None


def test_who_asked_and_both_channels_are_heeded(slack_http: Slack) -> None:
    said = opted_out(slack_http, channel="Both", who_asked="company")

    assert said == "No texts are sent any more. No e-mails are sent any more."
    toby = slack_http.find(TOBY)
    assert {toby.consent(channel).by for channel in Channel} == {Origin.STAFF}


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"who_asked": "nobody"}, "The input Who asked is neither Contact nor Company."),
        ({"contact": "", "channel": "sms"}, "The input Contact is empty."),
        ({"contact": "nobody@example.com"}, "Optin has no such contact."),
        ({"contact": "toby step"}, "The input Channel is empty."),
        ({"contact": "toby step", "channel": "fax"}, "The input Channel is neither"),
    ],
)
def test_wrong_inputs_change_nothing(slack_http: Slack, inputs: dict[str, str], said: str) -> None:
    before = slack_http.head()

    done = run(slack_http, "record_opt_out", **{"contact": TOBY, **inputs})

    assert done["state"] == "failed"
    assert said in done["error"]
    assert slack_http.head() == before


def test_a_workflow_that_nobody_is_behind_and_a_guest_change_nothing(slack_http: Slack) -> None:
    before = slack_http.head()
    slack_http.workspace.make_guest("Ben")
    run(slack_http, "check_status", contact=TOBY)
    payload = last_sent(slack_http, "function_executed")

    done = run(slack_http, "record_opt_out", contact=TOBY, person=slack_http.person("Ben").id)
    assert "Optin is for full members of this workspace" in done["error"]
    payload["event"]["inputs"] = {"contact": TOBY}
    payload["event"]["function"]["callback_id"] = "record_opt_out"
    post_event(slack_http, payload | {"event_id": "Ev0NOBODY"})
    slack_http.workspace.wait_until(
        lambda: any(
            "Nobody is behind this workflow" in str(line["args"].get("error"))
            for line in slack_http.workspace.journal("functions.completeError")
        )
    )

    assert slack_http.head() == before


def test_an_opt_out_is_stored_once_and_told_again_when_slack_repeats(slack_http: Slack) -> None:
    opted_out(slack_http, note="rang us")
    before = slack_http.head()
    payload = last_sent(slack_http, "function_executed") | {"event_id": "Ev0AGAIN"}

    assert post_event(slack_http, payload) == (200, "")

    assert slack_http.head() == before
    assert slack_http.problems() is None


def test_an_opt_out_is_stored_before_it_is_acknowledged(slack: Slack) -> None:
    slack.workspace.fault("functions.completeSuccess", "timeout", seconds=1.0, times=1)
    ana = slack.person("Ana")

    number = start(ana, "record_opt_out", contact=TOBY)

    assert slack.find(TOBY).consent(Channel.EMAIL).on is ConsentValue.NO
    end(slack.workspace, ana, number)


def test_a_request_says_that_a_workflow_made_it(slack: Slack) -> None:
    id = requested(slack)

    with slack.service.store.reading() as records:
        case = records.cases.get(id)
    assert case is not None
    assert case.evidence.text == "Form 7 of today"
    assert case.note == "Asked for by a workflow. VIP"
    assert case.requested_by == f"slack:{slack.person('Ana').id}"
    again = run(slack, "request_re_opt_in", contact=TOBY, evidence="Form 8")
    assert "Somebody asked for this already" in again["error"]


@pytest.mark.parametrize("evidence", [" ", "\u200b"])
def test_a_request_needs_evidence(slack_http: Slack, evidence: str) -> None:
    opted_out(slack_http)

    done = run(slack_http, "request_re_opt_in", contact=TOBY, evidence=evidence)

    assert "The input Evidence is empty." in done["error"]


def test_waiting_ends_with_a_managers_decision(slack: Slack) -> None:
    id = requested(slack)
    ana = slack.person("Ana")
    number = start(ana, "wait_for_outcome", request=id)
    assert ana.step_runs()[number]["state"] == "running"

    approve(slack.service, id, MANAGER)

    assert end(slack.workspace, ana, number)["outputs"] == {"outcome": "approved"}
    assert run(slack, "wait_for_outcome", request=id)["outputs"] == {"outcome": "approved"}


def test_waiting_ends_with_a_denial_a_new_refusal_and_the_end_of_the_time(
    slack_http: Slack,
) -> None:
    ana = slack_http.person("Ana")
    ends = []
    for happens in ("denied", "overtaken", "expired"):
        id = requested(slack_http)
        number = start(ana, "wait_for_outcome", request=id)
        if happens == "denied":
            deny(slack_http.service, id, "No proof", MANAGER)
        elif happens == "overtaken":
            slack_http.clock.advance(timedelta(minutes=5))
            opted_out(slack_http)
        else:
            slack_http.clock.advance(timedelta(days=14))
            run_case_timers(slack_http.service)
        ends.append(end(slack_http.workspace, ana, number)["outputs"]["outcome"])

    assert ends == ["denied", "overtaken", "expired"]


@pytest.mark.parametrize("request_id", ["", "0" * 32, "Fx1"])
def test_waiting_for_no_request_fails_at_once(slack_http: Slack, request_id: str) -> None:
    done = run(slack_http, "wait_for_outcome", request=request_id)

    assert done["state"] == "failed"
    assert "request" in done["error"].casefold()


def test_two_replicas_tell_an_end_once(slack_http: Slack) -> None:
    id = requested(slack_http)
    service = slack_http.service
    wait_for_case(service, "Fx0ELSE", id, MANAGER)
    assert claim_ends(service, "Fx0ELSE") == {}
    approve(service, id, MANAGER)

    claims = [claim_ends(service, "Fx0ELSE") for _ in range(2)]

    assert sorted(map(len, claims)) in ([0, 0], [0, 1])  # the bot may have been quicker
    slack_http.workspace.wait_until(
        lambda: bool(claims[0]) or bool(slack_http.workspace.journal("functions.completeSuccess"))
    )


def test_an_end_that_nobody_told_is_told_a_minute_later_and_forgotten_after_a_day(
    slack_http: Slack,
) -> None:
    service = slack_http.service
    slack_http.workspace.fault("functions.completeSuccess", "error", error="invalid_auth", times=2)
    ana = slack_http.person("Ana")
    number = start(ana, "record_opt_out", contact=TOBY)
    slack_http.workspace.wait_until(
        lambda: len(slack_http.workspace.journal("functions.completeSuccess")) == 2
    )
    slack_http.clock.advance(timedelta(seconds=61))

    assert end(slack_http.workspace, ana, number)["state"] == "completed"
    later = replace(service, now=lambda: slack_http.clock() + KEEP_ENDS + timedelta(hours=1))
    assert sweep_ends(later) == 1


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_a_restart_between_request_and_outcome_loses_nothing(tmp_path: Path, mode: str) -> None:
    with Workspace.start(mode=mode, ack_timeout=10.0, manifest=MANIFEST) as workspace:
        settings = _settings(workspace, tmp_path)
        ana = workspace.person("Ana")
        with _bot(workspace, settings, mode, filled=False):
            end(workspace, ana, start(ana, "record_opt_out", contact="ana@example.com"))
            asked = end(
                workspace,
                ana,
                start(ana, "request_re_opt_in", contact="ana@example.com", evidence="Form 7"),
            )
            id = asked["outputs"]["request"]
            number = start(ana, "wait_for_outcome", request=id)
        with open_service(settings) as service:  # while no bot runs
            approve(service, id, MANAGER)
        assert ana.step_runs()[number]["state"] == "running"

        with _bot(workspace, settings, mode, filled=True):
            assert end(workspace, ana, number)["outputs"] == {"outcome": "approved"}
        told = workspace.journal("functions.completeSuccess")
        assert [line["outcome"] for line in told] == ["ok"] * 3


def _settings(workspace: Workspace, folder: Path) -> Settings:
    env = {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_SIGNING_SECRET": workspace.signing_secret,
        "SLACK_API_URL": workspace.api_url,
        "OPTIN_STORAGE": url_of(path_in(folder)),
        "OPTIN_MANAGERS": MANAGERS,
    }
    return replace(read_settings(env, need_slack=True), senders=SENDERS)


@contextmanager
def _bot(workspace: Workspace, settings: Settings, mode: str, *, filled: bool) -> Iterator[None]:
    with open_service(settings) as service:
        if not filled:
            fill(service)
        with (
            assemble(settings, service, mode=Mode(mode), port=0) as running,
            running.server as server,
        ):
            if mode == "http":
                workspace.set_request_url(f"{server.url}/slack/events")
            _until_ready(server.host, server.port)
            yield
