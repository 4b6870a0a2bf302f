"""Re-opt-in on the demo's page, from the STOP to the text that is sent again: both orders."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser_fixtures import become, go, picture, run
from tests.support.phone_page import hold_phone, text

pytestmark = pytest.mark.browser

ANA = "/optin +1 415 555 0100"

#: Without the menu that Slack has beside every message.
OPTINS_BUTTONS = "button:not([aria-label='Message menu'])"


def test_a_manager_approves_and_then_the_contact_texts_unstop(page: Page) -> None:
    stopped(page)
    ask(page)
    become(page, "Lee Chen")
    go(page, "optin-approvals")
    request = page.get_by_role("article").filter(has_text="Re-opt-in for SMS")
    expect(request).to_contain_text("number ending 0100")
    expect(request).to_contain_text(
        "SMS On turns to YES when this happens, and not before: Contact texts UNSTOP to +1 888"
    )
    expect(request).not_to_contain_text("Ana Gómez")
    picture(page, "request")

    request.get_by_role("button", name="Approve").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Approve").click()
    expect(request).to_contain_text("☑ Approved by @lee")
    expect(request).to_contain_text("☐ Contact texts UNSTOP to +1 888-555-0199")
    expect(request.locator(OPTINS_BUTTONS)).to_have_count(0)
    picture(page, "request-approved")

    become(page, "Ana Ruiz")
    read_dms(page)
    expect(page.get_by_role("article").last).to_contain_text(
        "please text UNSTOP to +1 888-555-0199"
    )
    expect(page.get_by_role("article").last).to_contain_text("Ana Gómez, number ending 0100")
    picture(page, "request-told")
    page.get_by_role("article").last.get_by_role("button", name="View").click()
    expect(page.get_by_role("dialog", name="Contact")).to_contain_text("Ana Gómez")
    page.keyboard.press("Escape")
    go(page, "support")
    card = run(page, ANA)
    expect(card).to_contain_text("☑ Manager: approved by @lee")
    expect(card).to_contain_text("☐ Contact: text UNSTOP to +1 888-555-0199")
    picture(page, "card-waiting")

    text(page, "UNSTOP")
    comes_back(page)


def test_the_contact_texts_unstop_and_then_a_manager_approves(page: Page) -> None:
    stopped(page)
    text(page, "UNSTOP")
    ask(page)
    become(page, "Mia Novak")
    go(page, "optin-approvals")
    request = page.get_by_role("article").filter(has_text="Re-opt-in for SMS")
    expect(request).to_contain_text("After approval: SMS On is YES at once")
    picture(page, "request-half-done")
    request.get_by_role("button", name="Approve").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Approve").click()
    comes_back(page)


def test_a_denial_says_why(page: Page) -> None:
    stopped(page)
    ask(page)
    become(page, "Lee Chen")
    go(page, "optin-approvals")
    request = page.get_by_role("article").filter(has_text="Re-opt-in for SMS")
    request.get_by_role("button", name="Deny").click()
    form = page.get_by_role("dialog", name="Deny")
    expect(form).to_contain_text("Re-opt-in for SMS: Ana Gómez, number ending 0100")
    expect(form).to_contain_text("Requested by @ana")
    picture(page, "request-deny-form")
    form.get_by_label("Reason").fill("There is no record of that call.")
    form.get_by_role("button", name="Deny").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()

    expect(request).to_contain_text("There is no record of that call.")
    expect(request.locator(OPTINS_BUTTONS)).to_have_count(0)
    picture(page, "request-denied")


def stopped(page: Page) -> None:
    """Ana Gómez texted STOP, and her phone is at hand."""
    become(page, "Ana Ruiz")
    hold_phone(page, "Ana Gómez", "0100")
    text(page, "STOP")


def ask(page: Page) -> None:
    """From the card, with evidence."""
    card = run(page, ANA)
    card.get_by_role("button", name="Request re-opt-in").click()
    form = page.get_by_role("dialog", name="Re-opt-in for SMS")
    form.get_by_label("Evidence").fill("Called us today and wants the reminders again.")
    picture(page, "request-form")
    form.get_by_role("button", name="Send request").click()
    sent: Locator = page.get_by_role("dialog", name="Requested")
    expect(sent).to_contain_text("The request is sent.")
    picture(page, "request-sent")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def comes_back(page: Page) -> None:
    """The last key was given: the card, the request, the alert and whoever asked say so."""
    become(page, "Ana Ruiz")
    go(page, "optin-approvals")
    expect(page.get_by_role("article")).to_contain_text("☑ SMS On is YES")
    picture(page, "request-done")
    go(page, "optin-alerts")
    expect(page.get_by_role("article").last).to_contain_text("Opted in again")
    picture(page, "alert-returned")
    read_dms(page)
    expect(page.get_by_role("article").last).to_contain_text("SMS On is YES")
    go(page, "support")
    card = run(page, ANA)
    expect(card).to_contain_text("SMS ✅ Opted in")
    picture(page, "card-returned")


def read_dms(page: Page) -> None:
    """What Optin wrote to this person alone."""
    page.get_by_role("button", name="Direct messages with Optin").click()
