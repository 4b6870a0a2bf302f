"""The ways to a contact beside the command, on the demo's page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser_fixtures import become, close, picture, type_in

pytestmark = pytest.mark.browser


def say(page: Page, text: str) -> Locator:
    """What was said, as a message."""
    articles = page.get_by_role("article")
    before = articles.count()
    type_in(page, text)
    expect(articles.nth(before)).to_be_visible()
    return articles.nth(before)


def from_the_menu(page: Page, message: Locator, item: str) -> None:
    message.hover()
    message.get_by_role("button", name="Message menu").click()
    page.get_by_role("menuitem", name=item).click()


def test_a_messages_menu_opens_the_card_or_a_list(page: Page) -> None:
    become(page, "Ana Ruiz")
    message = say(page, "Ticket: (415) 555-0106 gets no texts")
    message.hover()
    message.get_by_role("button", name="Message menu").click()
    picture(page, "door-message-menu")
    page.get_by_role("menuitem", name="Check opt-in").click()
    card = page.get_by_role("dialog", name="Contact")
    expect(card).to_contain_text("Grace Lee")
    expect(card.get_by_role("button", name="Edit")).to_be_visible()
    picture(page, "door-message-card")
    close(page)

    several = say(page, "Also grace@example.com, +1 415 555 0100 and new.one@example.com")
    from_the_menu(page, several, "Check opt-in")
    found = page.get_by_role("dialog", name="Check opt-in")
    expect(found).to_contain_text("3 contacts and addresses are in this message.")
    picture(page, "door-message-list")
    found.get_by_role("button", name="View Grace Lee").click()
    expect(page.get_by_role("dialog", name="Contact")).to_contain_text("Grace Lee")
    page.keyboard.press("Escape")
    expect(found).to_be_visible()
    close(page)

    none = say(page, "Thanks, all")
    from_the_menu(page, none, "Check opt-in")
    expect(page.get_by_role("dialog")).to_contain_text("There is no phone number")
    picture(page, "door-message-none")


def test_the_composers_shortcut_opens_the_search(page: Page) -> None:
    become(page, "Ben Okafor")
    say(page, "Who is next?")
    page.get_by_role("button", name="Shortcuts", exact=True).click()
    picture(page, "door-composer-menu")
    page.get_by_role("menuitem", name="Find a contact").click()

    expect(page.get_by_role("dialog", name="Find a contact")).to_be_visible()
    picture(page, "door-search")


def test_a_mention_in_a_thread_is_answered_there_to_one_person(page: Page) -> None:
    become(page, "Ben Okafor")
    ticket = say(page, "Ticket of grace@example.com: no texts since October")
    from_the_menu(page, ticket, "Reply in thread")
    expect(page.get_by_text("In the thread of Ben Okafor’s message")).to_be_visible()

    type_in(page, "@optin")

    answer = page.get_by_role("article").filter(has_text="Only visible to you")
    expect(answer).to_contain_text("Grace Lee")
    picture(page, "door-mention")
    answer.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit")
    expect(form).to_be_visible()
    close(page)
    type_in(page, "/optin grace lee")
    expect(page.get_by_text("Slack has no commands in threads.")).to_be_visible()

    become(page, "Lee Chen")
    expect(page.get_by_role("article").filter(has_text="Ticket of grace")).to_be_visible()
    expect(page.get_by_text("Only visible to you")).to_have_count(0)


def test_a_guests_mention_is_refused_to_them_alone(page: Page) -> None:
    become(page, "Gus Guest")
    type_in(page, "@optin grace lee")

    refusal = page.get_by_role("article").filter(has_text="Only visible to you")
    expect(refusal).to_contain_text("Optin is for full members of this workspace")
    picture(page, "door-guest")


def test_direct_messages_to_the_app_are_answered(page: Page) -> None:
    become(page, "Ana Ruiz")
    page.get_by_role("navigation", name="Channels").get_by_role(
        "button", name="Direct messages with Optin"
    ).click()
    type_in(page, "grace lee")

    card = page.get_by_role("article").filter(has_text="Activity Log")
    expect(card).to_contain_text("Grace Lee")
    picture(page, "door-direct")
    type_in(page, "help")
    expect(page.get_by_role("article").last).to_contain_text("Why does this customer get no")
    picture(page, "door-direct-help")
