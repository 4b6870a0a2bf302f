"""Faults of Slack in the middle of things: what passes, what somebody has to mend, what is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient

from bot.consent.model import ConsentValue
from bot.consent.use_cases import approve
from handlers.slack.response_url import reply as answer
from sandbox.client import PersonClient
from sandbox.first_workspace import ALERTS, LEE, MANAGERS
from tests.support.consent_fixtures import MANAGER
from tests.support.slack_fixtures import Slack, Start, card, opened, said, started

LASTING = {
    "missing_scope": "has to add the missing scope",
    "invalid_auth": "SLACK_BOT_TOKEN",
    "token_revoked": "SLACK_BOT_TOKEN",
    "account_inactive": "SLACK_BOT_TOKEN",
    "user_not_found": "A workspace admin has to check your account",
    "access_denied": "A workspace admin has to allow the app",
}


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        yield slack


def readyz(slack: Slack) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(slack.url).netloc, timeout=20)
    connection.request("GET", "/readyz")
    found = connection.getresponse()
    text = found.read().decode()
    connection.close()
    return found.status, text


# What does not pass by itself names the fault and who mends it


@pytest.mark.parametrize("word", LASTING)
def test_a_fault_that_lasts_is_named_where_somebody_asks(http: Slack, word: str) -> None:
    http.workspace.fault("users.info", "error", error=word, times=99)

    told = said(http.person("Ana").command("/optin ana@example.com"))

    assert word in told
    assert LASTING[word] in told
    assert "in a minute" not in told


@pytest.mark.parametrize("word", ["missing_scope", "token_revoked", "account_inactive"])
def test_a_fault_that_lasts_is_named_where_a_window_should_open(http: Slack, word: str) -> None:
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    http.workspace.fault("views.open", "error", error=word, times=99)

    told = said(ana.press("Edit"))

    assert word in told
    assert LASTING[word] in told
    assert "in a minute" not in told
    assert "Something broke" not in told


@pytest.mark.parametrize("word", ["internal_error", "service_unavailable", "fatal_error"])
def test_a_fault_that_passes_says_so(http: Slack, word: str) -> None:
    http.workspace.fault("users.info", "error", error=word, times=99)

    assert "Try again in a minute" in said(http.person("Ana").command("/optin ana@example.com"))


# A user group that Slack does not show


def test_a_disabled_group_locks_out_neither_agents_nor_named_managers(start: Start) -> None:
    with start(OPTIN_MANAGERS=f"{LEE},{MANAGERS}") as slack:
        slack.workspace.disable_group("optin-managers")
        ana, lee, mia = (slack.person(name) for name in ("Ana", "Lee", "Mia"))

        card(ana, "ana@example.com")
        ana.press("Edit")
        ana.choose("SMS On", "NO")
        assert opened(ana, ana.submit()).title == "Saved"
        assert slack.on("ana@example.com")[0] is ConsentValue.NO

        card(mia, "paula@example.com")
        mia.press("Edit")
        mia.choose("Email Bounce", "NO")
        mia.choose("Reason", "Correction")
        mia.type("Evidence", "She asked for e-mails again")
        refused = "".join(mia.submit().errors.values())
        mia.close(whole=True)
        assert "Only a manager" in refused
        assert "no_such_subteam" in refused
        assert "A workspace admin has to switch it on" in refused

        card(lee, "paula@example.com")
        assert "Email Bounce" in opened(lee, lee.press("Clear spam complaint")).title
        assert readyz(slack) == (
            200,
            "ready, but Slack does not show a user group (no_such_subteam)",
        )

        slack.workspace.enable_group("optin-managers")
        card(mia, "grace@example.com")
        mia.press("Edit")
        mia.choose("SMS On", "NO")
        mia.submit()
        assert readyz(slack) == (200, "ready")


def test_agents_of_a_disabled_group_are_told_why(start: Start) -> None:
    with start(OPTIN_AGENTS=MANAGERS, OPTIN_MANAGERS=LEE) as slack:
        slack.workspace.disable_group("optin-managers")

        told = said(slack.person("Mia").command("/optin ana"))

        assert "no_such_subteam" in told
        assert "OPTIN_AGENTS" in told
        assert "in a minute" not in told
        card(slack.person("Lee"), "ana@example.com")


# A window whose opening nobody knows of


@pytest.mark.parametrize("kind", ["close_after_accept", "timeout"])
def test_a_window_that_opened_although_the_answer_was_lost_is_no_failure(
    http: Slack, kind: str
) -> None:
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    before = len(ana.messages())
    http.workspace.fault("views.open", kind, **({"seconds": 3} if kind == "timeout" else {}))

    outcome = ana.press("Edit")

    assert opened(ana, outcome).title == "Edit"
    assert len(ana.messages()) == before
    assert ana.dms() == []
    assert len(http.workspace.journal("views.open")) == 1


def test_a_pushed_window_and_the_search_are_looked_for_too(http: Slack) -> None:
    ana = http.person("Ana")
    http.workspace.fault("views.open", "close_after_accept")
    assert opened(ana, ana.command("/optin")).title == "Find a contact"
    ana.pick("Find", "Ana Gómez", typed="ana g")
    http.workspace.fault("views.push", "close_after_accept")

    assert opened(ana, ana.press("Edit")).title == "Edit"
    assert ana.dms() == []


def test_a_window_that_did_not_open_is_said_once(http: Slack) -> None:
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    http.workspace.fault("views.open", "server_error", times=9)

    assert "Slack did not answer" in said(ana.press("Edit"))
    assert ana.modal is None


def test_an_expired_trigger_is_said_whatever_slack_calls_it(http: Slack) -> None:
    """Slack also says `invalid_arguments`, and points at the trigger."""
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    http.workspace.fault(
        "views.open",
        "error",
        error="invalid_arguments",
        messages=["[ERROR] invalid trigger_id [json-pointer:/trigger_id]"],
    )

    assert "Press it again" in said(ana.press("Edit"))


# The loser of a race


def test_the_loser_of_a_race_hears_of_it_by_direct_message(tmp_path: Path) -> None:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        ana, lee = slack.person("Ana"), slack.person("Lee")
        card(ana, "grace@example.com")
        ana.press("Request re-opt-in")
        ana.type("Evidence", "She asked on the phone")
        ana.submit()
        slack.workspace.wait_until(lambda: bool(lee.messages("#optin-alerts")))
        message = lee.messages("#optin-alerts")[-1]
        case = message.button("Approve")[1]["value"].partition(":")[0]
        approve(slack.service, case, MANAGER)
        slack.workspace.fault("response_url", "server_error", times=9)

        lee.press("Approve", in_=message, confirm=True)

        assert "already approved" in lee.dms()[-1].plain


# GovSlack


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://hooks.slack-gov.com/actions/T1/2/x", True),
        ("https://hooks.slack.com/actions/T1/2/x", True),
        ("https://hooks.slack.com.evil.example/x", False),
        ("http://hooks.slack-gov.com/x", False),
        ("https://slack-gov.com/x", False),
        ("https://[broken/x", False),
        ("", False),
    ],
)
def test_only_slacks_own_hosts_are_answered(
    url: str, asked: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name is resolved here: what was asked for failed, and the log says so."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    client = WebClient(base_url="https://slack.com/api/")

    assert answer(client, url, "hello") is False
    assert ("could not be shown" in caplog.text) is asked


# The log as a file


def _logs(person: PersonClient) -> int:
    return len([message for message in person.dms() if message.files])


def _exported(slack: Slack, person: PersonClient, until: str) -> str:
    """What the modal of an export says in the end."""
    opened(person, person.press("Export as CSV"))
    slack.workspace.wait_until(lambda: person.modal is not None and until in person.modal.plain)
    assert person.modal is not None
    return person.modal.plain


@pytest.mark.parametrize("kind", ["close_after_accept", "timeout"])
def test_a_log_that_slack_took_and_answered_late_is_sent_once(http: Slack, kind: str) -> None:
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Activity")
    http.workspace.fault(
        "files.completeUploadExternal", kind, **({"seconds": 12} if kind == "timeout" else {})
    )

    told = _exported(http, ana, "as a file") if kind != "timeout" else None

    if kind == "timeout":
        opened(ana, ana.press("Export as CSV"))  # acknowledged, and on its way
        assert "on its way" in (ana.modal.plain if ana.modal else "")
        ana.close()
        opened(ana, ana.press("Export as CSV"))
        told = ana.modal.plain if ana.modal else ""
        assert "still on its way" in told
    assert told is not None
    assert "nothing was sent" not in told
    assert _logs(ana) == 1


def test_an_export_whose_outcome_is_unknown_says_so_and_is_looked_for(http: Slack) -> None:
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Activity")
    http.workspace.fault("files.completeUploadExternal", "close_after_accept")
    http.workspace.fault("files.info", "error", error="missing_scope", times=2)

    assert "can't tell whether the file arrived" in _exported(http, ana, "lost")
    ana.close()
    assert "can't tell whether the file arrived" in _exported(http, ana, "lost")
    ana.close()
    # Slack says again what it has: the file is there, and is not sent again.
    assert "as a file. It was sent" in _exported(http, ana, "as a file")
    assert _logs(ana) == 1
    ana.close()
    _exported(http, ana, "as a file")  # wanted once more
    assert _logs(ana) == 2


def test_somebody_who_has_looked_may_send_it_again(http: Slack) -> None:
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Activity")
    http.workspace.fault("files.completeUploadExternal", "server_error")
    assert "can't tell" in _exported(http, ana, "lost")
    assert _logs(ana) == 0

    ana.press("Send it again")
    http.workspace.wait_until(lambda: _logs(ana) == 1)


def test_an_export_that_slack_refuses_names_the_fault(http: Slack) -> None:
    ana = http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Activity")
    http.workspace.fault("files.getUploadURLExternal", "error", error="missing_scope")

    told = _exported(http, ana, "nothing was sent")

    assert "missing_scope" in told
    assert "in a minute" not in told
