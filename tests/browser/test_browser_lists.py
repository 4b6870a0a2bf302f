"""SendGrid's suppression lists on the demo's page: what Optin adds, and what it takes off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from sandbox.client import Workspace
from tests.support.browser_fixtures import become, close, go, option, picture, run

pytestmark = pytest.mark.browser

JUERGEN, ROSA = "juergen@example.com", "rosa@example.com"
#: Optin looks again ten seconds after it took an entry off.
PATIENCE = 30_000


def test_an_opt_out_goes_on_sendgrids_list_and_the_card_is_green_once_it_is_off(
    page: Page, demo_address: str
) -> None:
    lists = Workspace(demo_address).lists("sendgrid")
    become(page, "Ana Ruiz")
    hold_mailbox(page, "Jürgen Müller", JUERGEN)
    expect(sendgrids(page)).to_contain_text("On no list")
    opt_out(page)
    expect(sendgrids(page)).to_contain_text("Unsubscribes", timeout=PATIENCE)
    picture(page, "lists-added")
    page.get_by_role("button", name="Deliver").click()
    expect(page.get_by_text("SendGrid sends no more: Unsubscribed Address")).to_be_visible()

    lists.settle(delay=5)
    comes_back(page, JUERGEN)
    assert lists.calls("add", JUERGEN) == lists.calls("remove", JUERGEN) == 1
    assert lists.emptied == 0


def test_an_opt_out_at_sendgrid_comes_off_its_list_after_approval(
    page: Page, demo_address: str
) -> None:
    lists = Workspace(demo_address).lists("sendgrid")
    become(page, "Ana Ruiz")
    hold_mailbox(page, "Rosa Jiménez", ROSA)
    page.get_by_role("button", name="Opt out at SendGrid").click()
    expect(sendgrids(page)).to_contain_text("Unsubscribes")
    expect(page.get_by_label("The last e-mail")).to_contain_text("unsubscribe 200")

    lists.settle(delay=5)
    comes_back(page, ROSA)
    assert (lists.calls("add", ROSA), lists.calls("remove", ROSA)) == (0, 1)


def test_a_cleared_bounce_comes_off_sendgrids_list_and_the_next_email_arrives(
    page: Page, demo_address: str
) -> None:
    become(page, "Ben Okafor")
    hold_mailbox(page, "Rosa Jiménez", ROSA)
    page.get_by_role("button", name="Bounce").click()
    expect(sendgrids(page)).to_contain_text("Bounces")
    expect(page.get_by_text("The newest e-mail came back: No such mailbox")).to_be_visible()
    page.get_by_role("button", name="Deliver").click()
    expect(page.get_by_text("The newest e-mail was not even sent")).to_be_visible()
    card = run(page, f"/optin {ROSA}")
    picture(page, "lists-bounced")

    Workspace(demo_address).lists("sendgrid").settle(delay=5)
    card.get_by_role("button", name="Clear Email Bounce").click()
    form = page.get_by_role("dialog", name="Clear Email Bounce")
    form.get_by_label("Reason").fill("The mailbox was full")
    form.get_by_label("Evidence").fill("She wrote to us from this address")
    form.get_by_role("button", name="Clear").click()
    close(page)
    expect(run(page, f"/optin {ROSA}")).to_contain_text("Optin: taking it off SendGrid's list…")
    picture(page, "lists-bounce-leaving")

    expect(sendgrids(page)).to_contain_text("On no list", timeout=PATIENCE)
    page.get_by_role("button", name="Deliver").click()
    expect(page.get_by_label("The last e-mail")).to_contain_text("delivered 200")
    shows_green(page, ROSA)
    picture(page, "lists-bounce-gone")


def sendgrids(page: Page) -> Locator:
    return page.get_by_role("region", name="SendGrid's lists")


def hold_mailbox(page: Page, name: str, address: str) -> None:
    """Opens this contact's mailbox beside the workspace."""
    page.get_by_role("button", name="Phone & mailbox").click()
    contact = page.get_by_role("combobox", name="Contact")
    contact.fill(address)
    page.get_by_role("option", name=name).click()
    expect(contact).to_have_value(name)
    mailbox = page.get_by_role("tab", name="Mailbox", exact=True)
    mailbox.click()


def opt_out(page: Page) -> None:
    """Jürgen asks by phone for no more e-mails."""
    run(page, f"/optin {JUERGEN}").get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit")
    on = form.get_by_label("Email On")
    on.select_option(label=option(on, "NO"))
    form.get_by_label("Reason").select_option(label="Asked by phone")
    form.get_by_role("button", name="Save").click()
    close(page)


def comes_back(page: Page, address: str) -> None:
    """Asked for and approved. The card is green only once SendGrid's list let the address go."""
    request(page, address)
    approve(page)
    go(page, "support")
    card = run(page, f"/optin {address}")
    expect(card).to_contain_text("Optin: taking it off SendGrid's list…")
    expect(card).not_to_contain_text("Email ✅")
    picture(page, "lists-leaving")

    expect(sendgrids(page)).to_contain_text("On no list", timeout=PATIENCE)
    shows_green(page, address)
    picture(page, "lists-green")


def request(page: Page, address: str) -> None:
    card = run(page, f"/optin {address}")
    card.get_by_role("button", name="Request re-opt-in").click()
    form = page.get_by_role("dialog", name="Re-opt-in for Email")
    form.get_by_label("Evidence").fill("Wrote that the newsletter is wanted again")
    form.get_by_role("button", name="Send request").click()
    close(page)


def approve(page: Page) -> None:
    become(page, "Lee Chen")
    go(page, "optin-approvals")
    asked = page.get_by_role("article").filter(has_text="Re-opt-in for Email")
    asked.get_by_role("button", name="Approve").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Approve").click()
    expect(asked).to_contain_text("Approved by @lee")
    picture(page, "lists-approved")


def shows_green(page: Page, address: str) -> None:
    """The card says so as soon as Optin has looked at the list."""
    for _ in range(30):
        card = run(page, f"/optin {address}")
        if "Email ✅" in card.inner_text():
            return
        page.wait_for_timeout(1_000)
    expect(card).to_contain_text("Email ✅")
