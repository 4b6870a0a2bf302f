"""`optin stats`."""

from __future__ import annotations

from bot.config.settings import Settings
from bot.consent.use_cases.ingest import ingest
from bot.runtime import open_service
from tests.support.alerts_fixtures import reply
from tests.support.cli_fixtures import Cli, refused

PHONE = "+14155550100"


def stop(cli: Cli) -> None:
    cli("contact", "add", "--name", "Ana Gómez", "--phone", PHONE)
    cli("set", "ana", "--sms", "yes", "--reason", "Web form", "--evidence", "Form 12")
    with open_service.open_service(Settings.read({})) as service:
        ingest(service, [reply("STOP", PHONE, occurred_at=service.now())])


def test_the_numbers_are_said_in_sentences_with_a_line_for_each_day(cli: Cli) -> None:
    stop(cli)
    lines = cli("stats").out.splitlines()

    assert (
        lines[1] == "  SMS: 0 of 1 contact with a phone number agreed (0 %); 0 can be sent to now."
    )
    assert "  SMS: 1 (1 by text)." in lines
    assert len([line for line in lines if "█" in line]) == 1
    assert any("within less than a second" in line for line in lines)


def test_programs_get_counts(cli: Cli) -> None:
    stop(cli)
    found = cli("stats", "--since", "2026-01-01", "--json").json

    (opt_out,) = found["opt_outs"]
    assert (opt_out["channel"], opt_out["source"], opt_out["count"]) == ("sms", "text", 1)
    assert found["contacts"]["sms"] == {"with_address": 1, "on": 0, "reachable": 0}
    assert found["honoured"]["told"]["late"] == 0


def test_an_empty_storage_has_numbers_too(cli: Cli) -> None:
    out = cli("stats").out

    assert "Nobody opted out." in out
    assert "Nothing bounced." in out


def test_a_day_that_cant_be_read_or_is_to_come_is_refused(cli: Cli) -> None:
    assert "--since can't be read" in refused(cli("stats", "--since", "yesterday"), 2)
    assert "a day to come" in refused(cli("stats", "--since", "2999-01-01"), 2)
