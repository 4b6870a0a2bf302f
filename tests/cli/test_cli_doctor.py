"""`optin doctor`, against the sandbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from bot.cli.doctor_command import OPTIONAL_SCOPES, SCOPES
from bot.consent.alerts import INSTALLER, Alert, AlertKind, Delivery, DeliveryState
from bot.consent.use_cases.alerts.digest_settings import (
    DigestEvery,
    DigestSettings,
    change_digest,
)
from handlers.webhooks.providers import SPECS
from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS, BEN, LEE, MANAGERS, RANDOM
from sandbox.manifest import Manifest
from storage import open_store
from tests.support.cli_fixtures import Cli
from tests.support.consent_fixtures import MANAGER, open_service
from tests.support.storages import path_in, url_of

ROOT = Path(__file__).resolve().parents[2]
#: A witness; its file is never there.
HEADS = "file:///nowhere/log-heads.txt"


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
    monkeypatch.setenv("OPTIN_WITNESSES", HEADS)
    return monkeypatch


def test_it_looks_for_the_scopes_of_the_manifest() -> None:
    manifest = yaml.safe_load(ROOT.joinpath("manifest.yml").read_text("utf-8"))

    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES


def test_where_nothing_is_wrong_every_line_says_what_is_well_and_what_is_off(
    cli: Cli, well: pytest.MonkeyPatch
) -> None:
    done = cli("doctor")

    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "✅ Settings can be read.",
        "✅ The storage opens: 0 contacts, 0 log entries.",
        "⚪ optin.heads remembers nothing of this storage yet.",
        f"✅ The witness {HEADS} remembers no head yet: the log has no entries.",
        "⚪ No public address is set; Slack's Socket Mode needs none.",
        *(f"⚪ {one.heading} is off; {one.switch} switches it on." for one in SPECS.values()),
        "✅ Slack knows the bot as @optin in Acme Support.",
        "✅ The clock agrees with Slack's.",
        "✅ The bot has every scope that it needs.",
        "⚪ Whether Workflow Builder offers Optin's steps, Slack does not say. They need a paid "
        "plan, and an app with functions and org_deploy_enabled in its manifest, as in "
        "manifest.yml.",
        "✅ Socket Mode can connect.",
        f"✅ OPTIN_ALERT_CHANNEL is {ALERTS}; --post tries whether the bot can post there.",
    ]


def test_each_provider_is_called_by_its_own_name_and_first_setting(
    cli: Cli, well: pytest.MonkeyPatch
) -> None:
    off = [line for line in cli("doctor").out.splitlines() if "switches it on" in line]

    assert set(off) >= {
        "⚪ Twilio is off; OPTIN_TWILIO_AUTH_TOKEN switches it on.",
        "⚪ Telnyx is off; OPTIN_TELNYX_PUBLIC_KEY switches it on.",
        "⚪ Vonage is off; OPTIN_VONAGE_SIGNATURE_SECRET switches it on.",
        "⚪ SendGrid is off; OPTIN_SENDGRID_PUBLIC_KEY switches it on.",
        "⚪ Mailgun is off; OPTIN_MAILGUN_SIGNING_KEY switches it on.",
        "⚪ Postmark is off; OPTIN_POSTMARK_PASSWORD switches it on.",
        "⚪ Amazon SES is off; OPTIN_SES_TOPIC_ARNS switches it on.",
        "⚪ Resend is off; OPTIN_RESEND_SIGNING_SECRET switches it on.",
        "⚪ One-click unsubscribe is off; OPTIN_UNSUBSCRIBE_KEY switches it on.",
    }


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


def test_doctor_prints_the_line_of_the_manifest_for_links_to_the_crm(
    cli: Cli, well: pytest.MonkeyPatch
) -> None:
    well.setenv("OPTIN_CRM_URL", "https://CRM.example.com:8443/c/{external_id}?tab=1")
    done = cli("doctor")

    assert done.status == 0
    assert "under features: unfurl_domains: [crm.example.com]" in done.out


def test_missing_scopes_are_named(cli: Cli, well: pytest.MonkeyPatch) -> None:
    scopes = SCOPES - {"files:write", "im:write"}
    with Workspace.start(mode="socket", manifest=Manifest(scopes=scopes)) as other:
        well.setenv("SLACK_API_URL", other.api_url)
        done = cli("doctor")

    assert done.status == 1
    assert "🔴 Scopes are missing: files:write, im:write." in done.out


def test_doctor_exits_0_when_only_optional_scopes_are_missing(
    cli: Cli, well: pytest.MonkeyPatch
) -> None:
    scopes = SCOPES - OPTIONAL_SCOPES.keys()
    with Workspace.start(mode="socket", manifest=Manifest(scopes=scopes)) as other:
        well.setenv("SLACK_API_URL", other.api_url)
        done = cli("doctor")

    assert done.status == 0
    assert f"🟡 Scopes are missing: {', '.join(sorted(OPTIONAL_SCOPES))}." in done.out
    assert all(lost in " ".join(done.out.split()) for lost in OPTIONAL_SCOPES.values())


@contextmanager
def forwarding(api_url: str, *, scopes: str | None) -> Iterator[str]:
    """A proxy in front of Slack that drops the header with the scopes, or spells it in capitals."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Request(api_url + self.path.removeprefix("/api/"), body, dict(self.headers))
            with urlopen(asked) as answer:
                content = answer.read()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            if scopes is not None:
                self.send_header("X-OAuth-Scopes", scopes)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("header", [None, ""])
def test_scopes_that_a_proxy_hides_are_not_said_to_be_missing(
    cli: Cli, workspace: Workspace, well: pytest.MonkeyPatch, header: str | None
) -> None:
    with forwarding(workspace.api_url, scopes=header) as url:
        well.setenv("SLACK_API_URL", url)
        done = cli("doctor")

    assert done.status == 0
    assert "Scopes are missing" not in done.out
    assert "🟡 Whether the bot has every scope that it needs, Optin can't tell." in done.out


def test_a_proxy_may_spell_the_header_its_own_way(
    cli: Cli, workspace: Workspace, well: pytest.MonkeyPatch
) -> None:
    with forwarding(workspace.api_url, scopes=",".join(SCOPES)) as url:
        well.setenv("SLACK_API_URL", url)
        done = cli("doctor")

    assert "✅ The bot has every scope that it needs." in done.out


def test_managers_who_left_and_groups_that_slack_does_not_show_are_named(
    cli: Cli, workspace: Workspace, well: pytest.MonkeyPatch
) -> None:
    well.setenv("OPTIN_MANAGERS", f"{BEN},{LEE},{MANAGERS}")
    assert cli("doctor").status == 0

    workspace.deactivate("Ben")
    workspace.disable_group("optin-managers")
    done = cli("doctor")

    assert done.status == 1
    assert f"🟡 The manager {BEN} has left the workspace." in done.out
    assert "Take the id out of OPTIN_MANAGERS; notices go to the next manager" in done.out
    assert f"🔴 Slack does not show the user group {MANAGERS} (OPTIN_MANAGERS): no_such" in done.out

    well.setenv("OPTIN_MANAGERS", f"{BEN},U0NOBODY99")
    assert "nobody can approve, or be told of faults" in cli("doctor").out


@pytest.mark.parametrize("told", [True, False])
def test_a_channel_that_took_no_alerts_is_said_with_who_could_be_told(
    cli: Cli, well: pytest.MonkeyPatch, told: bool
) -> None:
    now = datetime.now(UTC)
    notice = Alert(
        id="0" * 32,
        key=f"notice:{ALERTS}",
        kind=AlertKind.NOTICE,
        slack_channel=INSTALLER,
        first_at=now,
        last_at=now,
        about=ALERTS,
        text="is_archived",
        delivery=Delivery(state=DeliveryState.SENT if told else DeliveryState.DEAD),
    )
    url = url_of(path_in(cli.folder / "kept"))
    well.setenv("OPTIN_STORAGE", url)
    with closing(open_store(url)) as store, store.transaction() as records:
        records.outbox.put(notice)

    done = cli("doctor")

    assert done.status == (0 if told else 1)
    assert f"Slack took no alerts in {ALERTS} today: is_archived." in done.out
    assert ("None of the managers could be told." in done.out) is not told
    assert "Unarchive it" in done.out


@pytest.mark.parametrize("post", [True, False])
def test_a_digest_channel_that_takes_no_digest_is_said(
    cli: Cli, well: pytest.MonkeyPatch, post: bool
) -> None:
    path = path_in(cli.folder / "kept")
    well.setenv("OPTIN_STORAGE", url_of(path))
    service = open_service(path, lambda: datetime.now(UTC))
    daily = DigestSettings(every=DigestEvery.DAY)
    for channel in (ALERTS, RANDOM, "C0GONE9999"):
        change_digest(service, channel, daily, MANAGER)
    service.store.close()

    done = cli("doctor", *(["--post"] if post else []))

    assert done.status == 1
    wrong = [line for line in done.out.splitlines() if line.startswith("🔴")]
    assert [RANDOM in wrong[0], "C0GONE9999" in wrong[1], len(wrong)] == [True, True, 2]
    assert all("(digest)" in line for line in wrong)
    assert done.out.count("/invite @Optin") == 2
    # Its own line says how the alert channel stands.
    assert f"{ALERTS} (digest)" not in done.out

    service = open_service(path, lambda: datetime.now(UTC))
    for channel in (RANDOM, "C0GONE9999"):
        change_digest(service, channel, DigestSettings(every=DigestEvery.OFF), MANAGER)
    service.store.close()
    assert cli("doctor", *(["--post"] if post else [])).status == 0


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
