"""`optin case`: re-opt-in, in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.config.settings import Settings
from bot.consent.api_key import Scope
from bot.consent.model import Actor, Channel, Role
from bot.consent.use_cases import CaseRequest, Service, request
from bot.consent.use_cases.api_keys import add_key
from bot.consent.use_cases.find_exactly import find_exactly
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.stated.stated_cases import state_request
from bot.consent.use_cases.stated.statement import StatedEvidence, program
from bot.runtime import open_service
from tests.support.alerts_fixtures import SENDER, reply
from tests.support.cli_fixtures import Cli, refused
from tests.support.consent_fixtures import OPERATOR

PHONE = "+14155550100"


@pytest.fixture(autouse=True)
def texted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Ana replied STOP an hour ago; the service is another process's, on the same storage."""
    monkeypatch.delenv("OPTIN_SELF_APPROVE", raising=False)
    cli("contact", "add", "--name", "Ana Gómez", "--phone", PHONE)
    with open_service.open_service(Settings.read({})) as service:
        ingest(service, [reply("STOP", occurred_at=datetime.now(UTC) - timedelta(hours=1))])
        yield service


def requested(cli: Cli, *more: str) -> str:
    """The id of a new case."""
    done = cli("case", "request", PHONE, "--evidence", "Called us", *more)
    assert done.status == 0, done.err
    return done.out.split()[2]


def other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else sits down at the keyboard."""
    monkeypatch.setenv("LOGNAME", "somebody-else")


def test_a_program_that_asked_is_named(cli: Cli, texted: Service) -> None:
    key, _ = add_key(texted, "Newsletter", [Scope.WRITE], OPERATOR)
    (ana,) = find_exactly(texted, OPERATOR, phone=PHONE)
    at = datetime.now(UTC) - timedelta(minutes=1)
    evidence = StatedEvidence(source="form", text="Signed up", occurred_at=at)
    case = state_request(texted, ana.contact.id, Channel.SMS, evidence, program(key.id))
    for shown in (cli("case", "show", case.id), cli("activity"), cli("activity", PHONE)):
        assert shown.status == 0, shown.err
        assert "the API (Newsletter)" in shown.out


def test_two_keys_in_a_terminal(cli: Cli, texted: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    case = requested(cli, "--reason", "Asked by phone")
    other(monkeypatch)
    shown = cli("case", "show", case[:8]).out
    approved = cli("case", "approve", case).out
    before = cli("status", PHONE, "--json").json["sms"]
    ingest(texted, [reply("UNSTOP")])
    after = cli("status", PHONE, "--json").json["sms"]

    assert f"☐ Contact texts UNSTOP to +1 {SENDER[2:5]}" in shown
    assert "☐ A manager approves" in shown
    assert "☑ Approved by somebody-else at the command line" in approved
    assert (before["on"], after["on"], after["answer"]) == ("NO", "YES", "yes")
    assert [e["after"] for e in cli("activity", PHONE, "--json").json if e["kind"] == "case"] == [
        "completed",
        "approved",
        "pending",
    ]
    assert cli("verify").status == 0


def test_what_the_contact_refused_is_asked_for_and_not_set(cli: Cli) -> None:
    said = refused(cli("set", PHONE, "--sms", "yes", "--reason", "x", "--evidence", "y"))

    assert "optin case request" in said


def test_nobody_approves_their_own_request(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    case = requested(cli)
    said = refused(cli("case", "approve", case))
    monkeypatch.setenv("OPTIN_SELF_APPROVE", "yes")
    done = cli("case", "approve", case)

    assert "another manager" in said
    assert "who asked for it" in done.out


def test_a_case_is_decided_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    case = requested(cli)
    other(monkeypatch)
    denied = cli("case", "deny", case, "--reason", "No record of that call")
    again = refused(cli("case", "approve", case))

    assert "No record of that call" in denied.out
    assert again.startswith("This is denied already by somebody-else")
    assert "There is none." in cli("case", "list").out
    assert case in cli("case", "list", PHONE).out


def test_open_requests_are_listed_and_taken_back(cli: Cli) -> None:
    case = requested(cli)
    listed = cli("case", "list").out
    twice = refused(cli("case", "request", PHONE, "--evidence", "again"))
    cli("case", "cancel", case)

    assert case in listed
    assert "Ana Gómez" in listed
    assert "Somebody asked for this already" in twice
    assert "There is none." in cli("case", "list").out


def test_people_of_slack_are_named_without_its_markup(cli: Cli, texted: Service) -> None:
    ana = json.loads(cli("status", PHONE, "--json").out)["contact"]["id"]
    asked = CaseRequest(channel=Channel.SMS, evidence="Called us")
    request(texted, ana, asked, Actor(id="slack:U0ANA", role=Role.AGENT, source="slack"))
    listed = cli("case", "list", PHONE).out
    shown = cli("case", "show", listed.split()[0]).out

    assert "Requested by Slack user U0ANA" in shown
    assert "<@" not in listed + shown


@pytest.mark.parametrize(
    ("at", "status", "said"),
    [
        ("2001-02-03", 1, "newer"),
        ("2999-01-01", 1, "future"),
        ("soon", 2, "2026-11-23T09:30"),
        ("today", 2, "can't be read"),
    ],
)
def test_when_they_agreed_has_to_be_after_they_refused(
    cli: Cli, at: str, status: int, said: str
) -> None:
    done = cli("case", "request", PHONE, "--evidence", "Called us", "--evidence-at", at)

    assert said in refused(done, status)


def test_a_day_counts_to_its_end_and_never_later_than_now(cli: Cli, texted: Service) -> None:
    requested(cli, "--evidence-at", f"{datetime.now(UTC):%Y-%m-%d}")
    with texted.store.reading() as records:
        [case] = records.cases.all_open(limit=2)

    assert case.evidence.at is not None
    assert timedelta(0) <= datetime.now(UTC) - case.evidence.at < timedelta(minutes=1)


def test_what_is_not_there_is_said(cli: Cli) -> None:
    assert "no such request" in refused(cli("case", "show", "abc"))
    assert "no such request" in refused(cli("case", "approve", ""))
    assert "Say what shows" in refused(cli("case", "request", PHONE, "--evidence", " \t"))
