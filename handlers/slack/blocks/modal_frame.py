"""What every modal is made of: its frame, its fields, and what it remembers."""

from __future__ import annotations

import msgspec

from handlers.slack.blocks.formatting import TITLE, Block, plain, shown

View = dict[str, object]

LONGEST_TEXT = 1000


class Metadata(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a modal remembers: where it came from and what it showed. Believed in nothing: the
    contact is read again, and the role, too."""

    contact: str = ""
    version: int = 0
    #: Where the card stands that has to be redrawn.
    response_url: str = ""
    view_id: str = ""
    #: The list that the card was opened from: where it stands, in a message or a modal, and what it
    #: lists.
    list_url: str = ""
    list_view: str = ""
    listing: str = ""
    #: What the dropdowns showed, by block: untouched ones ask for nothing.
    showed: dict[str, str] = {}
    #: Fields of a form that are typed and not saved yet: drawn again, they look untouched.
    touched: list[str] = []
    #: `seq` of the newest entry of the contact's log when the form was drawn.
    newest: int = 0
    #: The log: page cursors gone through, and filters.
    cursors: list[int] = []
    channel: str = ""
    kind: str = ""
    #: The moment of *Status on…*, in ISO 8601, and its basis.
    at: str = ""
    by: str = ""
    #: How many addresses of a message the list of them leaves out.
    left_out: int = 0
    #: The Slack channel whose settings these are.
    slack_channel: str = ""

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()


def modal(
    callback: str, title: str, blocks: list[Block], metadata: Metadata, *, submit: str | None = None
) -> View:
    view: View = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(shown(title, TITLE), TITLE),
        "close": plain("Cancel" if submit else "Close", TITLE),
        "blocks": blocks,
        "private_metadata": metadata.dump(),
    }
    return view | {"submit": plain(submit, TITLE)} if submit else view


def select(
    block_id: str,
    label: str,
    options: list[Block],
    initial: str,
    *,
    placeholder: str = "Choose",
    ask: bool = False,
) -> Block:
    """A dropdown. With `ask`, choosing is told at once: the form may need other fields then."""
    element: Block = {
        "type": "static_select",
        "action_id": block_id.partition(".")[0],
        "options": options,
        "placeholder": plain(placeholder, 100),
    }
    chosen = [o for o in options if o["value"] == initial]
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "optional": not chosen,
        "label": plain(label, 100),
        "element": element | {"initial_option": chosen[0]} if chosen else element,
    }
    return block | {"dispatch_action": True} if ask else block


def moment_input(block_id: str, label: str, initial: str, *, hint: str) -> Block:
    """A day and time, in seconds since 1970."""
    element: Block = {"type": "datetimepicker", "action_id": block_id.partition(".")[0]}
    return {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": plain(label, 100),
        "hint": plain(hint, 200),
        "element": element | {"initial_date_time": int(initial)} if initial else element,
    }


def text_input(
    block_id: str,
    label: str,
    initial: str,
    *,
    hint: str | None = None,
    multiline: bool = False,
    optional: bool = True,
    longest: int = LONGEST_TEXT,
) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": block_id.partition(".")[0],
        "multiline": multiline,
        "max_length": longest,
    }
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": plain(label, 100),
        "element": element | {"initial_value": initial[:longest]} if initial else element,
    }
    return block | {"hint": plain(hint, 200)} if hint else block
