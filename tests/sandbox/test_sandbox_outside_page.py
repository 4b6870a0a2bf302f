"""The phone and the mailbox beside the workspace, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.client import Workspace
from tests.support.outside_fixtures import GRACE, LINE, OFFERS, Receiver, receiving, settle
from tests.support.sandbox_page_fixtures import MARKS, chromium, visiting

pytestmark = MARKS

INBOUND = "/webhooks/twilio/inbound"
TOUR = {
    "title": "What to try",
    "steps": [
        {"title": "She texts STOP", "contact": "Grace Lee", "texts": "STOP"},
        {
            "title": "Unsubscribe",
            "contact": "Rosa Jiménez",
            "mailbox": True,
            "press": "Unsubscribe",
        },
        {"title": "A storm", "outside": True, "press": "500 STOPs"},
    ],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def app() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
        assert receiver.refused == []


@pytest.fixture
def ws(app: Receiver) -> Iterator[Workspace]:
    with Workspace.start(mode="socket", tour=TOUR) as workspace:
        settle(workspace, app.url)
        yield workspace


def open_outside(page: Page) -> None:
    page.get_by_role("tab", name="Phone & mailbox").click()


def test_a_stop_from_the_phone_shows_what_carrier_company_and_app_did(
    browser: Browser, ws: Workspace, app: Receiver
) -> None:
    with visiting(browser, ws) as page:
        open_outside(page)
        page.get_by_role("button", name="STOP", exact=True).click()
        texts = page.get_by_role("log", name="Texts")
        expect(texts).to_contain_text("NETWORK MSG")
        expect(texts).to_contain_text("Never arrived: 21610 The contact has opted out")
        expect(texts).to_contain_text("204 ·")
        expect(page.get_by_role("tab", name="Support line, blocked")).to_be_visible()
        page.get_by_role("button", name="UNSTOP", exact=True).click()
        expect(page.get_by_role("tab", name="Support line", exact=True)).to_be_visible()
        page.get_by_role("button", name="Deliver").click()
        expect(texts).to_contain_text("delivered")

    assert [form["Body"] for form in app.said(INBOUND)] == ["STOP", "UNSTOP"]
    assert {form["To"] for form in app.said(INBOUND)} == {LINE}


def test_everything_goes_by_the_keyboard(browser: Browser, ws: Workspace, app: Receiver) -> None:
    with visiting(browser, ws) as page:
        page.get_by_role("tab", name="What to try").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Phone & mailbox")).to_be_focused()
        page.get_by_role("tab", name="Support line").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Offers")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("textbox", name="Text")).to_be_focused()
        page.keyboard.type("Please take me off your list")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log", name="Texts")).to_contain_text("204 ·")
        expect(page.get_by_role("textbox", name="Text")).to_have_value("")

    form = app.said(INBOUND)[0]
    assert (form["Body"], form["To"]) == ("Please take me off your list", OFFERS)


def test_a_contact_is_found_by_name_or_number(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        open_outside(page)
        contact = page.get_by_role("combobox", name="Contact")
        expect(contact).to_have_value("Grace Lee")
        contact.fill("rosa@")
        page.get_by_role("option", name="Rosa Jiménez").click()
        expect(contact).to_have_value("Rosa Jiménez")
        expect(page.get_by_role("tab", name="Offers")).to_have_count(0)
        expect(page.get_by_role("heading", name="Spring colours are here")).to_be_visible()
        contact.fill("0106")
        page.get_by_role("option", name="Grace Lee").click()
        expect(page.get_by_role("textbox", name="Text")).to_be_visible()


def test_a_text_bounces_for_the_chosen_reason(
    browser: Browser, ws: Workspace, app: Receiver
) -> None:
    with visiting(browser, ws) as page:
        open_outside(page)
        page.get_by_label("Bounces because").select_option(label="30006 Landline")
        page.get_by_role("button", name="Bounce").click()
        expect(page.get_by_role("log", name="Texts")).to_contain_text("30006 Landline")

    assert app.statuses[-1] == ("undelivered", "30006")


def test_a_mailbox_unsubscribes_reports_and_comes_back(
    browser: Browser, ws: Workspace, app: Receiver
) -> None:
    with visiting(browser, ws) as page:
        open_outside(page)
        page.get_by_role("tab", name="Mailbox", exact=True).click()
        page.get_by_role("button", name="Unsubscribe").click()
        expect(page.get_by_label("The last e-mail")).to_contain_text("204 ·")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open the unsubscribe link").click()
        expect(opened.value.get_by_text("Unsubscribe?")).to_be_visible()
        page.get_by_role("button", name="Report spam").click()
        expect(page.get_by_text("SendGrid sends no more: Spam Reporting Address")).to_be_visible()
        page.get_by_role("button", name="Deliver").click()
        expect(page.get_by_text("The newest e-mail was not even sent")).to_be_visible()
        page.get_by_role("button", name="Lift").click()
        page.get_by_role("button", name="Bounce").click()
        expect(page.get_by_text("The newest e-mail came back: No such mailbox")).to_be_visible()

    assert app.said("/u/one-click")[0]["c"] == GRACE["id"]
    assert [event["event"] for event in app.events] == [
        "spamreport",
        "dropped",
        "processed",
        "bounce",
    ]


def test_sendgrids_lists_show_what_holds_the_mailbox_as_it_changes(
    browser: Browser, ws: Workspace, app: Receiver
) -> None:
    lists = ws.lists("sendgrid")
    with visiting(browser, ws) as page:
        open_outside(page)
        shown = page.get_by_role("region", name="SendGrid's lists")
        expect(shown).to_be_hidden()
        page.get_by_role("tab", name="Mailbox", exact=True).click()
        expect(shown).to_contain_text("On no list: SendGrid sends.")
        page.get_by_role("button", name="Opt out at SendGrid").click()
        expect(shown.get_by_role("listitem")).to_contain_text("Unsubscribes")
        lists.add("bounces", "grace@example.com", reason="550 5.1.1 No such user")
        expect(shown.get_by_role("listitem").first).to_contain_text("550 5.1.1 No such user")
        lists.remove("unsubscribes", "grace@example.com")
        lists.remove("bounces", "grace@example.com")
        expect(shown).to_contain_text("On no list")

    assert [event["event"] for event in app.events] == ["unsubscribe"]


def test_500_stops_say_how_they_were_taken(browser: Browser, ws: Workspace, app: Receiver) -> None:
    with visiting(browser, ws) as page:
        open_outside(page)
        page.get_by_role("button", name="500 STOPs").click()
        expect(page.get_by_text("500 STOPs and 500 refused confirmations in")).to_be_visible(
            timeout=60_000
        )
        expect(page.get_by_text("1000 × 204")).to_be_visible()

    assert len({form["From"] for form in app.said(INBOUND)}) == 500


def test_the_tour_opens_the_phone_with_the_words_and_ticks_off(
    browser: Browser, ws: Workspace
) -> None:
    with visiting(browser, ws) as page:
        page.get_by_role("button", name="STOP as Grace Lee").click()
        expect(page.get_by_role("textbox", name="Text")).to_have_value("STOP")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log", name="Texts")).to_contain_text("204 ·")
        page.get_by_role("tab", name="What to try").click()
        expect(page.get_by_role("checkbox", name="She texts STOP")).to_be_checked()
        page.get_by_role("button", name="Open as Rosa Jiménez").click()
        page.get_by_role("button", name="Unsubscribe").click()
        expect(page.get_by_label("The last e-mail")).to_contain_text("204 ·")
        page.get_by_role("tab", name="What to try").click()
        expect(page.get_by_role("checkbox", name="Unsubscribe")).to_be_checked()


def test_on_a_phone_the_phone_is_a_drawer_that_fits(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws, viewport={"width": 400, "height": 800}) as page:
        page.get_by_role("button", name="What to try").click()
        open_outside(page)
        expect(page.get_by_role("button", name="STOP", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        page.get_by_role("button", name="Close phone and mailbox").click()
        expect(page.get_by_role("button", name="STOP", exact=True)).to_be_hidden()


def test_markup_in_texts_and_names_stays_text(
    browser: Browser, ws: Workspace, app: Receiver
) -> None:
    settle(ws, app.url, people=[{**GRACE, "name": "<img src=x onerror=alert(1)>"}])
    with visiting(browser, ws) as page:
        open_outside(page)
        page.get_by_role("textbox", name="Text").fill("<script>alert(1)</script>")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log", name="Texts")).to_contain_text("<script>alert(1)</script>")

        assert page.locator("#outside img, #outside script").count() == 0


def test_without_anybody_outside_there_is_only_the_tour(browser: Browser) -> None:
    with (
        Workspace.start(mode="socket", tour=TOUR) as ws,
        visiting(browser, ws) as page,
    ):
        expect(page.get_by_role("heading", name="What to try")).to_be_visible()
        expect(page.get_by_role("tab")).to_have_count(0)
        expect(page.get_by_role("button", name="Phone & mailbox", exact=True)).to_have_count(0)
