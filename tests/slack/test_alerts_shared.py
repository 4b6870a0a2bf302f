"""Channels that are shared with another organisation (Slack Connect): nothing is posted there, a
manager is told, and what was withheld comes when the channel is the company's own again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from bot.consent.alerts import AlertKind
from bot.consent.events import EventKind
from bot.consent.use_cases.ingest import ingest
from handlers.slack.alerts.shared import is_shared
from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS, APPROVALS, LEE
from sandbox.manifest import read_manifest
from tests.support.alert_cases import asked
from tests.support.alert_cases import desk as desk
from tests.support.alerts_fixtures import Bench, mail, reply
from tests.support.cli_fixtures import Cli
from tests.support.slack_fixtures import Slack, said, started

ROOT = Path(__file__).parents[2]
MANIFEST = read_manifest(yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8")))
CHANNEL = "#optin-alerts"


def posted(bench: Bench) -> int:
    """Calls that would show something in the alert channel."""
    return sum(
        call["args"].get("channel") == ALERTS
        for call in bench.calls("chat.postMessage", "chat.update", "files.completeUploadExternal")
    )


def test_a_shared_channel_gets_no_alert_and_the_first_manager_is_told(bench: Bench) -> None:
    bench.add()
    bench.workspace.share(CHANNEL)
    bench.take(reply("please stop texting me, I am in hospital"))
    bench.run(600, every=10)
    (notice,) = bench.messages("directmessage")

    assert posted(bench) == 0
    assert bench.messages() == []
    assert "shared with another organisation" in notice.plain
    assert "hospital" not in str(bench.calls("chat.postMessage"))
    assert bench.health.paused == {ALERTS: "shared_with_another_organisation"}
    assert bench.health.ready()
    assert bench.health.waiting == 1
    assert bench.health.oldest is None


def test_what_was_withheld_is_posted_once_the_channel_is_ours_again(bench: Bench) -> None:
    bench.add(email="ana@example.com")
    bench.workspace.share(CHANNEL)
    bench.take(reply("STOP"), mail(EventKind.COMPLAINT, "ana@example.com"))
    bench.run(300, every=5)
    before = bench.messages()
    bench.workspace.unshare(CHANNEL)
    bench.run(90, every=2)

    assert before == []
    assert len(bench.messages()) == 2
    assert bench.health.paused == {}


def test_a_channel_that_becomes_shared_gets_neither_the_next_alert_nor_an_edit(
    bench: Bench,
) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    first = bench.message()
    bench.workspace.share(CHANNEL)
    bench.run(6)
    calls = posted(bench)
    bench.take(reply("UNSTOP"))
    bench.add("+14155550133", name="Bea")
    bench.take(reply("STOP", "+14155550133"))
    bench.run(120, every=5)

    assert posted(bench) == calls
    assert bench.message().plain == first.plain
    bench.workspace.unshare(CHANNEL)
    bench.run(90, every=2)
    assert len(bench.messages()) == 2
    assert "Came back" in bench.messages()[0].plain


def test_an_open_invitation_counts_since_whoever_accepts_it_reads_what_was_posted(
    bench: Bench,
) -> None:
    bench.add()
    bench.workspace.accept_invitation(CHANNEL)
    bench.take(reply("STOP"))
    bench.run(120, every=5)
    before = posted(bench)
    bench.workspace.decline_invitation(CHANNEL)
    bench.run(90, every=2)

    assert before == 0
    assert len(bench.messages()) == 1


def test_the_list_of_a_storm_is_withheld_too(bench: Bench) -> None:
    bench.stops(20)
    bench.run(30)
    bench.workspace.share(CHANNEL)
    bench.run(6)
    calls = posted(bench)
    bench.run(20 * 60, every=10)
    withheld = posted(bench) == calls
    bench.workspace.unshare(CHANNEL)
    bench.run(180, every=2)

    assert withheld
    assert bench.alerts(AlertKind.STORM_LIST)[0].delivery.ts is not None or any(
        message.files for message in bench.messages()
    )


def test_a_request_is_withheld_from_a_shared_approvals_channel(desk: Bench) -> None:
    desk.workspace.share("#optin-approvals")
    asked(desk)
    desk.run(120, every=5)
    before = desk.messages("#optin-approvals")
    desk.workspace.unshare("#optin-approvals")
    desk.run(90, every=2)

    assert before == []
    assert len(desk.messages("#optin-approvals")) == 1
    assert len(desk.messages()) == 1


def test_slack_is_asked_a_dozen_times_a_minute_at_most(bench: Bench) -> None:
    for number in range(30):
        bench.take(reply(f"please stop texting me {number}", f"+1415556{number:04}"))
    bench.run(60)

    assert len(bench.messages()) == 30
    assert len(bench.calls("conversations.info")) <= 12


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "server_error"},
        {"kind": "close_after_accept"},
        {"kind": "error", "error": "internal_error"},
        {"kind": "error", "error": "something_new"},
        {"kind": "ratelimited", "retry_after": 20},
    ],
    ids=str,
)
def test_while_slack_does_not_say_nothing_is_posted_and_then_once(
    bench: Bench, fault: dict[str, object]
) -> None:
    bench.add()
    bench.workspace.fault("conversations.info", times=2, **fault)
    bench.take(reply("STOP"))
    bench.run(4)
    early = posted(bench)
    bench.run(120, every=2)

    assert early == 0
    assert posted(bench) == 1
    assert len(bench.messages()) == 1
    assert bench.calls("conversations.history") == []


def test_a_rate_limit_on_the_question_is_obeyed(bench: Bench) -> None:
    bench.stops(2)
    bench.workspace.fault("conversations.info", "ratelimited", retry_after=30)
    bench.run(28, every=1)

    assert len(bench.calls("conversations.info")) == 1


def test_without_the_scope_to_ask_nothing_is_posted_and_the_manager_reads_how_to_add_it(
    bench: Bench,
) -> None:
    bench.add()
    bench.workspace.fault("conversations.info", "error", error="missing_scope", times=1000)
    bench.take(reply("STOP"))
    bench.run(60, every=2)
    (notice,) = bench.messages("directmessage")
    early = posted(bench)
    bench.workspace.clear_faults()
    bench.run(90, every=2)

    assert early == 0
    assert "channels:read and groups:read" in notice.plain
    assert len(bench.messages()) == 1


@pytest.mark.parametrize(
    ("told", "shared"),
    [
        ({"is_shared": True, "is_ext_shared": True}, True),
        ({"is_ext_shared": True, "is_org_shared": True, "is_shared": True}, True),
        ({"is_shared": True}, True),
        ({"is_pending_ext_shared": True}, True),
        ({"pending_shared": ["T0ELSEWHR"]}, True),
        ({"pending_connected_team_ids": ["T0ELSEWHR"]}, True),
        ({"is_shared": True, "is_org_shared": True, "is_ext_shared": False}, False),
        ({"is_shared": False, "is_ext_shared": False, "pending_shared": []}, False),
        ({}, False),
    ],
)
def test_what_slack_says_of_a_shared_channel(told: dict[str, object], shared: bool) -> None:
    assert is_shared(told) is shared


@contextmanager
def running(folder: Path, mode: str) -> Iterator[Slack]:
    """The whole bot, as its manifest has it."""
    settings = {"OPTIN_ALERT_CHANNEL": ALERTS, "OPTIN_MANAGERS": LEE}
    with started(folder, mode, manifest=MANIFEST, **settings) as slack:
        yield slack


def until(what: Callable[[], bool], within: float = 15.0) -> None:
    end = time.monotonic() + within
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)  # what the worker does nobody is told of


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_the_events_of_slack_hold_alerts_back_and_let_them_go(tmp_path: Path, mode: str) -> None:
    """The bot's clock stands still, so that no pause is ever over: only the event ends it."""
    with running(tmp_path, mode) as slack:
        lee = slack.person("Lee")
        before = len(lee.messages(CHANNEL))
        slack.workspace.share(CHANNEL)
        ingest(slack.service, [reply("STOP", "+12125550001")])
        until(lambda: any("shared with" in m.plain for m in lee.messages("directmessage")))
        held = len(lee.messages(CHANNEL))
        slack.workspace.unshare(CHANNEL)
        until(lambda: len(lee.messages(CHANNEL)) == before + 1)
        deliveries = [
            (line["method"], line["outcome"])
            for line in slack.workspace.journal()
            if line["direction"] == "out"
        ]

    assert held == before
    assert deliveries == [("channel_shared", "ok"), ("channel_unshared", "ok")]


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_every_event_about_sharing_is_acknowledged_and_asks_nobodys_role(
    tmp_path: Path, mode: str
) -> None:
    with running(tmp_path, mode) as slack:
        slack.workspace.accept_invitation("#random")
        slack.workspace.decline_invitation("#random")
        slack.workspace.share("#random")
        slack.workspace.unshare("#random")
        outcomes = [
            line["outcome"] for line in slack.workspace.journal() if line["direction"] == "out"
        ]
        asked = slack.workspace.journal("users.info")

        assert outcomes == ["ok"] * 4
        assert asked == []
        assert "Ana Gómez" in said(slack.person("Ana").command("/optin ana@example.com"))


def test_doctor_names_a_shared_channel(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with Workspace.start(mode="socket", manifest=MANIFEST) as workspace:
        for name in ("SLACK_SIGNING_SECRET", "OPTIN_PUBLIC_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SLACK_API_URL", workspace.api_url)
        monkeypatch.setenv("SLACK_BOT_TOKEN", workspace.bot_token)
        monkeypatch.setenv("SLACK_APP_TOKEN", workspace.app_token)
        monkeypatch.setenv("OPTIN_ALERT_CHANNEL", ALERTS)
        monkeypatch.setenv("OPTIN_APPROVAL_CHANNEL", APPROVALS)
        well = cli("doctor")
        workspace.share("#optin-approvals")
        shared = cli("doctor", "--post")

    assert well.status == 0
    assert shared.status == 1
    assert (
        f"🔴 {APPROVALS} (OPTIN_APPROVAL_CHANNEL) is shared with another organisation, or an "
        "invitation to one is open: nothing is posted there.\n"
        "     Stop sharing it, or set OPTIN_APPROVAL_CHANNEL to a channel of your own."
    ) in shared.out
    assert f"✅ The bot can post to {ALERTS} (OPTIN_ALERT_CHANNEL)." in shared.out
