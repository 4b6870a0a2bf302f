"""A workflow with a step of Optin's, on the demo's page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser_fixtures import become, picture, type_in

pytestmark = pytest.mark.browser


def test_a_workflow_checks_a_contact_and_shows_what_came_of_it(page: Page) -> None:
    become(page, "Ana Ruiz")
    type_in(page, "A ticket came in")
    page.get_by_role("button", name="Shortcuts", exact=True).click()
    page.get_by_role("menuitem", name="Workflow: Check status").click()
    form = page.get_by_role("dialog", name="Workflow: Check status")

    form.get_by_label("Contact", exact=True).fill("Ticket of (415) 555-0106")
    form.get_by_label("Channel").fill("SMS")
    form.get_by_role("button", name="Start").click()

    outcome = form.get_by_role("status")
    expect(outcome).to_contain_text("Completed")
    expect(outcome).to_contain_text("The carrier blocks our texts after a STOP.")
    picture(page, "door-step-check")

    form.get_by_label("Channel").fill("Fax")
    form.get_by_role("button", name="Start").click()
    expect(outcome).to_contain_text("Failed")
    expect(outcome).to_contain_text("The input Channel is neither SMS nor Email.")
    picture(page, "door-step-failed")


def form_of(page: Page, step: str) -> Locator:
    page.get_by_role("button", name="Shortcuts", exact=True).click()
    page.get_by_role("menuitem", name=f"Workflow: {step}").click()
    return page.get_by_role("dialog", name=f"Workflow: {step}")


def test_a_workflow_opts_out_asks_for_re_opt_in_and_waits_for_a_manager(page: Page) -> None:
    become(page, "Ana Ruiz")
    type_in(page, "A ticket came in")
    form = form_of(page, "Record opt-out")
    form.get_by_label("Contact", exact=True).fill("ana@example.com")
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_role("status")).to_contain_text("No e-mails are sent any more.")
    picture(page, "door-step-opt-out")
    form.get_by_role("button", name="Close").click()

    form = form_of(page, "Request re-opt-in")
    form.get_by_label("Contact", exact=True).fill("ana@example.com")
    form.get_by_label("Evidence").fill("Web form of today")
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_role("status")).to_contain_text("pending")
    picture(page, "door-step-request")
    id = form.get_by_role("definition").first.inner_text()
    form.get_by_role("button", name="Close").click()

    form = form_of(page, "Wait for the outcome")
    form.get_by_label("Request").fill(id)
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_role("status")).to_contain_text("Running")
    picture(page, "door-step-waits")
    form.get_by_role("button", name="Close").click()

    become(page, "Lee Chen")
    page.get_by_role("button", name="optin-approvals").click()
    page.get_by_role("button", name="Approve").last.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("article").last).to_contain_text("Approved: Email On is YES.")
    picture(page, "door-step-approved")

    become(page, "Ana Ruiz")
    form = form_of(page, "Wait for the outcome")
    expect(form.get_by_role("status")).to_contain_text("approved")
    picture(page, "door-step-outcome")


def test_a_guests_workflow_is_refused(page: Page) -> None:
    become(page, "Gus Guest")
    type_in(page, "Hello")
    page.get_by_role("button", name="Shortcuts", exact=True).click()
    page.get_by_role("menuitem", name="Workflow: Check status").click()
    form = page.get_by_role("dialog", name="Workflow: Check status")
    form.get_by_label("Contact", exact=True).fill("grace@example.com")
    form.get_by_role("button", name="Start").click()

    expect(form.get_by_role("status")).to_contain_text("Optin is for full members")
    picture(page, "door-step-guest")
