"""An evidence pack in a browser: out of the card's menu, and printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.consent.model import Contact
from bot.consent.use_cases import Service
from tests.support.browser_fixtures import SCREENSHOTS, become, picture, run
from tests.support.evidence_fixtures import pack_of, problem, unpacked

pytestmark = pytest.mark.browser


def test_a_manager_takes_a_pack_out_of_the_menu_of_a_card(page: Page, tmp_path: Path) -> None:
    become(page, "Lee Chen")
    card = run(page, "/optin Ana Gómez")
    card.get_by_role("button", name="More").click()
    picture(page, "evidence-menu")
    page.get_by_role("menuitem", name="Evidence pack").click()
    dialog = page.get_by_role("dialog", name="Evidence pack")
    expect(dialog).to_contain_text("The evidence pack is in your direct messages with Optin")
    picture(page, "evidence-sent")
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Direct messages with Optin").click()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Evidence pack").click()
    downloading.value.save_as(tmp_path / "pack.zip")
    picture(page, "evidence-message")

    assert problem(unpacked((tmp_path / "pack.zip").read_bytes())) is None


def test_the_report_prints_on_two_pages(
    browser: Browser, service: Service, person: Contact, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    report.write_bytes(pack_of(service, person)["report.html"])
    page = browser.new_page(viewport={"width": 900, "height": 1200})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "evidence-report.png", full_page=True)
    page.close()

    pages = re.findall(rb"/Type\s*/Page\b", printed)
    assert 1 <= len(pages) <= 2
    assert asked == [report.as_uri()]
