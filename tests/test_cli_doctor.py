"""`optin doctor`, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.cli.doctor import SCOPES
from sandbox.client import Workspace
from sandbox.manifest import Manifest
from sandbox.workspace import ALERTS, RANDOM
from tests.cli_fixtures import Cli

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.start(mode="socket", manifest=Manifest(scopes=SCOPES)) as running:
        yield running


@pytest.fixture
def well(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Settings with which nothing is wrong."""
    for name in ("SLACK_SIGNING_SECRET", "OPTIN_PUBLIC_URL", "OPTIN_APPROVAL_CHANNEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLACK_API_URL", workspace.api_url)
    monkeypatch.setenv("SLACK_BOT_TOKEN", workspace.bot_token)
    monkeypatch.setenv("SLACK_APP_TOKEN", workspace.app_token)
    monkeypatch.setenv("OPTIN_ALERT_CHANNEL", ALERTS)
    return monkeypatch


def test_it_looks_for_the_scopes_of_the_manifest() -> None:
    manifest = yaml.safe_load(ROOT.joinpath("manifest.yml").read_text("utf-8"))

    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES


def test_where_all_is_well_every_line_says_so(cli: Cli, well: pytest.MonkeyPatch) -> None:
    done = cli("doctor")

    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "✅ Settings can be read.",
        "✅ The storage opens: 0 contacts, 0 log entries.",
        "✅ No public address is set; Slack's Socket Mode needs none.",
        "✅ Twilio is off; OPTIN_TWILIO_AUTH_TOKEN switches it on.",
        "✅ Telnyx is off; OPTIN_TELNYX_PUBLIC_KEY switches it on.",
        "✅ Vonage is off; OPTIN_VONAGE_SIGNATURE_SECRET switches it on.",
        "✅ SendGrid is off; OPTIN_SENDGRID_PUBLIC_KEY switches it on.",
        "✅ Mailgun is off; OPTIN_MAILGUN_SIGNING_KEY switches it on.",
        "✅ Postmark is off; OPTIN_POSTMARK_PASSWORD switches it on.",
        "✅ Amazon SES is off; OPTIN_SES_TOPIC_ARNS switches it on.",
        "✅ Resend is off; OPTIN_RESEND_SIGNING_SECRET switches it on.",
        "✅ One-click unsubscribe is off; OPTIN_UNSUBSCRIBE_KEY switches it on.",
        "✅ Slack knows the bot as @optin in Acme Support.",
        "✅ The bot has every scope that it needs.",
        "✅ Socket Mode can connect.",
        f"✅ OPTIN_ALERT_CHANNEL is {ALERTS}; --post tries whether the bot can post there.",
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-revoked", "Slack refuses the bot token: invalid_auth."),
        ("SLACK_BOT_TOKEN", "", "There is no bot token."),
        ("SLACK_APP_TOKEN", "xapp-wrong", "Slack refuses the app-level token"),
        ("SLACK_APP_TOKEN", "", "There is no way for Slack to reach us."),
        ("SLACK_API_URL", "http://127.0.0.1:9/api/", "Slack can't be reached"),
        ("OPTIN_PUBLIC_URL", "http://optin.example.com", "The public address is not https."),
        ("OPTIN_PUBLIC_URL", "https://192.168.1.4", "can't be reached from outside"),
        ("OPTIN_STORAGE", "tinydb:////proc/none/optin.json", "The storage can't be used."),
        ("OPTIN_REGION", "Atlantis", "Settings can't be read."),
    ],
)
def test_what_is_wrong_is_a_line_with_its_cure(
    cli: Cli, well: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    well.setenv(name, value)
    done = cli("doctor")
    lines = done.out.splitlines()
    (wrong,) = [number for number, line in enumerate(lines) if said in line]

    assert (done.status, done.err) == (1, "")
    assert lines[wrong].startswith("🔴 ")
    assert lines[wrong + 1].startswith("     ")
    assert not value.startswith("xox") or value not in done.out


def test_missing_scopes_are_named(cli: Cli, well: pytest.MonkeyPatch) -> None:
    scopes = SCOPES - {"files:write", "im:write"}
    with Workspace.start(mode="socket", manifest=Manifest(scopes=scopes)) as other:
        well.setenv("SLACK_API_URL", other.api_url)
        done = cli("doctor")

    assert done.status == 1
    assert "🔴 Scopes are missing: files:write, im:write." in done.out


def test_a_channel_is_tried_by_posting_and_nothing_stays_there(
    cli: Cli, well: pytest.MonkeyPatch
) -> None:
    done = cli("doctor", "--post")
    well.setenv("OPTIN_ALERT_CHANNEL", RANDOM)
    elsewhere = cli("doctor", "--post")

    assert (done.status, elsewhere.status) == (0, 1)
    assert f"✅ The bot can post to {ALERTS} (OPTIN_ALERT_CHANNEL)." in done.out
    assert f"🔴 The bot can't post to {RANDOM} (OPTIN_ALERT_CHANNEL): not_in_channel" in (
        elsewhere.out
    )
