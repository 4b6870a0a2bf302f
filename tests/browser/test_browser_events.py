"""What contacts do by phone, and what the workspace is told of it, on the demo's page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_fixtures import become, go, picture, run
from tests.support.phone_page import hold_phone, text, texts

pytestmark = pytest.mark.browser


def test_a_stop_is_told_and_shown_and_unstop_is_half_of_the_way_back(page: Page) -> None:
    become(page, "Ana Ruiz")
    hold_phone(page, "Ana Gómez", "0100")

    text(page, "STOP")
    expect(texts(page)).to_contain_text("NETWORK MSG")
    go(page, "optin-alerts")
    alert = page.get_by_role("article").last
    expect(alert).to_contain_text("SMS opt-out: number ending 0100 texted STOP to +1 888-555-0199")
    expect(alert).to_contain_text("No more texts will be sent.")
    expect(alert).not_to_contain_text("Ana Gómez")
    picture(page, "alert-stop")

    go(page, "support")
    card = run(page, "/optin +1 415 555 0100")
    expect(card).to_contain_text("SMS 🔴 Opted out: texted “STOP” to +1 888-555-0199")
    expect(card).to_contain_text("To text Ana Gómez again")
    expect(card).to_contain_text("☐ Contact: text UNSTOP to +1 888-555-0199")
    expect(card).to_contain_text("get permission; ask a manager")
    picture(page, "card-stop")

    # Our confirmation of the STOP fails, as it always does, and nobody is told.
    expect(texts(page)).to_contain_text("Never arrived: 21610")
    text(page, "UNSTOP")
    go(page, "optin-alerts")
    expect(alert).to_contain_text("Came back")
    expect(alert).to_contain_text("with UNSTOP, still needs a manager")
    others = page.get_by_role("article").filter(has_not_text="Optin writes to SendGrid's lists")
    expect(others).to_have_count(1)
    picture(page, "alert-unstop")

    go(page, "support")
    half_done = run(page, "/optin +1 415 555 0100")
    expect(half_done).to_contain_text("SMS 🔴 Opted out")
    expect(half_done).to_contain_text("☑ Contact: lifted the block of +1 888-555-0199")
    expect(half_done).not_to_contain_text("☐ Contact: text UNSTOP")
    expect(half_done).to_contain_text("get permission; ask a manager")
    picture(page, "card-unstop")


def test_a_manager_mutes_the_channel_from_an_alert(page: Page) -> None:
    become(page, "Lee Chen")
    go(page, "optin-alerts")
    hold_phone(page, "Ana Gómez", "0100")
    text(page, "STOP")

    alert = page.get_by_role("article").filter(has_text="SMS opt-out")
    alert.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Alert settings").click()
    form = page.get_by_role("dialog", name="Alert settings")
    form.get_by_label("Mute", exact=True).select_option(label="For 30 minutes")
    picture(page, "alert-settings")
    form.get_by_role("button", name="Save").click()

    expect(page.get_by_text("are muted until")).to_be_visible()
    picture(page, "muted")


def test_500_stops_are_three_alerts_and_one_card_that_keeps_count(page: Page) -> None:
    become(page, "Ana Ruiz")
    go(page, "optin-alerts")
    page.get_by_role("button", name="Phone & mailbox").click()

    page.get_by_role("button", name="500 STOPs").click()
    storm = page.get_by_role("article").filter(has_text="Many at once")
    expect(storm).to_contain_text("opt-outs by text since")
    picture(page, "storm-begins")
    expect(page.get_by_text("500 STOPs and 500 refused confirmations in")).to_be_visible(
        timeout=60_000
    )
    expect(storm).to_contain_text("500 opt-outs by text since", timeout=60_000)
    expect(storm).to_contain_text("Most were to +1 888-555-0199")
    expect(storm).to_contain_text("All are stored, and nothing more is sent to them.")
    expect(page.get_by_text("number ending")).to_have_count(3)
    expect(storm).to_have_count(1)
    picture(page, "storm")
