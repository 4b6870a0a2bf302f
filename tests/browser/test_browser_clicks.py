"""How many clicks the work of an agent takes, counted on the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser_fixtures import become, go, run
from tests.support.phone_page import hold_phone, text

pytestmark = pytest.mark.browser

_COUNT = """
  () => {
    window.clicks = 0;
    addEventListener("click", (event) => { if (event.isTrusted) window.clicks += 1; }, true);
    addEventListener("change", (event) => {
      if (event.isTrusted && event.target.tagName === "SELECT") window.clicks += 1;
    }, true);
  }
"""


class Clicks:
    """Counts them: opening a dropdown and choosing in it are two."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def start(self) -> None:
        self._page.evaluate("window.clicks = 0")

    @property
    def made(self) -> int:
        made: int = self._page.evaluate("window.clicks")
        return made


@pytest.fixture
def clicks(page: Page) -> Clicks:
    page.evaluate(_COUNT)
    return Clicks(page)


def press(page: Page, where: Locator, name: str) -> None:
    where.get_by_role("button", name=name).first.click()


def confirm(page: Page, name: str) -> None:
    page.get_by_role("alertdialog").get_by_role("button", name=name, exact=True).click()


def test_a_look_up_takes_no_click(page: Page, clicks: Clicks) -> None:
    clicks.start()
    expect(run(page, "/optin +1 415 555 0106")).to_contain_text("SMS 🔴 Opted out")

    assert clicks.made == 0


def test_an_opt_out_takes_three_and_its_undo_one(page: Page, clicks: Clicks) -> None:
    card = run(page, "/optin Ana Gómez")
    clicks.start()
    menu = card.get_by_role("combobox", name="Opt out of …")
    menu.click()
    page.keyboard.press("Escape")  # the browser's own list, which no test can press in
    menu.select_option("SMS")
    confirm(page, "Opt out")
    expect(card).to_contain_text("SMS 🔴 Opted out")
    opted_out = clicks.made
    clicks.start()
    press(page, card, "Undo SMS opt-out")
    expect(card).to_contain_text("SMS ✅ Opted in")

    # `select_option` makes a change that no person made, which is not counted.
    assert opted_out + 1 == 3
    assert clicks.made == 1


def test_a_request_takes_two_and_its_approval_two(page: Page, clicks: Clicks) -> None:
    card = run(page, "/optin Eve Laurent")
    clicks.start()
    press(page, card, "Request re-opt-in")
    form = page.get_by_role("dialog", name="Re-opt-in for SMS")
    form.get_by_label("Evidence").type("She called us and asked for texts")
    press(page, form, "Send request")
    expect(page.get_by_role("dialog", name="Requested")).to_be_visible()
    # To type, one has to be in the field: it has the focus already.
    requested = clicks.made
    page.keyboard.press("Escape")
    become(page, "Lee Chen")
    go(page, "optin-approvals")
    request = page.get_by_role("article").filter(has_text="Re-opt-in for SMS")
    clicks.start()
    press(page, request, "Approve")
    confirm(page, "Approve")
    expect(request).to_contain_text("☑ Approved by @lee")

    assert requested == 2
    assert clicks.made == 2


def test_clearing_a_bounce_takes_two(page: Page, clicks: Clicks) -> None:
    card = run(page, "/optin Bob Miller")
    clicks.start()
    press(page, card, "Clear SMS Bounce")
    form = page.get_by_role("dialog", name="Clear SMS Bounce")
    form.get_by_label("Reason").type("The phone was off")
    form.get_by_label("Evidence").type("He called from it today")
    press(page, form, "Clear")
    expect(card).to_contain_text("SMS 🟡 Not verified")

    assert clicks.made == 2


def test_a_held_reply_takes_two(page: Page, clicks: Clicks) -> None:
    hold_phone(page, "Ana Gómez", "0100")
    text(page, "please take me off your list")
    card = run(page, "/optin +1 415 555 0100")
    expect(card).to_contain_text("Did Ana Gómez opt out?")
    clicks.start()
    press(page, card, "It was an opt-out")
    confirm(page, "It was")
    expect(card).to_contain_text("SMS 🔴 Opted out")

    assert clicks.made == 2
