"""The page of the sandbox in a real browser: what a person finds by name, keys and focus."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_bolt import App

from sandbox.client import Workspace
from sandbox.manifest import Command, Manifest
from tests.support.sandbox_fixtures import (
    actions,
    button,
    field,
    modal,
    option,
    plain,
    section,
    workspace_with,
)
from tests.support.sandbox_page_fixtures import MARKS, chromium, visiting

pytestmark = MARKS

YES_NO = [option("YES", "yes"), option("NO", "no")]
CONFIRM = {
    "title": plain("Do not contact?"),
    "text": plain("No more messages."),
    "confirm": plain("Stop all"),
    "deny": plain("Cancel"),
}
EDIT = modal(
    field("SMS On", {"type": "static_select", "options": YES_NO, "initial_option": YES_NO[0]}),
    field("Email On", {"type": "static_select", "options": YES_NO}),
    field("Reason", {"type": "external_select", "min_query_length": 2}, optional=True),
    field("Note", {"type": "plain_text_input"}, optional=True),
    title="Edit Dana",
)
TOUR = {
    "title": "What to try",
    "steps": [
        {"title": "Look somebody up", "command": "/optin dana", "person": "Ben"},
        {"title": "Turn texts off", "text": "Press *Edit*.", "press": "Save"},
        {"title": "Stop her", "shows": ["Stopped"]},
        {"title": "Search", "press": "Reason"},
    ],
}


class Desk:
    def __init__(self) -> None:
        self.saved: list[dict[str, Any]] = []
        self.gate = threading.Event()

    def listen(self, app: App) -> None:
        @app.command("/optin")
        def command(ack: Any, command: dict[str, Any]) -> None:
            if command["text"] == "slow":
                self.gate.wait(10)
            ack(
                text="Dana",
                blocks=[
                    section("*Dana* <!date^1700000000^{time}|then> &lt;!channel&gt;"),
                    actions(
                        button("Edit", "edit"),
                        button("Stop", "stop", confirm=CONFIRM, style="danger"),
                    ),
                ],
            )

        @app.action("edit")
        def edit(ack: Any, body: dict[str, Any], client: Any) -> None:
            client.views_open(trigger_id=body["trigger_id"], view=EDIT)
            ack()

        @app.action("stop")
        def stop(ack: Any, respond: Any) -> None:
            respond(text="Stopped", replace_original=True)
            ack()

        @app.options("value")
        def offers(ack: Any, payload: dict[str, Any]) -> None:
            typed = payload["value"]
            found = [] if typed == "zz" else [option(f"{typed} one"), option(f"{typed} two")]
            ack(options=found)

        @app.view("edit")
        def saved(ack: Any, view: dict[str, Any]) -> None:
            self.saved.append(view["state"]["values"])
            ack()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def ws(desk: Desk) -> Iterator[Workspace]:
    manifest = Manifest(
        commands=(Command(name="/optin", description="Look up a contact", hint="[name]"),)
    )
    with workspace_with(desk.listen, tour=TOUR, manifest=manifest, ack_timeout=1.0) as workspace:
        yield workspace
        desk.gate.set()


def run(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_an_agent_looks_up_and_edits_with_the_keyboard(
    browser: Browser, ws: Workspace, desk: Desk
) -> None:
    with visiting(browser, ws) as page:
        page.get_by_label("Message", exact=True).press_sequentially("/")
        expect(page.get_by_role("option", name="/optin")).to_be_visible()
        page.keyboard.press("Tab")
        page.keyboard.type("dana")
        page.keyboard.press("Enter")
        message = page.get_by_role("article").last
        expect(message).to_contain_text("Only visible to you")
        expect(message).to_contain_text("Dana 5:13 PM <!channel>")
        page.get_by_role("button", name="Edit").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Edit Dana")
        expect(dialog.get_by_label("SMS On")).to_be_focused()
        dialog.get_by_label("SMS On").select_option(label="NO")
        dialog.get_by_label("Note").fill("asked by phone")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("alert")).to_have_text("Please complete this required field.")
        expect(dialog.get_by_label("Email On")).to_be_focused()
        expect(dialog.get_by_label("Note")).to_have_value("asked by phone")
        dialog.get_by_label("Email On").select_option(label="YES")
        dialog.get_by_label("Reason").fill("by")
        expect(page.get_by_role("option", name="by one")).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(dialog.get_by_label("Reason")).to_have_value("by two")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("button", name="Edit")).to_be_focused()

    values = {label: fields["value"] for label, fields in desk.saved[0].items()}
    assert values["SMS On"]["selected_option"]["value"] == "no"
    assert values["Email On"]["selected_option"]["value"] == "yes"
    assert values["Reason"]["selected_option"]["value"] == "by two"
    assert values["Note"]["value"] == "asked by phone"


def test_the_focus_stays_in_the_modal_and_escape_closes_it(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        run(page, "/optin dana")
        page.get_by_role("button", name="Edit").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        for _ in range(12):
            page.keyboard.press("Tab")
            outside = page.evaluate(
                "() => document.activeElement !== document.body"
                " && !document.activeElement.closest('dialog')"
            )
            assert not outside
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()

    assert ws.person("Ana").modal is None


def test_a_confirm_dialog_asks_before_anything_happens(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        run(page, "/optin dana")
        page.get_by_role("button", name="Stop").click()
        asking = page.get_by_role("alertdialog", name="Do not contact?")
        asking.get_by_role("button", name="Cancel").click()
        expect(asking).to_be_hidden()
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        asking.get_by_role("button", name="Stop all").click()
        expect(page.get_by_role("article").last).to_contain_text("Stopped")


def test_a_timeout_is_said_in_slacks_words(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        run(page, "/optin slow")
        expect(page.get_by_role("alert")).to_have_text(
            '/optin failed with the error "operation_timeout"'
        )


def test_people_switch_see_their_own_and_ephemerals_stay_private(
    browser: Browser, ws: Workspace
) -> None:
    with visiting(browser, ws) as page:
        run(page, "/optin dana")
        expect(page.get_by_role("article")).to_have_count(1)
        page.get_by_role("button", name="Switch person").click()
        page.get_by_role("menuitemradio", name="Gus Guest").click()
        expect(page.get_by_role("button", name="You are Gus Guest")).to_be_visible()
        expect(page.get_by_role("article")).to_have_count(0)
        expect(page.get_by_role("button", name="optin-alerts")).to_have_count(0)


def test_what_others_say_arrives_by_itself_and_marks_the_channel(
    browser: Browser, ws: Workspace
) -> None:
    with visiting(browser, ws) as page:
        ws.person("Ben").say("Morning *all*")
        ws.person("Ben").say("Another", channel="#random")
        expect(page.get_by_role("article").last).to_contain_text("Morning all")
        page.get_by_role("button", name="random, 1 unread").click()
        expect(page.get_by_role("heading", name="#random")).to_be_visible()
        expect(page.get_by_role("button", name="random", exact=True)).to_be_visible()


def test_the_tour_fills_the_composer_for_its_person_and_ticks_off(
    browser: Browser, ws: Workspace
) -> None:
    with visiting(browser, ws) as page:
        page.get_by_role("button", name="/optin dana as Ben").click()
        expect(page.get_by_role("button", name="You are Ben Okafor")).to_be_visible()
        expect(page.get_by_label("Message", exact=True)).to_have_value("/optin dana")
        page.keyboard.press("Enter")
        expect(page.get_by_role("checkbox", name="Look somebody up")).to_be_checked()
        expect(page.get_by_role("checkbox", name="Turn texts off")).not_to_be_checked()


def test_a_step_is_ticked_when_it_is_done_and_not_before(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        run(page, "/optin dana")
        step = page.get_by_role("checkbox", name="Stop her")
        page.get_by_role("button", name="Stop", exact=True).click()
        asking = page.get_by_role("alertdialog", name="Do not contact?")
        asking.get_by_role("button", name="Cancel").click()
        expect(step).not_to_be_checked()
        page.get_by_role("button", name="Stop", exact=True).click()
        asking.get_by_role("button", name="Stop all").click()
        expect(step).to_be_checked()

        run(page, "/optin dana")
        page.get_by_role("button", name="Edit").last.click()
        form = page.get_by_role("dialog", name="Edit Dana")
        expect(form).to_be_visible()
        expect(page.get_by_label("Done: Turn texts off")).not_to_be_checked()
        form.get_by_label("Reason").fill("by")
        expect(page.get_by_role("option", name="by one")).to_be_visible()
        expect(page.get_by_label("Done: Search")).to_be_checked()
        page.keyboard.press("Escape")
        form.get_by_label("Email On").select_option(label="YES")
        form.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Done: Turn texts off")).to_be_checked()


def test_a_search_without_hits_says_so(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        run(page, "/optin dana")
        page.get_by_role("button", name="Edit").click()
        page.get_by_role("dialog", name="Edit Dana").get_by_label("Reason").fill("zz")

        expect(page.get_by_text("No results")).to_be_visible()


def test_nothing_is_wider_than_a_phone(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        run(page, "/optin dana")
        page.set_viewport_size({"width": 400, "height": 800})
        page.get_by_role("button", name="Edit").click()
        expect(page.get_by_role("dialog")).to_be_visible()

        assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_markup_in_data_stays_text(browser: Browser, ws: Workspace) -> None:
    with visiting(browser, ws) as page:
        ws.person("Ben").say("<img src=x onerror=alert(1)> <script>alert(1)</script>")
        expect(page.get_by_role("article").last).to_contain_text("<img src=x onerror=alert(1)>")

        assert page.locator("article img, article script").count() == 0
