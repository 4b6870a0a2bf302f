"""A browser on the page of a sandbox workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.client import Workspace
from tests.support.browser_fixtures import QUIET, chromium_path

MARKS = [pytest.mark.browser]


@contextmanager
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, ws: Workspace, **options: Any) -> Iterator[Page]:
    """The page, which must not say a word of error in its console."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: said.type == "error" and problems.append(said.text))
    page.set_default_timeout(20_000)
    page.goto(ws.url)
    expect(page.get_by_role("heading", name="#support")).to_be_visible()
    yield page
    context.close()
    assert problems == []
