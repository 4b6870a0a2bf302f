"""`optin demo` in a real browser, from an empty home, as somebody new would try it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
SCREENSHOTS = Path(os.environ.get("OPTIN_SCREENSHOTS", ROOT / "build" / "screenshots"))
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None and os.environ.get("OPTIN_BROWSER") == "required":
        pytest.fail("OPTIN_BROWSER=required, and there is no chromium in the PATH")
    if path is None:
        pytest.skip("no chromium in the PATH: the demo was not tried in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a demo of one's own serves its page."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--no-browser"]
    with (tmp_path / "log").open("w") as log:
        demo = subprocess.Popen(
            command, cwd=home, env=env, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert demo.stdout is not None
    with demo.stdout:
        first = demo.stdout.readline()
        page = re.search(r"http://\S+", first)
        assert page, f"no address in {first!r}; it said: {(tmp_path / 'log').read_text()}"
        yield page[0]
        demo.terminate()
        assert demo.wait(timeout=20) == 0
        assert "Traceback" not in (tmp_path / "log").read_text()
        assert list(home.iterdir()) == []


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(15_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    expect(page.get_by_role("button", name="Switch person")).to_be_visible()
    yield page
    context.close()
    assert problems == []


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
    expect(log).to_contain_text("SMS On YES → NO")
    expect(log).to_contain_text("Asked by phone")
    expect(log).to_contain_text("@ana")
    picture(page, "log")
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
    page.get_by_role("menuitem", name="Why this status").click()
    expect(page.get_by_role("dialog", name="Why this status")).to_be_visible()
    picture(page, "why")
    close(page)

    menu.click()
    page.get_by_role("menuitem", name="Change name").click()
    expect(page.get_by_role("dialog", name="Change contact")).to_be_visible()
    picture(page, "details")


def become(page: Page, name: str) -> None:
    page.get_by_role("button", name="Switch person").click()
    page.get_by_role("menuitemradio", name=name).click()
    expect(page.get_by_role("button", name=f"You are {name}")).to_be_visible()


def close(page: Page) -> None:
    """Escape, until no modal is left."""
    dialog = page.get_by_role("dialog")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def type_in(page: Page, text: str) -> None:
    field = page.get_by_role("combobox", name="Message")
    field.fill(f"{text} ")
    field.press("Enter")


def run(page: Page, command: str) -> Locator:
    """Types the command; the answer to it."""
    answers = page.get_by_role("article")
    before = answers.count()
    type_in(page, command)
    expect(answers).to_have_count(before + 1)
    return answers.last


def option(select: Locator, start: str) -> str:
    """The text of the option that begins so."""
    expect(select).to_be_visible()
    texts = select.get_by_role("option").all_text_contents()
    return next(text for text in texts if text.startswith(start))


def picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.get_by_role("article").last.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
