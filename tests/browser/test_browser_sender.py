"""The demo's newsletter obeys Optin: it asks before it sends, and follows Optin's events."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser_fixtures import SCREENSHOTS, become, close, option, run

pytestmark = pytest.mark.browser

WIDE, NARROW = 1280, 800


def test_whoever_opts_out_in_slack_is_held_back_by_the_newsletter(page: Page) -> None:
    newsletter = open_newsletter(page)
    expect(page.get_by_label("Done: Ask before sending", exact=True)).not_to_be_checked()
    send(newsletter)
    expect(row(newsletter, "Ana Gómez")).to_contain_text("Sent")
    expect(row(newsletter, "Grace Lee")).to_contain_text("UNSTOP")
    snap(newsletter, "newsletter-sent")
    expect(page.get_by_label("Done: Ask before sending", exact=True)).to_be_checked()

    opt_out_of_texts(page, "Ana Gómez")
    event = events(newsletter).filter(has_text="Ana Gómez · Texts: yes → no")
    expect(event).to_contain_text("Consent changed")
    expect(event).to_contain_text("Verified")
    expect(row(newsletter, "Ana Gómez")).to_contain_text("Held back since")
    expect(newsletter.get_by_text(", 0 not verified")).to_be_visible()
    snap(newsletter, "newsletter-event")

    send(newsletter)
    held = row(newsletter, "Ana Gómez")
    expect(held).to_contain_text("Held back since")
    reason = held.get_by_role("listitem")
    expect(reason).to_contain_text("Opted out")
    expect(reason).to_contain_text("Get the contact's new permission")
    expect(reason.get_by_title("Who does it")).to_have_text("Manager")
    snap(newsletter, "newsletter-held-back")

    # The opt-out was of texts.
    newsletter.get_by_role("button", name="E-mail").click()
    expect(row(newsletter, "Ana Gómez")).to_contain_text("No message yet")
    send(newsletter)
    expect(row(newsletter, "Ana Gómez")).to_contain_text("Sent")
    expect(row(newsletter, "Paula Reyes")).to_contain_text("Reported as spam")
    snap(newsletter, "newsletter-e-mail")


def test_everything_fits_and_names_stay_text(page: Page) -> None:
    newsletter = open_newsletter(page)
    opt_out_of_texts(page, "Sons")
    send(newsletter)
    expect(row(newsletter, "<!channel> *Bold* :skull: & Sons")).to_contain_text("Held back since")
    events(newsletter).first.locator("summary").click()

    for width in (WIDE, NARROW):
        newsletter.set_viewport_size({"width": width, "height": 800})
        assert newsletter.evaluate("document.documentElement.scrollWidth") <= width
        snap(newsletter, f"newsletter-{width}")


def open_newsletter(page: Page) -> Page:
    """In a window beside Slack."""
    become(page, "Ana Ruiz")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Newsletter", exact=True).click()
    newsletter = opened.value
    newsletter.set_viewport_size({"width": WIDE, "height": 800})
    expect(row(newsletter, "Ana Gómez")).to_contain_text("No message yet")
    return newsletter


def opt_out_of_texts(page: Page, name: str) -> None:
    """With the form behind Edit."""
    run(page, f"/optin {name}").get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit")
    form.get_by_label("SMS On").select_option(label=option(form.get_by_label("SMS On"), "NO"))
    form.get_by_label("Reason").select_option(label="Asked by phone")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="Saved")).to_contain_text("SMS On YES → NO")
    close(page)


def send(newsletter: Page) -> None:
    """Presses Send, and waits until the campaign is over."""
    result = newsletter.locator("#result")
    before = result.inner_text()
    newsletter.get_by_role("button", name="Send", exact=True).click()
    expect(result).not_to_have_text(before)
    expect(result).to_contain_text("held back")


def row(newsletter: Page, name: str) -> Locator:
    subscribers = newsletter.get_by_role("list", name="Subscribers")
    return subscribers.locator("> li").filter(has_text=name)


def events(newsletter: Page) -> Locator:
    return newsletter.get_by_role("list", name="Events from Optin").locator("> .event")


def snap(newsletter: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    newsletter.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
