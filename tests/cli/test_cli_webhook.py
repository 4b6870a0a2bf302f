"""`optin webhook`, as a person types it."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook as Verifier

from tests.support.cli_fixtures import Cli, refused
from tests.support.endpoints import receiver


def added(cli: Cli, *arguments: str) -> tuple[str, str]:
    """The id and the secret."""
    done = cli("webhook", "add", *arguments)
    assert done.status == 0, done.err
    secret, _, third = done.out.splitlines()
    return third.split()[3].rstrip("."), secret


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIN_WEBHOOK_ALLOW", "127.0.0.0/8")


def test_the_secret_is_shown_once(cli: Cli):
    id, secret = added(cli, "https://crm.example.com/optin")
    listed = cli("webhook", "list").out

    assert secret.startswith("whsec_")
    assert f"{id}  https://crm.example.com/optin  all events  active" in listed
    assert secret not in listed


def test_a_webhook_can_ask_for_some_events(cli: Cli):
    added(cli, "https://crm.example.com/", "--events", "consent.changed, block.changed")

    assert "consent.changed, block.changed" in cli("webhook", "list").out
    stranger = refused(cli("webhook", "add", "https://crm.example.com/", "--events", "consent"))
    assert stranger.startswith("'consent' is no type of event. Choose some of contact.changed")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://crm.example.com/", "The URL must begin with https://."),
        ("https://ana:secret@crm.example.com/", "The URL must not have a user name"),
        ("https://127.0.0.1/", "The host is a private or reserved address"),
        ("https://2130706433/", "The host is an unusual form of an IP address."),
        ("https://crm.example.com/#part", "The URL must not have a part behind #."),
        ("https:///path", "The URL has no host that can be read."),
        ("crm.example.com", "The URL has no host that can be read."),
        ("https://crm.example.com/ä", "The URL is too long, or has characters"),
    ],
)
def test_a_url_that_will_not_do_is_refused_with_a_reason(cli: Cli, url: str, said: str):
    assert refused(cli("webhook", "add", url)).startswith(said)


@pytest.mark.usefixtures("allowed")
def test_a_test_event_is_signed_and_its_result_is_told(cli: Cli):
    with receiver() as endpoint:
        id, secret = added(cli, endpoint.url)
        done = cli("webhook", "test", id)
        endpoint.answer = lambda handler, received: 503
        failed = refused(cli("webhook", "test", id[:6]))

    assert done.out == f"The event arrived: {id}, {endpoint.url}.\n"
    assert failed == "The event did not arrive: 127.0.0.1 answered 503."
    one = endpoint.received[0]
    assert one.json["type"] == "webhook.test"
    Verifier(secret).verify(one.body, dict(one.headers))


@pytest.mark.usefixtures("allowed")
def test_both_secrets_sign_after_a_rotation(cli: Cli):
    with receiver() as endpoint:
        id, old = added(cli, endpoint.url)
        rotated = cli("webhook", "rotate", id).out.splitlines()
        cli("webhook", "test", id)

    assert rotated[0] != old
    assert "The old one signs, too, until" in rotated[1]
    for secret in (old, rotated[0]):
        Verifier(secret).verify(endpoint.received[0].body, dict(endpoint.received[0].headers))


def test_a_webhook_is_paused_resumed_replayed_and_removed(cli: Cli):
    id, _ = added(cli, "https://crm.example.com/optin")
    cli("contact", "add", "--name", "Ana", "--phone", "+14155550100")

    assert cli("webhook", "pause", id).out.startswith("Paused: ")
    assert "paused" in cli("webhook", "list").out
    assert "is paused" in cli("webhook", "replay", id, "--after", "0").out
    assert cli("webhook", "resume", id, "--after", "2020-01-01").out.startswith("Active: ")
    assert cli("webhook", "resume", id, "--after", "99").err == "The log's places go from 0 to 1.\n"
    assert cli("webhook", "replay", id, "--after", "soon").status == 2
    assert cli("webhook", "remove", id).out.startswith("Removed: ")
    assert cli("webhook", "list").out.startswith("There are no webhooks.")
    assert refused(cli("webhook", "pause", id)).startswith("There is no such webhook.")


def test_each_command_explains_itself(cli: Cli):
    for command in ("add", "list", "pause", "resume", "replay", "rotate", "remove", "test"):
        done = cli("webhook", command, "--help")
        assert done.status == 0
        assert len(done.out.splitlines()) > 5
