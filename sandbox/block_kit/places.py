"""Which elements and blocks may stand where."""

from typing import Final

from sandbox.block_kit.block_shapes import BLOCKS, ELEMENTS

_SELECTS: Final = {"static_select", "external_select", "users_select"} | {
    "conversations_select",
    "channels_select",
}
_MULTI_SELECTS: Final = {f"multi_{name}" for name in _SELECTS}
_CHOICES: Final = {"checkboxes", "radio_buttons", "datepicker", "timepicker"} | _SELECTS

PLACES: Final[dict[str, set[str]]] = {
    "actions": {"button", "overflow", "datetimepicker", "workflow_button"} | _CHOICES,
    "section": {"button", "overflow", "image", "workflow_button"} | _CHOICES | _MULTI_SELECTS,
    "input": {"plain_text_input", "email_text_input", "number_input", "url_text_input"}
    | {"rich_text_input", "file_input", "datetimepicker"}
    | _CHOICES
    | _MULTI_SELECTS,
    "context": {"image", "plain_text", "mrkdwn"},
    "context_actions": {"feedback_buttons", "icon_button"},
    "card": {"button"},
    "rich_text": {"rich_text_section", "rich_text_list", "rich_text_quote"}
    | {"rich_text_preformatted"},
    "carousel": {"card"},
    "container": set(BLOCKS) - {"container", "carousel", "input"},
}

WITHOUT_ACTION: Final = {name for name in ELEMENTS if name.startswith("rich_text_")} - {
    "rich_text_input"
} | {"image"}
