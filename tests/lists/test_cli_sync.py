"""`optin sync`, as a person types it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.list_state import read_state
from bot.consent.write_backs import WriteState
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.cli_fixtures import Cli, refused
from tests.support.consent_fixtures import open_service
from tests.support.list_jobs import (
    KEY,
    UNSUBSCRIBES,
    address_of,
    opted_out,
    person,
    rows,
    writing,
)
from tests.support.storages import url_of

TABLE = re.compile(r"^ +(.+?)  +([\d,]+)$", re.M)


@pytest.fixture
def on(cli: Cli, there: ListsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """SendGrid's lists are on, and Optin may write to them."""
    monkeypatch.setenv("OPTIN_SENDGRID_API_KEY", KEY)
    monkeypatch.setenv("OPTIN_SENDGRID_API_URL", there.url)
    monkeypatch.setenv("OPTIN_WRITE_BACK", "yes")
    monkeypatch.setenv("OPTIN_STORAGE", url_of(cli.folder / "optin.json"))


@pytest.fixture
def stored(cli: Cli, on: None) -> Iterator[Service]:
    """The storage of the commands."""
    service = writing(open_service(cli.folder / "optin.json", lambda: datetime.now(UTC)))
    yield service
    service.store.close()


class Typed(StringIO):
    """A terminal at which a person types this."""

    def isatty(self) -> bool:
        return True


def counts(out: str) -> dict[str, int]:
    return {what: int(count.replace(",", "")) for what, count in TABLE.findall(out)}


def test_a_dry_run_counts_and_changes_nothing(
    cli: Cli, stored: Service, there: ListsClient
) -> None:
    opted_out(stored, 3)
    there.generate(UNSUBSCRIBES, 700, "theirs{}@example.com")
    there.add("spam_reports", "angry@example.com")
    done = cli("sync", "sendgrid", "--dry-run")

    assert (done.status, done.err) == (0, "")
    assert counts(done.out) == {
        "On both sides": 0,
        "Only at SendGrid": 701,
        "reported spam": 1,
        "unsubscribed": 700,
        "Only in Optin: opt-outs to add": 0,
        "In Optin and not shown: to be looked up": 0,
    }
    assert "Nothing was changed." in done.out
    assert there.calls("add") == 0
    assert read_state(stored, "sendgrid").finished_at is None
    assert {write.state for write in rows(stored)} == {WriteState.WAITING}


def test_without_a_terminal_the_first_write_needs_yes(
    cli: Cli, stored: Service, there: ListsClient
) -> None:
    opted_out(stored, 2)
    done = cli("sync", "sendgrid")

    assert done.status == 1
    assert "Not confirmed, so nothing was written to SendGrid's list" in done.err
    assert "2 opt-outs to add" in done.out
    assert there.count(UNSUBSCRIBES) == 0


def test_yes_confirms_and_writes(cli: Cli, stored: Service, there: ListsClient) -> None:
    opted_out(stored, 2)
    there.add(UNSUBSCRIBES, "theirs@example.com")
    done = cli("sync", "--yes")

    assert (done.status, done.err) == (0, "")
    assert "Written to SendGrid's lists: 2 of 2." in done.out
    assert there.count(UNSUBSCRIBES) == 3
    state = read_state(stored, "sendgrid")
    assert (state.confirmed_by or "").startswith("cli:")
    again = cli("sync", "sendgrid")
    assert (again.status, again.err) == (0, "")
    assert counts(again.out) == {
        "On both sides": 3,
        "Only at SendGrid": 0,
        "Only in Optin: opt-outs to add": 0,
        "No longer at SendGrid": 0,
    }


@pytest.mark.parametrize(("answer", "written", "status"), [("y\n", 2, 0), ("n\n", 0, 1)])
def test_a_person_is_shown_the_counts_and_asked(
    cli: Cli,
    stored: Service,
    there: ListsClient,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    written: int,
    status: int,
) -> None:
    opted_out(stored, 2)
    monkeypatch.setattr(sys, "stdin", Typed(answer))
    done = cli("sync", "sendgrid")

    assert done.status == status
    assert "Now: 2 opt-outs to add." in done.out
    assert "Write these to SendGrid's list?" in done.out
    assert there.count(UNSUBSCRIBES) == written


def test_a_rate_limit_is_waited_for(
    cli: Cli, stored: Service, there: ListsClient, workspace: Workspace
) -> None:
    there.generate(UNSUBSCRIBES, 600, "theirs{}@example.com")
    workspace.fault("lists/sendgrid GET", "ratelimited", times=2, retry_after=0)
    done = cli("sync", "sendgrid", "--dry-run")

    assert (done.status, done.err) == (0, "")
    assert counts(done.out)["Only at SendGrid"] == 600


def test_why_nothing_could_be_written_is_told(
    cli: Cli, stored: Service, there: ListsClient, workspace: Workspace
) -> None:
    opted_out(stored, 2)
    workspace.fault("lists/sendgrid POST", "ratelimited", retry_after=60)
    done = cli("sync", "--yes")

    assert done.status == 1
    assert "Written to SendGrid's lists: 0 of 2." in done.out
    assert "SendGrid's lists can't be written to now: SendGrid answers 429." in done.err


def test_a_refused_key_is_told_with_what_to_do(
    cli: Cli, stored: Service, there: ListsClient
) -> None:
    there.settle(keys={})
    said = refused(cli("sync", "sendgrid"))

    assert said.startswith("SendGrid's lists were not read: SendGrid answers 401.")
    assert "OPTIN_SENDGRID_API_KEY" in said


def test_a_provider_that_is_off_is_wrong_usage(cli: Cli) -> None:
    assert "OPTIN_SENDGRID_API_KEY" in refused(cli("sync"), 2)
    assert refused(cli("sync", "SendGrid"), 2) == (
        "SendGrid's lists are off: OPTIN_SENDGRID_API_KEY is not set."
    )
    assert refused(cli("sync", "acme"), 2).startswith("acme has no lists that Optin can read.")


def test_a_sync_never_opts_in(cli: Cli, stored: Service, there: ListsClient) -> None:
    ana = person(replace(stored, now=lambda: datetime.now(UTC) - timedelta(days=1)))
    with stored.store.transaction() as records:
        found = records.contacts.get(ana.id)
    there.add(UNSUBSCRIBES, address_of(0))
    cli("sync", "--yes")
    there.remove(UNSUBSCRIBES, address_of(0))
    cli("sync", "--yes")
    with stored.store.reading() as records:
        after = records.contacts.get(ana.id)

    assert found is not None
    assert after is not None
    assert after.consents[address_of(0)].on is ConsentValue.NO


def test_lists_that_are_suddenly_empty_are_confirmed_where_nothing_is_written(
    cli: Cli, stored: Service, there: ListsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIN_WRITE_BACK", "no")
    for number in range(1, 21):
        person(stored, number)
    there.generate(UNSUBSCRIBES, 20, "contact{}@example.com")
    assert cli("sync", "sendgrid").status == 0
    there.remove(UNSUBSCRIBES, *(address_of(number) for number in range(1, 21)))
    unconfirmed = cli("sync", "sendgrid")
    assert unconfirmed.status == 1
    assert "If these are the right lists, say --yes" in unconfirmed.err
    done = cli("sync", "sendgrid", "--yes")
    again = cli("sync", "sendgrid")

    assert (done.status, again.status) == (0, 0)
    assert counts(again.out)["No longer at SendGrid"] == 20
    assert rows(stored) == []
