"""A contact's phone on the sandbox's page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def hold_phone(page: Page, name: str, digits: str) -> None:
    """Takes this contact's phone into the hand."""
    page.get_by_role("button", name="Phone & mailbox").click()
    contact = page.get_by_role("combobox", name="Contact")
    contact.fill(digits)
    page.get_by_role("option", name=name).click()
    expect(contact).to_have_value(name)


def texts(page: Page) -> Locator:
    return page.get_by_role("log", name="Texts")


def text(page: Page, words: str) -> None:
    """Texts it to the support line; the provider has its answer."""
    bubbles = texts(page).locator(".contact")
    before = bubbles.count()
    page.get_by_role("textbox", name="Text").fill(words)
    page.keyboard.press("Enter")
    expect(bubbles).to_have_count(before + 1)
    expect(bubbles.last).to_contain_text("200 ·")
