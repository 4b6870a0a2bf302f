"""The fields of every block, element and composition object: name -> type of the value.

A name with `!` is required. A type is one of
    string bool int number list object any     JSON's own types
    plain text                                 a plain_text object; plain_text or mrkdwn
    <composition>, [<composition>]             one of COMPOSITIONS; a list of them
    elements:<place>, [elements:<place>]       an element allowed at that place; a list of them
    [blocks:<place>]                           a list of blocks allowed at that place
https://docs.slack.dev/reference/block-kit/
"""

from typing import Final

Shape = dict[str, str]

BLOCKS: Final[dict[str, Shape]] = {
    "actions": {"elements!": "[elements:actions]"},
    "alert": {"text!": "text", "level": "string"},
    "card": {
        "title": "text",
        "subtitle": "text",
        "body": "text",
        "subtext": "text",
        "actions": "[elements:card]",
        "hero_image": "object",
        "icon": "object",
        "slack_icon": "object",
    },
    "carousel": {"elements!": "[blocks:carousel]"},
    "container": {
        "title": "text",
        "rich_text_title": "object",
        "subtitle": "text",
        "icon": "object",
        "width": "string",
        "child_blocks!": "[blocks:container]",
        "is_collapsible": "bool",
        "default_collapsed": "bool",
        "has_header_divider": "bool",
    },
    "context": {"elements!": "[elements:context]"},
    "context_actions": {"elements!": "[elements:context_actions]"},
    "data_table": {
        "rows!": "list",
        "caption": "string",
        "page_size": "int",
        "row_header_column_index": "int",
        "column_settings": "list",
    },
    "data_visualization": {"title!": "string", "chart!": "object"},
    "divider": {},
    "file": {"external_id!": "string", "source!": "string"},
    "header": {"text!": "plain", "level": "int"},
    "image": {
        "alt_text!": "string",
        "image_url": "string",
        "slack_file": "object",
        "title": "plain",
    },
    "input": {
        "label!": "plain",
        "element!": "elements:input",
        "hint": "plain",
        "optional": "bool",
        "dispatch_action": "bool",
    },
    "markdown": {"text!": "string"},
    "plan": {"title!": "string", "tasks": "list"},
    "rich_text": {"elements!": "[elements:rich_text]"},
    "section": {
        "text": "text",
        "fields": "[text]",
        "accessory": "elements:section",
        "expand": "bool",
    },
    "table": {"rows!": "list", "column_settings": "list"},
    "task_card": {
        "task_id!": "string",
        "title!": "string",
        "details": "object",
        "output": "object",
        "sources": "[source]",
        "status": "string",
    },
    "video": {
        "alt_text!": "string",
        "thumbnail_url!": "string",
        "title!": "plain",
        "video_url!": "string",
        "author_name": "string",
        "description": "plain",
        "provider_icon_url": "string",
        "provider_name": "string",
        "title_url": "string",
    },
}

_SELECT: Final[Shape] = {
    "placeholder": "plain",
    "confirm": "confirm",
    "focus_on_load": "bool",
}
_MULTI: Final[Shape] = {**_SELECT, "max_selected_items": "int"}
_OPTIONS: Final[Shape] = {"options": "[option]", "option_groups": "[option_group]"}
_TYPED: Final[Shape] = {
    "placeholder": "plain",
    "initial_value": "string",
    "dispatch_action_config": "dispatch_action_config",
    "focus_on_load": "bool",
}

ELEMENTS: Final[dict[str, Shape]] = {
    "button": {
        "text!": "plain",
        "value": "string",
        "url": "string",
        "style": "string",
        "confirm": "confirm",
        "accessibility_label": "string",
        "agent_prompt": "string",
        "agent_prompt_display": "string",
        "visible_to_user_ids": "list",
    },
    "channels_select": {**_SELECT, "initial_channel": "string", "response_url_enabled": "bool"},
    "checkboxes": {
        "options!": "[option]",
        "initial_options": "[option]",
        "confirm": "confirm",
        "focus_on_load": "bool",
    },
    "conversations_select": {
        **_SELECT,
        "initial_conversation": "string",
        "default_to_current_conversation": "bool",
        "response_url_enabled": "bool",
        "filter": "conversation_filter",
    },
    "datepicker": {**_SELECT, "initial_date": "string"},
    "datetimepicker": {"initial_date_time": "int", "confirm": "confirm", "focus_on_load": "bool"},
    "email_text_input": _TYPED,
    "external_select": {**_SELECT, "initial_option": "option", "min_query_length": "int"},
    "feedback_buttons": {"positive_button!": "object", "negative_button!": "object"},
    "file_input": {"filetypes": "list", "max_files": "int"},
    "icon_button": {
        "icon!": "string",
        "text!": "plain",
        "value": "string",
        "confirm": "confirm",
        "accessibility_label": "string",
        "visible_to_user_ids": "list",
    },
    "image": {"alt_text!": "string", "image_url": "string", "slack_file": "object"},
    "multi_channels_select": {**_MULTI, "initial_channels": "list"},
    "multi_conversations_select": {
        **_MULTI,
        "initial_conversations": "list",
        "default_to_current_conversation": "bool",
        "filter": "conversation_filter",
    },
    "multi_external_select": {**_MULTI, "initial_options": "[option]", "min_query_length": "int"},
    "multi_static_select": {**_MULTI, **_OPTIONS, "initial_options": "[option]"},
    "multi_users_select": {**_MULTI, "initial_users": "list"},
    "number_input": {
        **_TYPED,
        "is_decimal_allowed!": "bool",
        "min_value": "string",
        "max_value": "string",
    },
    "overflow": {"options!": "[option]", "confirm": "confirm"},
    "plain_text_input": {
        **_TYPED,
        "multiline": "bool",
        "min_length": "int",
        "max_length": "int",
    },
    "radio_buttons": {
        "options!": "[option]",
        "initial_option": "option",
        "confirm": "confirm",
        "focus_on_load": "bool",
    },
    "rich_text_input": {
        **_TYPED,
        "initial_value": "object",
        "min_lines": "int",
        "max_lines": "int",
    },
    "static_select": {**_SELECT, **_OPTIONS, "initial_option": "option"},
    "timepicker": {**_SELECT, "initial_time": "string", "timezone": "string"},
    "url_text_input": _TYPED,
    "users_select": {**_SELECT, "initial_user": "string"},
    "workflow_button": {
        "text!": "plain",
        "workflow!": "object",
        "style": "string",
        "accessibility_label": "string",
    },
    "rich_text_section": {"elements!": "list"},
    "rich_text_list": {
        "style!": "string",
        "elements!": "list",
        "indent": "int",
        "offset": "int",
        "border": "int",
    },
    "rich_text_quote": {"elements!": "list", "border": "int"},
    "rich_text_preformatted": {"elements!": "list", "border": "int", "language": "string"},
}

COMPOSITIONS: Final[dict[str, Shape]] = {
    "confirm": {
        "title!": "plain",
        "text!": "text",
        "confirm!": "plain",
        "deny!": "plain",
        "style": "string",
    },
    "option": {"text!": "text", "value!": "string", "description": "text", "url": "string"},
    "source": {"type!": "string", "url!": "string", "text!": "string"},
    "option_group": {"label!": "plain", "options!": "[option]"},
    "dispatch_action_config": {"trigger_actions_on": "list"},
    "conversation_filter": {
        "include": "list",
        "exclude_external_shared_channels": "bool",
        "exclude_bot_users": "bool",
    },
}

VIEWS: Final[dict[str, Shape]] = {
    "modal": {
        "title!": "plain",
        "blocks!": "[blocks:modal]",
        "submit": "plain",
        "close": "plain",
        "private_metadata": "string",
        "callback_id": "string",
        "external_id": "string",
        "clear_on_close": "bool",
        "notify_on_close": "bool",
        "submit_disabled": "bool",
    },
    "home": {
        "blocks!": "[blocks:home]",
        "private_metadata": "string",
        "callback_id": "string",
        "external_id": "string",
    },
}
