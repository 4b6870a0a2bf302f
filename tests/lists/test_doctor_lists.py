"""What `optin doctor` says of the providers' lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Service, StatusUpdate, change
from bot.consent.write_backs import WriteState
from sandbox.client.lists_client import ListsClient
from tests.support.cli_fixtures import Cli
from tests.support.consent_fixtures import AGENT, open_service
from tests.support.list_clients_fixtures import SWITCHES
from tests.support.list_jobs import address_of, person, writing
from tests.support.storages import url_of

ListsOf = Callable[[str], ListsClient]


@pytest.fixture
def stored(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The storage of the commands."""
    monkeypatch.setenv("OPTIN_STORAGE", url_of(cli.folder / "optin.json"))
    service = writing(open_service(cli.folder / "optin.json", lambda: datetime.now(UTC)))
    yield service
    service.store.close()


@pytest.fixture
def on(
    cli: Cli, stored: Service, lists_of: ListsOf, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ListsClient]:
    """Switches a provider's lists on, with other settings if any."""

    def switched(provider: str, **more: str) -> ListsClient:
        lists = lists_of(provider)
        for name, value in (dict(SWITCHES[provider]) | more).items():
            monkeypatch.setenv(name, value.format(url=lists.url))
        return lists

    return switched


def findings(cli: Cli, name: str) -> list[str]:
    """Each line about the provider, with its cure behind it."""
    lines = cli("doctor").out.replace("\n     ", " → ").splitlines()
    return [line for line in lines if f"{name}'s" in line or f"{name} " in line]


def test_lists_that_can_be_read_are_a_line_each(cli: Cli, on: Callable[..., ListsClient]):
    on("sendgrid")
    on("mailgun")

    sendgrid, mailgun = findings(cli, "SendGrid"), findings(cli, "Mailgun")

    assert "✅ SendGrid's suppression lists can be read, with 0 groups." in sendgrid
    assert "✅ SendGrid's API key may write to the lists." in sendgrid
    assert any("lets it" in line and line.startswith("⚪") for line in sendgrid)
    assert any("have not been read yet" in line for line in sendgrid)
    assert "✅ Mailgun's suppression lists of mg.example.com can be read." in mailgun


def test_lists_are_on_without_the_webhook_and_off_beside_it(
    cli: Cli, on: Callable[..., ListsClient], monkeypatch: pytest.MonkeyPatch
):
    on("sendgrid")
    monkeypatch.setenv("OPTIN_MAILGUN_SIGNING_KEY", "key")

    lines = findings(cli, "SendGrid") + findings(cli, "Mailgun")

    assert "⚪ SendGrid is off; OPTIN_SENDGRID_PUBLIC_KEY switches it on." in lines
    assert (
        "⚪ Mailgun's suppression lists are off; OPTIN_MAILGUN_API_KEY switches them on." in lines
    )


def test_a_key_that_is_refused_is_a_fault_with_its_cure(cli: Cli, on: Callable[..., ListsClient]):
    on("sendgrid", OPTIN_SENDGRID_API_KEY="SG.another")

    (line,) = (one for one in findings(cli, "SendGrid") if "closed" in one)

    assert line.startswith("🔴 SendGrid's lists are closed to Optin: SendGrid answers 401. → ")
    assert "Settings, API Keys" in line
    assert cli("doctor").status == 1
    assert "SG.another" not in cli("doctor").out


def test_a_provider_that_is_down_is_advice(cli: Cli, on: Callable[..., ListsClient]):
    on("sendgrid", OPTIN_SENDGRID_API_URL="http://127.0.0.1:1")

    (line,) = (one for one in findings(cli, "SendGrid") if "can't be read" in one)

    assert line.startswith("🟡 SendGrid's lists can't be read: SendGrid can't be reached.")
    assert "OPTIN_SENDGRID_API_KEY" in line


def test_a_key_that_is_sent_in_the_clear_is_advice(cli: Cli, on: Callable[..., ListsClient]):
    on("sendgrid", OPTIN_SENDGRID_API_URL="http://sendgrid.invalid")
    on("mailgun")

    lines = cli("doctor").out.replace("\n     ", " → ").splitlines()

    assert [line for line in lines if "in the clear" in line] == [
        "🟡 OPTIN_SENDGRID_API_URL is not https: the key for SendGrid's API is sent in the clear. "
        "→ Set it to the https address."
    ]


def test_the_first_write_waits_for_a_person(
    cli: Cli, stored: Service, on: Callable[..., ListsClient]
):
    on("sendgrid", OPTIN_WRITE_BACK="yes")
    opted_out = person(stored)
    change(stored, opted_out.id, StatusUpdate(email=ConsentValue.NO, reason="By phone"), AGENT)

    (before,) = (one for one in findings(cli, "SendGrid") if "Nothing is written" in one)
    assert cli("sync", "sendgrid", "--yes").status == 0
    after = findings(cli, "SendGrid")

    assert before.startswith("🟡")
    assert "optin sync sendgrid" in before
    assert any("were read to the end on" in line for line in after)
    assert any("was confirmed on" in line and line.startswith("✅") for line in after)


def test_another_key_has_to_be_confirmed_anew(
    cli: Cli, on: Callable[..., ListsClient], monkeypatch: pytest.MonkeyPatch
):
    lists = on("sendgrid", OPTIN_WRITE_BACK="yes")
    assert cli("sync", "sendgrid", "--yes").status == 0
    lists.settle(keys={"SG.new": None})
    monkeypatch.setenv("OPTIN_SENDGRID_API_KEY", "SG.new")

    (line,) = (one for one in findings(cli, "SendGrid") if "another one" in one)

    assert line.startswith("🟡 Nothing is written to SendGrid's lists")


def test_writes_that_failed_for_good_say_why_and_how_many(
    cli: Cli, stored: Service, on: Callable[..., ListsClient]
):
    on("sendgrid", OPTIN_WRITE_BACK="yes")
    for number in range(3):
        one = person(stored, number)
        change(stored, one.id, StatusUpdate(email=ConsentValue.NO, reason="By phone"), AGENT)
    with stored.store.transaction() as records:
        for write in list(records.write_backs.all()):
            problem = "was refused by SendGrid (400)"
            records.write_backs.put(replace(write, state=WriteState.PARKED, problem=problem))

    (line,) = (one for one in findings(cli, "SendGrid") if "for good" in one)

    assert line.startswith(
        "🟡 3 writes to SendGrid's lists failed for good: was refused by SendGrid (400). → "
    )
    assert "optin sync sendgrid" in line
    assert address_of(0) not in cli("doctor").out


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"OPTIN_MAILGUN_API_KEY": "key"}, "OPTIN_MAILGUN_DOMAINS"),
        ({"OPTIN_SES_REGION": "us-east-1"}, "AWS_ACCESS_KEY_ID"),
        ({"OPTIN_TWILIO_CONSENT": "add"}, "OPTIN_TWILIO_CONSENT_SENDERS"),
    ],
)
def test_settings_that_belong_together_are_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], says: str
):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    out = cli("doctor").out

    assert "🔴 A provider's lists can't be switched on." in out
    assert says in out


def test_amazons_bounces_only_and_sendgrids_whitelist_have_their_cures(
    cli: Cli, on: Callable[..., ListsClient]
):
    on("ses").settle(reasons=["BOUNCE"])
    on("sendgrid").settle(whitelist=["example.com"])

    ses, sendgrid = findings(cli, "Amazon SES"), findings(cli, "SendGrid")

    assert any("bounces only" in line and " → " in line for line in ses)
    assert any("Address Whitelist is on" in line and " → " in line for line in sendgrid)
