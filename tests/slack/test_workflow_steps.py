"""Optin's steps in Workflow Builder: what they answer, and how they end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.consent.gates import Code
from bot.consent.model import ConsentValue
from bot.consent.use_cases import StatusUpdate
from handlers.slack.workflow_steps.check_status import _REASONS
from sandbox.client import PersonClient
from tests.support.slack_fixtures import MANIFEST, Slack, started
from tests.support.slack_requests import last_sent, post_event

STEP = "check_status"
GRACE = "+1 415 555 0106"


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=MANIFEST) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=MANIFEST) as slack:
        yield slack


def run(slack: Slack, who: str = "Ana", *, behind: bool = True, **inputs: Any) -> dict[str, Any]:
    """The step as it ended. `behind`: the workflow says who runs it."""
    person = slack.person(who)
    before = len(person.step_runs())
    given = {"person": person.id} if behind else {}
    assert person.run_step(STEP, **given, **inputs).error is None
    slack.workspace.wait_until(lambda: ended(person, before))
    return person.step_runs()[before]


def ended(person: PersonClient, number: int) -> bool:
    runs = person.step_runs()
    return len(runs) > number and runs[number]["state"] != "running"


def outputs(slack: Slack, **inputs: Any) -> dict[str, str]:
    done = run(slack, **inputs)
    assert done["state"] == "completed", done["error"]
    found: dict[str, str] = done["outputs"]
    return found


def error(slack: Slack, who: str = "Ana", **inputs: Any) -> str:
    done = run(slack, who, **inputs)
    assert done["state"] == "failed", done["outputs"]
    return str(done["error"])


def test_a_step_says_whether_a_contact_may_get_texts_and_why_not(slack: Slack) -> None:
    assert outputs(slack, contact=GRACE, channel="SMS") == {
        "answer": "no",
        "reason": "The carrier blocks our texts after a STOP. Opted out: SMS On is NO.",
        "contact_found": "yes",
    }
    assert outputs(slack, contact="grace@example.com") == {
        "answer": "yes",
        "reason": "E-mails may be sent.",
        "contact_found": "yes",
    }


@pytest.mark.parametrize(
    "contact",
    [
        "grace@example.com",
        "<mailto:grace@example.com|grace@example.com>",
        "<tel:+14155550106|(415) 555-0106>",
        "(415) 555-0106",
        "Grace Lee <grace@example.com>",
        "  grace   LEE ",
    ],
)
@pytest.mark.parametrize("channel", ["sms", "Texts", " SMS "])
def test_contact_and_channel_are_read_as_people_and_slack_write_them(
    slack_http: Slack, contact: str, channel: str
) -> None:
    assert outputs(slack_http, contact=contact, channel=channel)["answer"] == "no"


def test_an_address_that_nobody_has_is_answered_and_was_not_found(slack_http: Slack) -> None:
    assert outputs(slack_http, contact="+1 212 555 0168") == {
        "answer": "no",
        "reason": "Nobody has asked for permission to send texts.",
        "contact_found": "no",
    }
    for contact, channel in (("Nobody Known", "sms"), ("new.one@example.com", "sms")):
        assert outputs(slack_http, contact=contact, channel=channel) == {
            "answer": "no",
            "reason": "Optin has no such contact.",
            "contact_found": "no",
        }


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"contact": ""}, "The input Contact is empty."),
        ({"contact": "\u200b \n"}, "The input Contact is empty."),
        ({"contact": "grace lee"}, "The input Channel is empty. Write SMS or Email in it."),
        ({"contact": GRACE, "channel": "fax"}, "The input Channel is neither SMS nor Email."),
        ({"contact": "+1 415 555", "channel": "sms"}, "That number is too short."),
        ({"contact": f"{GRACE}, grace@example.com"}, "The input Contact has several addresses."),
        ({"contact": "x" * 900, "channel": "sms"}, "That is too long to be a name"),
    ],
)
def test_wrong_inputs_end_the_step_with_a_sentence(
    slack_http: Slack, inputs: dict[str, str], said: str
) -> None:
    assert said in error(slack_http, **inputs)


def test_part_of_a_name_is_nobody_and_a_name_of_two_is_no_answer(slack_http: Slack) -> None:
    slack_http.add("Sam Twin", email="one@example.com")
    slack_http.add("Sam Twin", email="two@example.com")

    assert outputs(slack_http, contact="Grace", channel="sms")["contact_found"] == "no"
    assert "2 contacts fit the input Contact" in error(
        slack_http, contact="sam twin", channel="email"
    )


def test_a_workflow_that_nobody_is_behind_may_check(slack_http: Slack) -> None:
    assert outputs(slack_http, contact=GRACE, behind=False)["answer"] == "no"


@pytest.mark.parametrize("how", ["make_guest", "make_stranger", "deactivate"])
def test_a_step_of_somebody_who_may_not_look_is_refused(slack_http: Slack, how: str) -> None:
    ben = slack_http.person("Ben").id
    getattr(slack_http.workspace, how)("Ben")

    done = run(slack_http, "Ana", behind=False, contact=GRACE, person=ben)

    assert done["state"] == "failed"
    assert "Optin is for full members of this workspace" in done["error"]
    assert done["outputs"] == {}


def test_nothing_that_a_step_puts_out_names_anybody(slack_http: Slack) -> None:
    secret = slack_http.add("Canary Person", phone="+12125550177", email="canary@example.com")
    why = "Canary Person of canary@example.com rang from +1 212 555 0177"
    slack_http.set(secret, StatusUpdate(sms=ConsentValue.NO, reason=why))

    for contact in ("+12125550177", "canary@example.com", "canary person"):
        for channel in ("sms", "email"):
            said = str(outputs(slack_http, contact=contact, channel=channel))
            assert not any(word in said.casefold() for word in ("canary", "555", "0177", "rang"))


def test_every_reason_has_a_sentence() -> None:
    assert _REASONS.keys() | {Code.NO_ADDRESS} == set(Code)


def test_a_step_reads_and_writes_nothing(slack_http: Slack) -> None:
    before = slack_http.head()

    outputs(slack_http, contact=GRACE)

    assert slack_http.head() == before


@pytest.mark.parametrize("word", ["token_revoked", "token_expired", "invalid_auth"])
def test_the_apps_own_token_ends_a_step_whose_token_is_refused(slack: Slack, word: str) -> None:
    slack.workspace.fault("functions.completeSuccess", "error", error=word, times=1)

    assert outputs(slack, contact=GRACE)["answer"] == "no"
    assert len(slack.workspace.journal("functions.completeSuccess")) == 2


@pytest.mark.parametrize("kind", ["server_error", "close_after_accept", "ratelimited"])
def test_a_step_ends_although_slack_fails_once(slack_http: Slack, kind: str) -> None:
    slack_http.workspace.fault("functions.completeSuccess", kind, times=1)

    assert outputs(slack_http, contact=GRACE)["answer"] == "no"


def test_an_event_that_slack_repeats_runs_once(slack_http: Slack) -> None:
    outputs(slack_http, contact=GRACE)
    payload = last_sent(slack_http, "function_executed")

    assert post_event(slack_http, payload, retry=1) == (200, "")
    outputs(slack_http, contact=GRACE)

    assert len(slack_http.workspace.journal("functions.completeSuccess")) == 2


def test_after_a_restart_a_repeated_event_finds_the_step_ended(slack_http: Slack) -> None:
    outputs(slack_http, contact=GRACE)
    payload = last_sent(slack_http, "function_executed") | {"event_id": "Ev0AGAIN"}

    assert post_event(slack_http, payload) == (200, "")

    slack_http.workspace.wait_until(
        lambda: len(slack_http.workspace.journal("functions.completeSuccess")) == 3
    )
    journal = slack_http.workspace.journal("functions.completeSuccess")
    assert [line["outcome"] for line in journal[1:]] == [
        "token_revoked",
        "execution_not_in_running_state",
    ]


def test_a_step_of_another_version_says_so(slack_http: Slack) -> None:
    outputs(slack_http, contact=GRACE)
    payload = last_sent(slack_http, "function_executed") | {"event_id": "Ev0OLD"}
    payload["event"]["function"]["callback_id"] = "older_step"

    assert post_event(slack_http, payload) == (200, "")

    slack_http.workspace.wait_until(
        lambda: bool(slack_http.workspace.journal("functions.completeError"))
    )
    said = slack_http.workspace.journal("functions.completeError")[0]["args"]["error"]
    assert said.startswith("This step is from another version of Optin.")


def test_a_step_is_acknowledged_before_slack_is_asked_anything(slack: Slack) -> None:
    ana = slack.person("Ana")
    slack.workspace.fault("users.info", "timeout", seconds=1.0)

    outcome = ana.run_step(STEP, contact=GRACE, person=ana.id)

    assert outcome.error is None
    assert outcome.ms < 900
    slack.workspace.wait_until(lambda: ended(ana, 0))


def test_no_log_record_holds_a_contact_or_a_token(
    slack_http: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack_http.workspace.fault("functions.completeSuccess", "error", error="token_revoked")

    outputs(slack_http, contact="grace lee", channel="email")
    error(slack_http, contact="+1 415 555 01", channel="sms")

    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("sandbox")
    ).casefold()
    assert "xwfp-" not in said
    assert "grace" not in said
    assert "415 555" not in said
    assert "41555501" not in said
