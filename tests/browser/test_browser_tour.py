"""The demo's tour in a browser: each step is ticked when it is done, and none spoils another."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser_fixtures import close, option, picture

pytestmark = pytest.mark.browser


def test_the_steps_of_the_tour_are_ticked_when_they_are_done(page: Page) -> None:
    for title in ("Why does she get no texts?", "By e-mail address", "By part of a name"):
        answered(page, title)
        expect(tick(page, title)).to_be_checked()

    title = "Change SMS On"
    card = answered(page, title)
    expect(card).to_contain_text("Ines Costa")
    expect(tick(page, title)).not_to_be_checked()
    card.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit")
    form.get_by_label("SMS On").select_option(label=option(form.get_by_label("SMS On"), "YES"))
    form.get_by_label("Evidence").fill("She asked for texts on the phone")
    form.get_by_role("button", name="Save").click()
    expect(tick(page, title)).to_be_checked()
    close(page)

    title = "Green is not enough"
    card = answered(page, title)
    expect(tick(page, title)).not_to_be_checked()
    card.get_by_role("button", name="Clear SMS Bounce").click()
    form = page.get_by_role("dialog", name="Clear SMS Bounce")
    form.get_by_label("Reason").fill("The phone was off")
    form.get_by_label("Evidence").fill("He called from this number")
    expect(tick(page, title)).not_to_be_checked()
    form.get_by_role("button", name="Clear").click()
    expect(tick(page, title)).to_be_checked()
    close(page)

    begin(page, "A contact texts STOP")
    page.get_by_role("button", name="Text it").click()
    show_tour(page)
    expect(tick(page, "A contact texts STOP")).to_be_checked()

    title = "Ask for her back"
    card = answered(page, title)
    card.get_by_role("button", name="Request re-opt-in").first.click()
    form = page.get_by_role("dialog", name="Re-opt-in for SMS")
    form.get_by_label("Evidence").fill("She called and wants texts again")
    expect(tick(page, title)).not_to_be_checked()
    form.get_by_role("button", name="Send request").click()
    expect(tick(page, title)).to_be_checked()
    close(page)

    title = "A manager decides"
    answered(page, title)
    expect(tick(page, title)).not_to_be_checked()
    page.get_by_role("button", name="Approve").last.click()
    page.get_by_role("alertdialog").get_by_role("button").last.click()
    expect(tick(page, title)).to_be_checked()
    picture(page, "tour")


def test_the_steps_about_sendgrids_lists_are_ticked(page: Page) -> None:
    title = "SendGrid's list follows"
    card = answered(page, title)
    card.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit")
    form.get_by_label("Email On").select_option(label=option(form.get_by_label("Email On"), "NO"))
    form.get_by_label("Reason").select_option(label="Asked by phone")
    expect(tick(page, title)).not_to_be_checked()
    form.get_by_role("button", name="Save").click()
    expect(tick(page, title)).to_be_checked()
    close(page)

    title = "Dropped, whoever sends"
    begin(page, title)
    expect(page.get_by_role("region", name="SendGrid's lists")).to_contain_text("Unsubscribes")
    page.get_by_role("button", name="Deliver").click()
    expect(page.get_by_text("The newest e-mail was not even sent")).to_be_visible()
    show_tour(page)
    expect(tick(page, title)).to_be_checked()

    title = "The bounce was a mistake"
    card = answered(page, title)
    card.get_by_role("button", name="Clear Email Bounce").click()
    form = page.get_by_role("dialog", name="Clear Email Bounce")
    form.get_by_label("Reason").fill("His company moved its mail")
    form.get_by_label("Evidence").fill("He wrote to us from this address")
    expect(tick(page, title)).not_to_be_checked()
    form.get_by_role("button", name="Clear").click()
    expect(tick(page, title)).to_be_checked()
    picture(page, "tour-lists")


def test_a_campaign_that_goes_wrong_spoils_no_other_step(page: Page) -> None:
    begin(page, "A campaign goes wrong")
    page.get_by_role("button", name="500 STOPs").click()
    expect(page.get_by_text("500 STOPs and 500 refused confirmations in")).to_be_visible(
        timeout=120_000
    )
    show_tour(page)
    expect(tick(page, "A campaign goes wrong")).to_be_checked()
    expect(tick(page, "A message bounces")).not_to_be_checked()

    expect(answered(page, "Green is not enough")).to_contain_text("SMS On is YES, but texts bounce")
    begin(page, "Search as you type")
    field = page.get_by_role("combobox", name="Message")
    expect(field).to_have_value("/optin")
    field.press("Enter")
    search = page.get_by_role("dialog", name="Find a contact")
    expect(search).to_be_visible()
    expect(tick(page, "Search as you type")).not_to_be_checked()
    search.get_by_role("combobox").press_sequentially("an")
    expect(search.get_by_role("option").first).to_be_visible()
    expect(tick(page, "Search as you type")).to_be_checked()


def test_the_steps_about_home_shortcuts_and_workflows_are_ticked(page: Page) -> None:
    begin(page, "Without a command")
    expect(tick(page, "Without a command")).not_to_be_checked()
    page.get_by_role("button", name="Shortcuts").click()
    page.get_by_role("menuitem", name="Find a contact").click()
    expect(page.get_by_role("dialog", name="Find a contact")).to_be_visible()
    expect(tick(page, "Without a command")).to_be_checked()
    expect(tick(page, "Search as you type")).not_to_be_checked()
    close(page)

    page.get_by_role("button", name="Shortcuts").click()
    page.get_by_role("menuitem", name="Workflow: Check status").click()
    workflow = page.get_by_role("dialog", name="Workflow: Check status")
    workflow.get_by_label("Contact", exact=True).fill("+1 415 555 0106")
    workflow.get_by_role("button", name="Start").click()
    expect(workflow).to_contain_text("The carrier blocks our texts after a STOP.")
    workflow.get_by_role("button", name="Close").click()
    expect(tick(page, "In a workflow")).to_be_checked()

    begin(page, "Your Home")
    page.get_by_role("button", name="Optin Home").click()
    page.locator("#home").get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_contain_text("Digests")
    expect(tick(page, "Your Home")).to_be_checked()


def tick(page: Page, title: str) -> Locator:
    return page.locator("#tour").get_by_label(f"Done: {title}", exact=True)


def show_tour(page: Page) -> None:
    page.get_by_role("button", name="What to try").click()


def begin(page: Page, title: str) -> None:
    """Presses the step's own button."""
    heading = page.get_by_role("heading", name=title, exact=True)
    page.locator("#tour li").filter(has=heading).locator("button.try").click()


def answered(page: Page, title: str) -> Locator:
    """The answer to what the step types."""
    begin(page, title)
    field = page.get_by_role("combobox", name="Message")
    expect(field).not_to_have_value("")
    answers = page.get_by_role("article")
    before = answers.count()
    field.press("Enter")
    expect(answers).to_have_count(before + 1)
    return answers.last
