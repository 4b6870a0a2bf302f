"""`optin demo` in a real browser, from an empty home, as somebody new would try it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_fixtures import become, close, option, picture, run, type_in

pytestmark = pytest.mark.browser


def test_an_agent_looks_up_edits_and_reads_the_log(page: Page) -> None:
    become(page, "Ana Ruiz")

    by_phone = run(page, "/optin +1 415 555 0106")
    expect(by_phone).to_contain_text("Grace Lee")
    expect(by_phone).to_contain_text("Only visible to you")
    expect(by_phone).to_contain_text("UNSTOP")
    picture(page, "card")

    by_address = run(page, "/optin ines@example.com")
    expect(by_address).to_contain_text("Ines Costa")

    by_part_of_a_name = run(page, "/optin gom")
    expect(by_part_of_a_name).to_contain_text("Ana Gómez")
    expect(by_part_of_a_name).to_contain_text("SMS ✅ Opted in")

    by_part_of_a_name.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit")
    form.get_by_label("SMS On").select_option(label=option(form.get_by_label("SMS On"), "NO"))
    form.get_by_label("Email On").select_option(label=option(form.get_by_label("Email On"), "NO"))
    form.get_by_label("Reason").select_option(label="Asked by phone")
    picture(page, "edit")
    form.get_by_role("button", name="Save").click()

    saved = page.get_by_role("dialog", name="Saved")
    expect(saved).to_contain_text("SMS On YES → NO")
    expect(saved).to_contain_text("Email On YES → NO")
    picture(page, "saved")
    saved.get_by_role("button", name="Close").last.click()

    card = page.get_by_role("article").last
    expect(card).to_contain_text("SMS 🔴 Opted out")
    expect(card).to_contain_text("Email 🔴 Opted out")
    picture(page, "card-after")

    card.get_by_role("button", name="Activity Log").click()
    log = page.get_by_role("dialog", name="Activity Log")
    expect(log).to_contain_text("SMS On set to NO: asked by phone")
    expect(log).to_contain_text("@ana")
    picture(page, "log")

    expect(log).to_contain_text("Status on…")
    before = datetime.now(UTC) - timedelta(days=2)
    log.get_by_label("Status on…").fill(f"{before:%Y-%m-%d}")
    past = page.get_by_role("dialog", name="Status on…")
    expect(past).to_contain_text("SMS ✅ Opted in")
    picture(page, "status-on")
    close(page)


def test_a_guest_is_refused(page: Page) -> None:
    become(page, "Gus Guest")

    refused = run(page, "/optin ana@example.com")

    expect(refused).to_contain_text("full members of this workspace")
    expect(refused).not_to_contain_text("Ana Gómez")
    picture(page, "guest")


def test_every_corner_can_be_seen(page: Page) -> None:
    """Looks at the rest, for the pictures and for whatever breaks on the way."""
    become(page, "Ben Okafor")
    for name, command, seen in (
        ("hits", "/optin ana", "3 contacts match"),
        ("nobody", "/optin +1 415 555 0190", "Add contact"),
        ("near", "/optin Ana Gomze", "Did you mean"),
        ("help", "/optin help", "/optin recent"),
        ("recent", "/optin recent", "The last changes"),
        ("two-senders", "/optin Yusuf Demir", "Yusuf"),
        ("long-name", "/optin Wolfe", "Wolfe"),
        ("right-to-left", "/optin محمد", "محمد"),
        ("do-not-contact", "/optin Umar", "Do not contact"),
        ("complaint", "/optin paula@example.com", "spam"),
        ("bounced", "/optin 415-555-0101", "Bob Miller"),
    ):
        expect(run(page, command)).to_contain_text(seen)
        picture(page, name)

    page.get_by_role("article").last.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit")
    expect(form.get_by_label("SMS Bounce")).to_be_visible()
    picture(page, "edit-bounce")
    close(page)

    run(page, "/optin Ines Costa").get_by_role("button", name="Edit").click()
    form.get_by_label("SMS On").select_option(label=option(form.get_by_label("SMS On"), "YES"))
    form.get_by_role("button", name="Save").click()
    expect(form).to_contain_text("Say what shows that the contact agreed")
    picture(page, "edit-refused")
    close(page)

    type_in(page, "/optin")
    search = page.get_by_role("dialog", name="Find a contact")
    search.get_by_role("combobox").press_sequentially("ana")
    offer = search.get_by_role("option").first
    expect(offer).to_contain_text("Ana")
    picture(page, "search")
    offer.click()
    profile = page.get_by_role("dialog", name="Contact")
    expect(profile).to_contain_text("Ana")
    picture(page, "profile")
    close(page)

    menu = page.get_by_role("article").last.get_by_role("button", name="More")
    menu.click()
    picture(page, "menu")
    page.get_by_role("menuitem", name="Details").click()
    expect(page.get_by_role("dialog", name="Details")).to_be_visible()
    picture(page, "why")
    close(page)

    menu.click()
    page.get_by_role("menuitem", name="Change contact").click()
    expect(page.get_by_role("dialog", name="Change contact")).to_be_visible()
    picture(page, "details")
