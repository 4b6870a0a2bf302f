"""`optin bounces clear`: what our own broken mail server made bounce, cleared by provider and time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.config.settings import Settings
from bot.consent.events import EventKind, Failure
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest
from bot.runtime import open_service
from tests.support.cli_fixtures import Cli, refused
from tests.support.take_fixtures import mailed

OUTAGE = datetime.now(UTC) - timedelta(hours=3)
WHEN = (f"--since={OUTAGE:%Y-%m-%dT%H:%M}", f"--until={OUTAGE + timedelta(hours=1):%Y-%m-%dT%H:%M}")
WHY = ("--reason=Our mail server was broken", "--evidence=Repaired, and tried by hand")


@pytest.fixture
def told(cli: Cli) -> Iterator[Service]:
    """A service of another process on the same storage, which providers tell."""
    with open_service.open_service(Settings.read({})) as service:
        yield service


@pytest.fixture
def bounced(cli: Cli, told: Service) -> int:
    """So many addresses bounced during the outage, at SendGrid."""
    for number in range(3):
        cli("contact", "add", f"--name=C{number}", f"--email=c{number}@example.com")
        bounce(told, f"c{number}@example.com", OUTAGE + timedelta(minutes=10))
    return 3


def bounce(service: Service, address: str, at: datetime, provider: str = "sendgrid") -> None:
    event = mailed(
        EventKind.FAILED, address=address, provider=provider, failure=Failure.HARD, occurred_at=at
    )
    ingest(service, [event])


def bounces(cli: Cli) -> list[str]:
    return [line["email"]["bounce"] for line in cli("export", "--format=json").json]


def test_it_counts_first_and_clears_only_that_provider_and_time(
    cli: Cli, told: Service, bounced: int
) -> None:
    for name, provider, at in (
        ("other", "postmark", OUTAGE + timedelta(minutes=10)),
        ("later", "sendgrid", OUTAGE + timedelta(hours=2)),
    ):
        cli("contact", "add", f"--name={name}", f"--email={name}@example.com")
        bounce(told, f"{name}@example.com", at, provider)
    counted = cli("bounces", "clear", "--provider=SendGrid", *WHEN, "--dry-run")
    assert counted.status == 0
    assert counted.out.startswith(f"{bounced} addresses bounced by SendGrid's word")
    assert "another provider, which stay: 1" in counted.out
    assert bounces(cli) == ["YES"] * 5
    done = cli("bounces", "clear", "--provider=sendgrid", *WHEN, *WHY, "--yes")

    assert done.status == 0, done.err
    assert f"Cleared: {bounced}." in done.out
    assert sorted(bounces(cli)) == ["PROBATION"] * 3 + ["YES"] * 2
    entry = cli("activity", "c1@example.com", "--json").json[0]
    assert (entry["kind"], entry["after"]) == ("bounce", "PROBATION")
    assert cli("verify").status == 0
    # Once more, there is nothing to clear.
    assert "Nothing was changed." in cli("bounces", "clear", "--provider=sendgrid", *WHEN, *WHY).out


def test_without_a_terminal_it_clears_nothing_unasked(cli: Cli, bounced: int) -> None:
    done = cli("bounces", "clear", "--provider=sendgrid", *WHEN, *WHY)

    assert done.status == 1
    assert "Say --yes." in done.err
    assert bounces(cli) == ["YES"] * bounced


def test_it_takes_a_reason_and_evidence(cli: Cli, bounced: int) -> None:
    done = cli("bounces", "clear", "--provider=sendgrid", *WHEN, "--yes")

    assert done.status == 2
    assert "--evidence" in done.err
    assert bounces(cli) == ["YES"] * bounced


def test_a_time_or_a_provider_that_makes_no_sense_is_refused(cli: Cli) -> None:
    clear = ("bounces", "clear", "--dry-run", "--provider")

    assert "--since is no time" in refused(cli(*clear, "sendgrid", "--since=x", WHEN[1]), 2)
    assert "no provider" in refused(cli(*clear, "sendgird", *WHEN))
    turned = (WHEN[1].replace("until", "since"), WHEN[0].replace("since", "until"))
    assert "before the end" in refused(cli(*clear, "sendgrid", *turned))
