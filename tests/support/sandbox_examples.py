"""A correct example of each block, element, composition and view of Block Kit."""

from typing import Any

from tests.support.sandbox_fixtures import (
    actions,
    button,
    field,
    modal,
    mrkdwn,
    option,
    plain,
    section,
)

OPTIONS = [option("a"), option("b")]
CONFIRM = {"title": plain("t"), "text": mrkdwn("t"), "confirm": plain("y"), "deny": plain("n")}
IMAGE = {"image_url": "/a.png", "alt_text": "a"}
SERIES = {"name": "n", "data": [{"label": "l", "value": 1}]}
TABLE = [[{"type": "raw_text", "text": "a"}]] * 2

# A correct example of each type, with every field that a row of the file speaks of.
BLOCKS: dict[str, dict[str, Any]] = {
    "actions": actions(button("a", "a")),
    "alert": {"type": "alert", "text": mrkdwn("a")},
    "card": {
        "type": "card",
        "title": mrkdwn("a"),
        "subtitle": mrkdwn("a"),
        "body": mrkdwn("a"),
        "subtext": mrkdwn("a"),
        "actions": [button("a", "a")],
        "hero_image": IMAGE,
        "icon": IMAGE,
    },
    "carousel": {"type": "carousel", "elements": [{"type": "card", "title": mrkdwn("a")}]},
    "container": {
        "type": "container",
        "title": mrkdwn("a"),
        "subtitle": mrkdwn("a"),
        "icon": IMAGE,
        "child_blocks": [section("a")],
    },
    "context": {"type": "context", "elements": [mrkdwn("a")]},
    "context_actions": {
        "type": "context_actions",
        "elements": [{"type": "icon_button", "icon": "trash", "text": plain("a")}],
    },
    "data_table": {"type": "data_table", "page_size": 5, "rows": TABLE},
    "data_visualization": {
        "type": "data_visualization",
        "title": "t",
        "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
    },
    "header": {"type": "header", "text": plain("a")},
    "image": {"type": "image", **IMAGE, "title": plain("a")},
    "input": field("a", {"type": "plain_text_input"}, hint=plain("h")),
    "markdown": {"type": "markdown", "text": "a"},
    "plan": {"type": "plan", "title": "a", "tasks": [{"task_id": "1"}]},
    "section": section("a", fields=[mrkdwn("a")]),
    "table": {"type": "table", "rows": TABLE, "column_settings": [{}]},
    "video": {
        "type": "video",
        "alt_text": "a",
        "thumbnail_url": "/a",
        "title": plain("a"),
        "video_url": "/v",
        "author_name": "a",
        "description": plain("a"),
        "provider_icon_url": "/a",
        "provider_name": "a",
        "title_url": "/a",
    },
}
BARS = {
    "type": "data_visualization",
    "title": "t",
    "chart": {
        "type": "bar",
        "series": [SERIES],
        "axis_config": {"categories": ["c"], "x_label": "x", "y_label": "y"},
    },
}
PLACEHOLDER = {"placeholder": plain("p")}
TYPED = {"initial_value": "a", **PLACEHOLDER}
ELEMENTS: dict[str, dict[str, Any]] = {
    "*": button("a", "a"),
    "button": button(
        "a",
        "a",
        value="v",
        url="https://a",
        accessibility_label="a",
        agent_prompt="a",
        visible_to_user_ids=["U1"],
    ),
    "checkboxes": {"type": "checkboxes", "options": OPTIONS},
    "radio_buttons": {"type": "radio_buttons", "options": OPTIONS},
    "overflow": {"type": "overflow", "options": OPTIONS},
    "static_select": {"type": "static_select", **PLACEHOLDER, "options": OPTIONS},
    "multi_static_select": {
        "type": "multi_static_select",
        **PLACEHOLDER,
        "options": OPTIONS,
        "max_selected_items": 2,
    },
    **{
        f"{many}{kind}_select": {
            "type": f"{many}{kind}_select",
            **PLACEHOLDER,
            **({"max_selected_items": 2} if many else {}),
        }
        for many in ("", "multi_")
        for kind in ("external", "users", "conversations", "channels")
    },
    "plain_text_input": {"type": "plain_text_input", **TYPED, "min_length": 1, "max_length": 9},
    "email_text_input": {"type": "email_text_input", **TYPED},
    "url_text_input": {"type": "url_text_input", **TYPED},
    "number_input": {"type": "number_input", "is_decimal_allowed": False, **TYPED},
    "datepicker": {"type": "datepicker", **PLACEHOLDER},
    "timepicker": {"type": "timepicker", **PLACEHOLDER},
    "rich_text_input": {"type": "rich_text_input", **PLACEHOLDER, "min_lines": 1, "max_lines": 9},
    "datetimepicker": {"type": "datetimepicker", "initial_date_time": 1_700_000_000},
    "file_input": {"type": "file_input", "max_files": 2},
    "image": {"type": "image", **IMAGE},
    "feedback_buttons": {
        "type": "feedback_buttons",
        **{
            f"{mood}_button": {"text": plain("a"), "value": "v", "accessibility_label": "a"}
            for mood in ("positive", "negative")
        },
    },
    "icon_button": {
        "type": "icon_button",
        "icon": "trash",
        "text": plain("a"),
        "value": "v",
        "accessibility_label": "a",
        "visible_to_user_ids": ["U1"],
    },
    "workflow_button": {
        "type": "workflow_button",
        "text": plain("a"),
        "workflow": {"trigger": {"url": "https://a"}},
        "accessibility_label": "a",
    },
    "url source": {"type": "url", "text": "a", "url": "https://a"},
    **{
        name: {
            "type": name.partition("|")[0],
            "style": "bullet",
            "indent": 1,
            "border": 1,
            "elements": [],
        }
        for name in ("rich_text_list", "rich_text_list|quote|preformatted")
    },
}
COMPOSITIONS: dict[str, dict[str, Any]] = {
    "text object": mrkdwn("a"),
    "confirm": CONFIRM,
    "option": {**option("a"), "description": plain("d"), "url": "https://a"},
    "option_group": {"label": plain("l"), "options": OPTIONS},
    "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    "conversation_filter": {"include": ["im"]},
}
VIEWS = {
    "modal": modal(
        section("a"),
        close=plain("c"),
        private_metadata="m",
        external_id="e",
    ),
    "home": {
        "type": "home",
        "blocks": [section("a")],
        "private_metadata": "m",
        "callback_id": "c",
        "external_id": "e",
    },
}
