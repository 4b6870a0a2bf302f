"""The Home in a browser: find, decide, the managers' settings, the digest and the first steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.consent.model import Actor, Role
from bot.consent.use_cases import write_value
from bot.consent.use_cases.alerts.digest import post_digests
from bot.consent.use_cases.alerts.digest_settings import (
    DigestEvery,
    DigestSettings,
    all_digests,
    change_digest,
)
from bot.consent.use_cases.alerts.first_run import FIRST_RUN, look_at_first_run
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.opt_out_counts import count_opt_outs
from sandbox.first_workspace import ALERTS, APPROVALS, LEE, SUPPORT
from tests.support.alerts_fixtures import reply
from tests.support.browser_fixtures import SCREENSHOTS, become, go, run
from tests.support.slack_fixtures import MANIFEST, Slack, started

pytestmark = pytest.mark.browser

MANAGER = Actor(id=f"slack:{LEE}", role=Role.MANAGER, source="slack")
DAILY = DigestSettings(every=DigestEvery.DAY, hour=9, zone="UTC")


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    """Lee looks after Optin."""
    settings = {
        "OPTIN_ALERT_CHANNEL": ALERTS,
        "OPTIN_APPROVAL_CHANNEL": APPROVALS,
        "OPTIN_MANAGERS": LEE,
    }
    with started(tmp_path, "socket", manifest=MANIFEST, **settings) as slack:
        yield slack


@pytest.fixture
def page(browser: Browser, slack: Slack) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1200}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(15_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(slack.workspace.url)
    expect(page.get_by_role("button", name="Switch person")).to_be_visible()
    yield page
    context.close()
    assert problems == []


def home(page: Page) -> Locator:
    """The Home of whoever looks."""
    page.get_by_role("navigation", name="Channels").get_by_role("button", name="Optin Home").click()
    expect(page.locator("#home")).to_contain_text("Why does this customer get no messages?")
    return page.locator("#home")


def photograph(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_an_agent_finds_a_contact_in_the_home(page: Page, slack: Slack) -> None:
    ingest(
        slack.service,
        [
            reply("STOP", phone, occurred_at=slack.clock())
            for phone in ("+14155550100", "+14155550102")
        ],
    )
    count_opt_outs(slack.service)
    shown = home(page)
    find = shown.get_by_role("combobox")
    find.fill("grace")
    page.get_by_role("option", name="Grace Lee").click()
    card = page.get_by_role("dialog", name="Contact")
    expect(card).to_contain_text("Grace Lee")
    photograph(page, "home-card")
    page.keyboard.press("Escape")

    expect(shown).to_contain_text("Your recent look-ups")
    expect(shown).to_contain_text("2 opted out of texts")
    expect(shown.get_by_role("button", name="Settings")).to_have_count(0)
    photograph(page, "home-agent")


def test_a_manager_decides_and_sets_in_the_home(page: Page, slack: Slack) -> None:
    card = run(page, "/optin +1 415 555 0106")
    card.get_by_role("button", name="Request").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("Evidence").fill("Web form of 2 November")
    form.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("dialog")).to_contain_text("The request is sent.")
    page.keyboard.press("Escape")
    expect(home(page)).to_contain_text("Your open requests: 1")
    become(page, "Lee Chen")
    shown = home(page)
    expect(shown).to_contain_text("Waiting for your decision: 1")
    photograph(page, "home-manager")
    shown.get_by_role("button", name="Decide").click()
    request = page.get_by_role("dialog", name="Re-opt-in request")
    request.get_by_role("button", name="Approve").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Approve").click()
    expect(shown).to_contain_text("No request waits for you.")
    expect(page.get_by_role("dialog", name="Optin")).to_contain_text("Approved")
    page.keyboard.press("Escape")
    expect(request).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    shown.get_by_role("button", name="Settings").click()
    settings = page.get_by_role("dialog", name="Settings")
    expect(settings).to_contain_text("OPTIN_ALERT_CHANNEL")
    photograph(page, "home-settings")


def test_a_manager_adds_the_digest_of_a_channel(page: Page, slack: Slack) -> None:
    become(page, "Lee Chen")
    home(page).get_by_role("button", name="Settings").click()
    settings = page.get_by_role("dialog", name="Settings")
    settings.get_by_role("button", name="Add a digest").click()
    form = page.get_by_role("dialog", name="Add a digest")
    form.get_by_role("combobox", name="Channel").fill("supp")
    page.get_by_role("option", name="#support").click()
    form.get_by_label("Digest", exact=True).select_option("Every week")
    form.get_by_label("Day").select_option("Friday")
    photograph(page, "digest-form")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").last).to_contain_text("#support every Friday at 9:00")
    page.keyboard.press("Escape")
    expect(settings).to_contain_text("#support: every Friday at 9:00 (America/Los Angeles)")
    settings.get_by_role("button", name="Edit").scroll_into_view_if_needed()
    photograph(page, "digest-list")

    assert all_digests(slack.service)[SUPPORT].day == 4


def test_the_first_steps_and_the_digest(page: Page, slack: Slack) -> None:
    become(page, "Lee Chen")
    write_value(slack.service, FIRST_RUN, None)
    look_at_first_run(slack.service, managers=True, heard=lambda _: False)
    page.get_by_role("navigation", name="Channels").get_by_role(
        "button", name="Direct messages with"
    ).click()
    steps = page.get_by_role("article").filter(has_text="Optin is running")
    expect(steps).to_contain_text("☐ Alert channel")
    photograph(page, "first-run")
    steps.get_by_role("button", name="Send a test alert").click()
    go(page, "optin-alerts")
    expect(page.get_by_role("article").last).to_contain_text("This is a test alert.")
    photograph(page, "test-alert")

    change_digest(slack.service, ALERTS, DAILY, MANAGER)
    ingest(slack.service, [reply("STOP", "+14155550100", occurred_at=slack.clock())])
    slack.clock.advance(slack.clock().replace(day=4) - slack.clock())
    assert post_digests(slack.service)
    expect(page.get_by_role("article").last).to_contain_text("The last day in Optin")
    photograph(page, "digest")
