"""`optin status --at`: the card as of a moment in the past."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from datetime import time as dt_time

import pytest

from bot.consent.rules import RULES_VERSION
from tests.support.cli_fixtures import Cli, refused

PHONE = "+14155550100"


@pytest.fixture
def ana(cli: Cli) -> str:
    """The id of a contact who said yes to texts."""
    cli("contact", "add", "--name", "Ana", "--phone", PHONE)
    cli("set", PHONE, "--sms", "yes", "--reason", "Web form", "--evidence", "Form 3")
    return str(cli("status", PHONE, "--json").json["contact"]["id"])


def moment() -> str:
    """Now. Whatever is recorded from here on is later."""
    now = datetime.now(UTC)
    while datetime.now(UTC) == now:
        time.sleep(0)
    return now.isoformat()


def test_the_card_of_a_past_moment_says_by_what_it_was_made(cli: Cli, ana: str) -> None:
    before = moment()
    cli("set", PHONE, "--sms", "no", "--reason", "Asked by phone")

    known = cli("status", PHONE, "--at", before)
    assert known.status == 0, known.err
    assert "SMS ✅ Opted in" in known.out
    assert known.out.startswith("As of ")
    assert "by what Optin had recorded by then." in known.out
    assert f"Today's rules (version {RULES_VERSION}) and today's senders decide." in known.out
    assert "Activity" not in known.out

    happened = cli("status", PHONE, "--at", before, "--by", "happened")
    assert "by what had happened by then, also where Optin learned of it later." in happened.out
    assert "SMS ✅ Opted in" in happened.out
    assert "SMS 🔴 Opted out" in cli("status", PHONE, "--at", moment()).out


def test_the_json_of_a_past_moment_names_the_time_the_basis_and_the_rules(
    cli: Cli, ana: str
) -> None:
    live = cli("status", PHONE, "--json").json
    at = moment()

    past = cli("status", ana, "--at", at, "--json").json
    about = {"at": at.replace("+00:00", "Z"), "by": "recorded", "rules_version": RULES_VERSION}
    assert past == live | about


def test_a_date_is_the_end_of_its_day_and_today_ends_now(cli: Cli, ana: str) -> None:
    today = datetime.now(UTC).date()
    assert "SMS ✅ Opted in" in cli("status", PHONE, "--at", today.isoformat()).out

    yesterday = cli("status", PHONE, "--at", (today - timedelta(days=1)).isoformat())
    assert "did not have this contact then: it came on" in refused(yesterday)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("yesterday", "That is no time: write it as 2026-03-03T12:00"),
        ("2026-13-40", "That is no time"),
        ("9999-12-31T23:59:59-23:00", "That is no time"),
    ],
)
def test_what_is_no_time_is_wrong_usage(cli: Cli, ana: str, at: str, said: str) -> None:
    assert said in refused(cli("status", PHONE, "--at", at), 2)


def test_a_time_to_come_is_refused(cli: Cli, ana: str) -> None:
    assert refused(cli("status", PHONE, "--at", "2999-01-01")) == "That time is still to come."


def test_a_moment_before_the_contact_on_the_same_day_is_told_the_time(cli: Cli) -> None:
    while datetime.now(UTC).time() > dt_time(23, 59, 50):
        time.sleep(1)  # the moment before would be of another day
    before = moment()
    cli("contact", "add", "--name", "Ana", "--phone", PHONE)
    ana = cli("status", PHONE, "--json").json["contact"]["id"]
    came = datetime.fromisoformat(cli("activity", PHONE, "--json").json[0]["recorded_at"])

    said = refused(cli("status", ana, "--at", before))
    assert said == (
        f"Optin did not have this contact then: it came on {came.day} {came:%b %Y, %H:%M:%S} UTC."
    )


def test_a_basis_without_a_time_is_refused(cli: Cli, ana: str) -> None:
    assert "--by needs --at" in refused(cli("status", PHONE, "--by", "happened"), 2)


def test_a_number_means_whoever_had_it_then(cli: Cli, ana: str) -> None:
    before = moment()
    cli("contact", "set", ana, "--phone", "+14155550111")
    cli("contact", "add", "--name", "Bob", "--phone", PHONE)

    assert "Ana" in cli("status", PHONE, "--at", before).out
    assert "Bob" in cli("status", PHONE, "--at", moment()).out
    given_up = cli("status", "+14155550111", "--at", before)
    assert "Ana" in given_up.out
    assert "The contact did not have +14155550111 then." in given_up.out


def test_several_who_had_a_number_then_are_listed(cli: Cli, ana: str) -> None:
    cli("contact", "add", "--name", "Bob", "--phone", PHONE)
    cli("set", "Bob", "--sms", "no", "--reason", "Asked by phone")
    before = moment()
    cli("contact", "set", "Bob", "--phone", "+14155550111")

    done = cli("status", PHONE, "--at", before)
    assert "2 contacts had this address then: name the one by its id." in refused(done)
    assert ana in done.err


def test_whoever_was_merged_since_is_found_by_their_id(cli: Cli, ana: str) -> None:
    cli("contact", "add", "--name", "Twin", "--phone", "+14155550111")
    twin = cli("status", "Twin", "--json").json["contact"]["id"]
    before = moment()
    merged = cli("contact", "merge", ana, twin)
    assert merged.status == 0, merged.err

    assert "Twin" in cli("status", twin, "--at", before).out
    assert f"Merged into contact {ana}" in cli("status", twin, "--at", moment()).err


def test_nobody_had_and_has_this_number(cli: Cli, ana: str) -> None:
    done = cli("status", "+14155550142", "--at", moment(), "--json")

    assert done.status == 1
    assert json.loads(done.out)["contact"] is None
    assert "Nobody has this phone number" in done.err
