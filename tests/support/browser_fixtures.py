"""A browser on the page of a demo of one's own, started from an empty home."""

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

#: A busy machine draws late.
_MILLISECONDS = 20_000
expect.set_options(timeout=_MILLISECONDS)

ROOT = Path(__file__).parents[2]
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


def chromium_path() -> str:
    """Where there is none the test is skipped, and says so; or fails, if one is required."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None and os.environ.get("OPTIN_BROWSER") == "required":
        pytest.fail("OPTIN_BROWSER=required, and there is no chromium in the PATH")
    if path is None:
        pytest.skip("no chromium in the PATH: nothing was tried in a browser")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def demo_address(tmp_path: Path) -> Iterator[str]:
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
def page(browser: Browser, demo_address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(_MILLISECONDS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(demo_address)
    expect(page.get_by_role("button", name="Switch person")).to_be_visible()
    yield page
    context.close()
    assert problems == []


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


def go(page: Page, channel: str) -> None:
    page.get_by_role("navigation", name="Channels").get_by_role("button", name=channel).click()
    expect(page.get_by_role("heading", name=f"#{channel}")).to_be_visible()
