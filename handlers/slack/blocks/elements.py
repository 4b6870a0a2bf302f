"""Buttons, options and confirm dialogs.

https://docs.slack.dev/reference/block-kit/block-elements/
"""

from __future__ import annotations

from handlers.slack.blocks.formatting import OPTION, Block, fit, plain

#: Characters; longer labels are cut on phones. What a screen reader says may be longer.
LABEL, _SPOKEN = 24, 75


def button(
    text: str, action: str, value: str, *, style: str | None = None, spoken: str | None = None
) -> Block:
    """A button; `style` is primary or danger. `spoken` is what a screen reader says where several
    buttons have the same label."""
    element: Block = {
        "type": "button",
        "action_id": action,
        "text": plain(text, LABEL),
        "value": value,
    }
    if style:
        element["style"] = style
    if spoken:
        element["accessibility_label"] = fit(spoken, _SPOKEN)
    return element


def link_button(text: str, action: str, address: str) -> Block:
    """A button that opens a page. Slack tells of a click on it as of any other."""
    return {"type": "button", "action_id": action, "text": plain(text, LABEL), "url": address}


def option(text: str, value: str) -> Block:
    return {"text": plain(text, OPTION), "value": value}


def confirm(title: str, text: str, *, do: str, leave: str = "Not now") -> Block:
    """The dialog before something happens."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(do, 30),
        "deny": plain(leave, 30),
    }
