"""A link to the CRM in the browser: *Open in CRM* on the card, and *Check opt-in* below a link."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_fixtures import SCREENSHOTS, close, go, picture, run, type_in

pytestmark = pytest.mark.browser

LINK = "https://crm.example.com/contacts/C-1042"


def test_a_link_gets_its_button_while_it_is_typed_and_when_it_is_posted(page: Page) -> None:
    field = page.get_by_role("combobox", name="Message")
    field.fill(f"Why does {LINK} get no texts?")
    expect(page.locator(".previews")).to_contain_text("Contact in the CRM")
    page.screenshot(path=SCREENSHOTS / "link-typed.png")
    type_in(page, f"Why does {LINK} get no texts?")
    message = page.get_by_role("article").last

    expect(page.locator(".previews")).to_be_empty()
    below = message.locator(".attachment")
    expect(below.get_by_role("button", name="Check opt-in")).to_be_visible()
    expect(below).not_to_contain_text("Grace")
    picture(page, "link-below")
    below.get_by_role("button", name="Check opt-in").click()
    modal = page.get_by_role("dialog")
    expect(modal).to_contain_text("Grace Lee")
    expect(modal).to_contain_text("🔴")
    page.screenshot(path=SCREENSHOTS / "link-checked.png")
    close(page)


def test_the_card_opens_the_page_in_the_crm(page: Page) -> None:
    page.context.route("https://crm.example.com/**", lambda route: route.fulfill(body="Grace"))
    card = run(page, "/optin Grace Lee")
    with page.context.expect_page() as opened:
        card.get_by_role("button", name="Open in CRM").click()

    assert opened.value.url == LINK
    opened.value.close()
    picture(page, "card-with-crm")


def test_a_link_in_another_channel_is_for_everybody_to_press(page: Page) -> None:
    go(page, "random")
    type_in(page, LINK)

    expect(page.get_by_role("button", name="Check opt-in")).to_be_visible()
