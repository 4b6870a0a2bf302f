"""The newsletter's page in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sandbox.client import Workspace
from tests.support.browser_fixtures import SCREENSHOTS
from tests.support.newsletter_fixtures import (
    MAY_SEND,
    STOPPED,
    CheckApi,
    answering,
    deliver,
    event,
    post_webhook,
    subscribe,
)
from tests.support.outside_fixtures import GRACE, ROSA, Receiver, receiving, settle
from tests.support.sandbox_page_fixtures import MARKS, chromium

pytestmark = MARKS

HOSTILE = "<img src=x onerror=alert(1)> *Bold* & Sons"
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 4


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def optin() -> Iterator[CheckApi]:
    with answering() as api:
        yield api


@pytest.fixture
def app() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def ws(app: Receiver, optin: CheckApi) -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        settle(workspace, app.url)
        subscribe(workspace, optin.url)
        yield workspace


@contextmanager
def reading(browser: Browser, ws: Workspace, **options: Any) -> Iterator[Page]:
    """The page, which must not say a word of error in its console."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: said.type == "error" and problems.append(said.text))
    page.set_default_timeout(10_000)
    page.goto(f"{ws.url}/newsletter")
    expect(page.get_by_role("heading", name="Subscribers (")).to_be_visible()
    yield page
    context.close()
    assert problems == []


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Subscribers").locator("> li").filter(has_text=name)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


def test_the_page_shows_what_went_out_and_why_a_message_was_held_back(
    browser: Browser, ws: Workspace, optin: CheckApi
) -> None:
    optin.results[GRACE["email"]] = STOPPED
    with reading(browser, ws) as page:
        page.get_by_role("button", name="E-mail").click()
        expect(row(page, "Rosa Jiménez")).to_contain_text("No message yet")
        send(page)
        expect(page.get_by_text("1 sent, 1 held back")).to_be_visible()
        expect(row(page, "Rosa Jiménez")).to_contain_text("Sent")
        held = row(page, "Grace Lee")
        expect(held).to_contain_text("Held back since")
        expect(held.get_by_role("listitem")).to_have_text(
            [
                "Blocked by the carrierContactThe contact texts UNSTOP.",
                "Opted outManagerA manager approves.",
            ]
        )
        page.get_by_role("button", name="Text").click()
        expect(page.get_by_text("Nothing is sent yet.")).to_be_visible()
        expect(row(page, "Rosa Jiménez")).to_have_count(0)


def test_a_refused_key_is_said_and_nothing_is_sent(
    browser: Browser, ws: Workspace, optin: CheckApi
) -> None:
    subscribe(ws, optin.url, api_key="revoked")
    with reading(browser, ws) as page:
        send(page)
        expect(page.get_by_text("Nothing was sent. Optin refused the API key")).to_be_visible()
        expect(row(page, "Grace Lee")).to_contain_text("Not sent")


def test_events_appear_as_they_come_with_the_newest_first(browser: Browser, ws: Workspace) -> None:
    with reading(browser, ws) as page:
        events = page.get_by_role("list", name="Events from Optin").locator("> li")
        expect(events).to_have_text(["Change a contact in Slack: the event arrives here."])
        deliver(ws, event(5, "no"))
        expect(events).to_have_count(1)
        expect(events.first).to_contain_text("Consent changed")
        expect(events.first).to_contain_text("Grace Lee · Texts: yes → no")
        expect(row(page, "Grace Lee")).to_contain_text("Held back since")
        expect(row(page, "Grace Lee")).to_contain_text("The next check brings the reason.")
        events.first.get_by_text("consent.changed").click()
        expect(events.first.locator("pre")).to_contain_text('"seq": 5')
        post_webhook(ws, b'{"type": "consent.changed"}', {"webhook-id": "forged"})
        expect(events).to_have_count(2)
        expect(events.first).to_contain_text("Not verified")
        expect(events.first).to_contain_text("Missing required headers.")
        expect(page.get_by_text("1 verified, 1 not verified")).to_be_visible()
        # What the reader opened stays open.
        expect(events.last.locator("pre")).to_be_visible()
        deliver(ws, event(6, "yes"), id_="msg_2")
        expect(row(page, "Grace Lee")).to_contain_text("No message yet")


@pytest.mark.parametrize("width", [1280, 800, 400])
def test_markup_stays_text_and_nothing_overflows(
    browser: Browser, ws: Workspace, optin: CheckApi, width: int
) -> None:
    people = [{**GRACE, "name": HOSTILE}, {**ROSA, "name": LONG, "phone": "+14155550107"}]
    remedy = f"<b>{LONG}</b>"
    gate = {"code": "opted_out", "owner": "<i>", "remedy": remedy}
    optin.results[GRACE["phone"]] = {"answer": "no", "gates": [gate]}
    optin.results["+14155550107"] = MAY_SEND
    subscribe(ws, optin.url, subscribers=people)
    deliver(ws, event(5, "no"))
    post_webhook(ws, remedy.encode(), {"webhook-id": f"<script>{LONG}"})
    with reading(browser, ws, viewport={"width": width, "height": 800}) as page:
        send(page)
        expect(row(page, HOSTILE)).to_contain_text(remedy)
        for opened in page.get_by_role("list", name="Events from Optin").locator("summary").all():
            opened.click()

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("main img, main script, main b, main i").count() == 0
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"newsletter-hostile-{width}.png", full_page=True)


def test_the_newsletter_is_reached_from_slack_and_by_the_keyboard(
    browser: Browser, ws: Workspace
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(ws.url)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Newsletter").click()
    newsletter = opened.value
    button = newsletter.get_by_role("button", name="Send", exact=True)
    expect(button).to_be_enabled()
    button.focus()
    newsletter.keyboard.press("Enter")
    expect(newsletter.get_by_text("0 sent, 1 held back")).to_be_visible()
    context.close()


def test_without_a_list_slack_shows_no_newsletter(browser: Browser) -> None:
    with Workspace.start(mode="socket") as ws:
        context = browser.new_context()
        page = context.new_page()
        page.goto(ws.url)
        expect(page.get_by_role("heading", name="#support")).to_be_visible()
        expect(page.get_by_role("link", name="Newsletter")).to_have_count(0)
        context.close()
