"""How tall a card is on the screen: the answer has to be seen without scrolling.

A line is 22 px of rendered height; dividers and the button row are not counted.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_fixtures import become, run

pytestmark = pytest.mark.browser

LINE = 22
#: px. A message in a window, and on a phone.
WIDE, NARROW = 580, 400
#: Lines at most, at both widths.
GREEN = 4
WORST = {WIDE: 12, NARROW: 16}
#: Rows 1 to 12 of the table in rules.md §3, in its order, then what lies on top of them.
ROWS = [
    "Ana Gómez",
    "Bob Miller",
    "Carla Rossi",
    "Dan Whitfield",
    "Eve Laurent",
    "Farid Haddad",
    "Grace Lee",
    "Hugo Brandt",
    "Ines Costa",
    "Jack Turner",
    "Kim Park",
    "Lena Fischer",
]
OVERLAYS = [
    "Marco Bianchi",
    "Nora Svensson",
    "Oscar Nilsen",
    "Paula Reyes",
    "Quentin Moreau",
    "Rosa Jiménez",
    "Sam Carter",
    "Tara Singh",
    "Umar Aziz",
    "Vera Kraus",
    "Will Young",
    "Yusuf Demir",
    "Wolfeschlegelsteinhausenbergerdorff",
]

_HEIGHT = """
  (card, width) => {
    if (width) card.style.cssText = `box-sizing: border-box; width: ${width}px`;
    const counted = [...card.children].filter(
      (block) => block.tagName !== "HR" && !block.classList.contains("actions"));
    return counted.reduce((sum, block) => sum + block.getBoundingClientRect().height, 0);
  }
"""


@pytest.fixture
def manager(page: Page) -> Page:
    """Who sees the most buttons."""
    become(page, "Lee Chen")
    return page


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_card_is_no_taller_than_the_screen_has_room_for(manager: Page, width: int) -> None:
    tall = {}
    narrow = width == NARROW
    for who in [*ROWS, *OVERLAYS]:
        card = run(manager, f"/optin {who}").locator(".blocks")
        expect(card).to_contain_text(who)
        if narrow:
            manager.set_viewport_size({"width": NARROW, "height": 800})
        px = card.evaluate(_HEIGHT, None if narrow else width)
        if narrow:
            manager.set_viewport_size({"width": 1280, "height": 800})
        tall[who] = px / LINE
        print(f"{width} px: {tall[who]:4.1f} lines · {who}")  # noqa: T201 - for whoever draws the card

    assert tall["Ana Gómez"] <= GREEN
    assert max(tall.values()) <= WORST[width]
