"""What programs did by the API, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.config.settings import Settings
from bot.consent.api_key import Scope
from bot.consent.cases import Case
from bot.consent.model import Channel
from bot.consent.use_cases import Details, add
from bot.consent.use_cases.api_keys import add_key
from bot.consent.use_cases.stated.state_consent import state_consent
from bot.consent.use_cases.stated.statement import ConsentStatement, StatedStatus, program
from bot.runtime.open_service import open_service
from tests.support.cli_fixtures import Cli
from tests.support.consent_fixtures import AGENT, OPERATOR
from tests.support.stated_fixtures import proof

PHONE = "+14155550100"


@pytest.fixture
def case(cli: Cli) -> Iterator[Case]:
    """The web shop's request for Ana, whom it had opted out of texts."""
    with open_service(Settings.read({})) as service:
        key, _ = add_key(service, "Web shop", [Scope.WRITE], OPERATOR)
        ana = add(service, Details(name="Ana", phone=PHONE), AGENT)
        for status in (StatedStatus.NO, StatedStatus.YES):
            statement = ConsentStatement(
                channel=Channel.SMS, status=status, evidence=proof(service.now())
            )
            case = state_consent(service, ana.id, statement, program(key.id)).case
        assert case is not None
        yield case


def test_the_activity_log_names_the_program(cli: Cli, case: Case) -> None:
    everybody, one = cli("activity"), cli("activity", PHONE)

    assert (everybody.status, everybody.err) == (0, "")
    assert "by the API (Web shop)" in everybody.out
    assert "Contact added" in everybody.out
    assert "by the API (Web shop)" in one.out


def test_a_request_names_the_program(cli: Cli, case: Case) -> None:
    shown = cli("case", "show", case.id)

    assert (shown.status, shown.err) == (0, "")
    assert "☑ Requested by the API (Web shop)" in shown.out
    assert "☐ A manager approves" in shown.out
