"""The managers' settings behind the Home: alerts, digest, and what is set where Optin runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.model import Actor, Role
from bot.consent.use_cases.alerts.alert_settings import alert_settings
from bot.consent.use_cases.alerts.digest import post_digests
from bot.consent.use_cases.alerts.digest_settings import (
    DigestEvery,
    DigestSettings,
    all_digests,
    change_digest,
    digest_settings,
)
from bot.consent.use_cases.ingest import ingest
from sandbox.client import Modal, PersonClient
from sandbox.first_workspace import ALERTS, APPROVALS, SUPPORT
from tests.support.alerts_fixtures import reply
from tests.support.slack_fixtures import MANIFEST, Slack, opened, started

CHANNELS = {"OPTIN_ALERT_CHANNEL": ALERTS, "OPTIN_APPROVAL_CHANNEL": APPROVALS}
MANAGER = Actor(id="slack:U0LEE", role=Role.MANAGER, source="slack")
AGENT = Actor(id="slack:U0ANA", role=Role.AGENT, source="slack")
DAILY = DigestSettings(every=DigestEvery.DAY, hour=9, zone="Europe/Prague")


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=MANIFEST, **CHANNELS) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=MANIFEST, **CHANNELS) as slack:
        yield slack


def settings(slack: Slack, person: PersonClient) -> Modal:
    """The settings, opened from the person's Home."""
    person.home()
    slack.workspace.wait_until(lambda: person.shown_home is not None)
    return opened(person, person.press("Settings", in_=person.shown_home))


def digest_form(slack: Slack, person: PersonClient, button: str = "Add a digest") -> Modal:
    """The form of a digest, opened from the settings."""
    settings(slack, person)
    return opened(person, person.press(button))


def test_a_manager_sets_alerts_and_the_digest_from_the_home(slack: Slack) -> None:
    mia = slack.person("Mia")
    settings(slack, mia)
    mia.choose("Single alerts a minute", "10 alerts")
    opened(mia, mia.press("Add a digest"))
    mia.choose("Hour", "17:00")
    outcome = mia.submit()
    assert outcome.error is None
    assert "every day at 17:00 (Europe/Prague)." in opened(mia, outcome).plain
    mia.close()
    below = mia.modal
    assert below is not None
    assert "#optin-alerts: every day at 17:00 (Europe/Prague)" in below.plain
    outcome = mia.submit()

    assert outcome.error is None
    assert alert_settings(slack.service, ALERTS).thresholds.singles == 10
    assert digest_settings(slack.service, ALERTS) == DigestSettings(
        every=DigestEvery.DAY, hour=17, zone="Europe/Prague"
    )


def test_a_manager_adds_edits_and_removes_the_digest_of_another_channel(slack: Slack) -> None:
    change_digest(slack.service, ALERTS, DAILY, MANAGER)
    lee = slack.person("Lee")
    digest_form(slack, lee)
    lee.choose("Channel", "#support")
    lee.choose("Digest", "Every week")
    lee.choose("Day", "Friday")
    lee.choose("Time zone", "Europe/Prague")
    said = opened(lee, lee.submit()).plain
    assert "Saved. The digest comes to #support every Friday at 9:00 (Europe/Prague)." in said
    weekly = replace(DAILY, every=DigestEvery.WEEK, day=4)
    assert all_digests(slack.service) == {ALERTS: DAILY, SUPPORT: weekly}

    lee.close()
    edit = [b for b in lee.modal.blocks if "#" in str(b) and b.get("accessory")][-1]["accessory"]
    assert edit["value"] == SUPPORT
    change_digest(slack.service, ALERTS, DigestSettings(), MANAGER)
    form = digest_form(slack, lee, "Edit")
    assert form.fields["Day"] == "Friday"
    lee.choose("Hour", "6:00")
    opened(lee, lee.submit())
    assert all_digests(slack.service) == {SUPPORT: replace(weekly, hour=6)}

    digest_form(slack, lee, "Edit")
    said = opened(lee, lee.press("Remove", confirm=True)).plain
    assert "#support gets no digest any more" in said
    assert all_digests(slack.service) == {}
    lee.close()
    assert "#support" not in lee.modal.plain


def test_a_digest_goes_to_no_channel_that_others_read_or_that_optin_is_not_in(
    slack: Slack,
) -> None:
    lee = slack.person("Lee")
    slack.workspace.share("support")
    slack.workspace.archive("optin-approvals")
    for channel, sentence in {
        "#support": "shared with another organisation",
        "#random": "Optin is not in this channel",
        "#optin-approvals": "archived",
    }.items():
        digest_form(slack, lee)
        lee.choose("Channel", channel)
        lee.submit()
        modal = lee.modal
        assert modal is not None
        assert sentence in modal.errors["Channel"]
        lee.close(whole=True)

    assert all_digests(slack.service) == {}


def test_a_digest_that_slack_says_nothing_about_is_not_saved(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    for error, sentence in {
        "channel_not_found": "Optin is not in this channel",
        "missing_scope": "channels:read",
        "internal_error": "Slack did not answer, so nothing was changed",
    }.items():
        digest_form(slack_http, lee)
        slack_http.workspace.fault("conversations.info", "error", error=error, times=1)
        lee.submit()
        modal = lee.modal
        assert modal is not None
        assert sentence in "".join(modal.errors.values())
        lee.close(whole=True)

    assert all_digests(slack_http.service) == {}


def test_the_digest_keeps_its_zone_when_another_manager_saves(slack_http: Slack) -> None:
    change_digest(slack_http.service, ALERTS, DAILY, MANAGER)
    lee = slack_http.person("Lee")
    modal = digest_form(slack_http, lee, "Edit")
    assert modal.fields["Time zone"] == "Europe/Prague"
    lee.submit()

    assert digest_settings(slack_http.service, ALERTS) == DAILY


def test_what_the_environment_sets_is_shown_with_its_name_and_no_secret(slack_http: Slack) -> None:
    modal = settings(slack_http, slack_http.person("Lee"))

    assert "OPTIN_ALERT_CHANNEL  #optin-alerts" in modal.plain
    assert "OPTIN_SELF_APPROVE  no" in modal.plain
    assert "OPTIN_AGENTS  every full member" in modal.plain
    for secret in (slack_http.workspace.bot_token, slack_http.workspace.signing_secret, "xapp"):
        assert secret not in str(modal.raw)
    assert slack_http.storage.name not in str(modal.raw)


def test_without_a_channel_there_is_nothing_to_choose(tmp_path: Path) -> None:
    with started(tmp_path, "http", manifest=MANIFEST) as slack:
        modal = settings(slack, slack.person("Lee"))

        assert modal.submit_label is None
        assert "nothing to choose" in modal.plain


def test_whoever_is_no_manager_any_more_saves_nothing(slack_http: Slack) -> None:
    change_digest(slack_http.service, ALERTS, DAILY, MANAGER)
    lee = slack_http.person("Lee")
    digest_form(slack_http, lee, "Edit")
    lee.choose("Hour", "17:00")
    slack_http.workspace.set_group("optin-managers", ["Mia"])
    lee.submit()
    lee.press("Remove", confirm=True)

    assert digest_settings(slack_http.service, ALERTS) == DAILY


def digests(slack: Slack) -> list[str]:
    return [m.plain for m in slack.person("Lee").messages("optin-alerts") if "in Optin" in m.plain]


def test_the_digest_comes_to_the_channel_once(slack: Slack) -> None:
    change_digest(slack.service, ALERTS, DAILY, MANAGER)
    ingest(slack.service, [reply("STOP", "+14155550100", occurred_at=slack.clock())])
    slack.clock.advance(timedelta(days=1))
    post_digests(slack.service)  # the bot's own timer may have been quicker
    post_digests(slack.service)
    slack.workspace.wait_until(lambda: bool(digests(slack)))

    (said,) = digests(slack)
    assert "The last day in Optin" in said
    assert "SMS: 1 (1 by text)." in said
    assert "0100" not in said


def test_a_digest_is_withheld_where_another_organisation_reads_the_channel(slack: Slack) -> None:
    change_digest(slack.service, SUPPORT, DAILY, MANAGER)
    ingest(slack.service, [reply("STOP", "+14155550100", occurred_at=slack.clock())])
    slack.workspace.share("support")
    slack.clock.advance(timedelta(days=1))
    post_digests(slack.service)
    lee = slack.person("Lee")

    def told() -> bool:
        return any("posts no alerts to #support" in m.plain for m in lee.messages("directmessage"))

    slack.workspace.wait_until(told)
    assert not [m for m in lee.messages("support") if "in Optin" in m.plain]
    slack.workspace.unshare("support")

    slack.workspace.wait_until(
        lambda: any("The last day in Optin" in m.plain for m in lee.messages("support"))
    )
