"""Reading what Slack sends over HTTP, once, into what Socket Mode delivers as it is.

Bolt's own reading takes a form for JSON when it begins with a brace, and loses a command whose
text has the word "payload" in it (`slack_bolt.request.internals.parse_body`, 1.30).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any
from urllib.parse import unquote_plus

import msgspec

#: Slack's deepest, a view with its state, has about twelve levels.
_DEEPEST = 50
#: A slash command has about fifteen.
_MOST_FIELDS = 100

_OBJECT_OR_ID = (dict, str, NoneType)
#: What Bolt looks into without asking what it is. Any of these may be missing.
_SHAPES: Mapping[str, tuple[type, ...]] = {
    "type": (str,),
    "command": (str,),
    "callback_id": (str,),
    "action_id": (str,),
    "block_id": (str,),
    "view": (dict,),
    "event": (dict,),
    "user": _OBJECT_OR_ID,
    "team": _OBJECT_OR_ID,
    "enterprise": _OBJECT_OR_ID,
    "channel": _OBJECT_OR_ID,
    "actions": (list,),
    "authorizations": (list, NoneType),
    "response_urls": (list,),
    "workflow_step": (dict,),
}
#: Objects in which Bolt looks for the same names again.
_NESTED = ("event", "message", "previous_message", "item", "assistant_thread")
#: Bolt asks whether these are there, not whether they are null.
_NEVER_NULL = frozenset(
    {
        "type",
        "command",
        "callback_id",
        "action_id",
        "block_id",
        "view",
        "event",
        "actions",
        "response_url",
        "response_urls",
        "workflow_step",
        "state",
        "blocks",
        "private_metadata",
    }
)
#: So are the items of these.
_LISTS = frozenset({"actions", "response_urls", "authorizations"})


def read_payload(content_type: str, body: bytes) -> dict[str, Any] | None:
    """What Bolt works on; None where the body is nothing that Slack would send.

    The body must be verified before: reading what anybody sent is work for them.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            found = msgspec.json.decode(body)
        elif kind == "application/x-www-form-urlencoded":
            found = _read_form(body)
        else:
            return None
    except (ValueError, RecursionError):  # msgspec's and Unicode's errors are ValueErrors
        return None
    return repaired(found)


def repaired(found: Any) -> dict[str, Any] | None:
    """The payload without the nulls and gaps on which Bolt fails; None where it is no object of
    Slack's. Whether a listener has all that it needs, the listener asks (`press`)."""
    if not isinstance(found, dict):
        return None
    found = _without_nulls(found)
    for name in ("view", "event"):
        if isinstance(found.get(name), dict):
            found[name] = _without_nulls(found[name])
    return _filled(found) if _is_payload(found) else None


def _without_nulls(found: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in found.items() if v is not None or k not in _NEVER_NULL}
    for name in _LISTS & kept.keys():
        if isinstance(kept[name], list) and None in kept[name]:
            kept[name] = [item for item in kept[name] if item is not None]
            if not kept[name]:
                del kept[name]
    return kept


def _filled(found: dict[str, Any]) -> dict[str, Any]:
    """With what Bolt reads in these without asking whether it is there."""
    view = found.get("view")
    if isinstance(view, dict) and "callback_id" in view and "type" not in view:
        return found | {"view": view | {"type": "modal"}}
    match found.get("type"):
        case "workflow_step_edit":
            return {"workflow_step": {}} | found
        case "interactive_message":
            return {"actions": [{}]} | found
    return found


def _read_form(body: bytes) -> Any:
    fields = read_fields(body)
    return msgspec.json.decode(fields["payload"]) if "payload" in fields else fields


def read_fields(body: bytes) -> dict[str, str]:
    """The fields of a form, as `urllib.parse.parse_qsl` reads them, at a third of its cost. A test
    compares the two. Raises ValueError for too many fields and for what is not UTF-8."""
    pairs = body.decode().split("&")
    if len(pairs) > _MOST_FIELDS:
        raise ValueError("too many fields")
    split = (pair.partition("=") for pair in pairs if pair)
    return {_unquoted(name): _unquoted(value) for name, _, value in split}


def _unquoted(text: str) -> str:
    if "%" in text or "+" in text:
        return unquote_plus(text, errors="strict")
    return text


def _is_payload(found: Any) -> bool:
    """Whether this is an object of Slack's, as far as Bolt relies on it."""
    return (
        isinstance(found, dict)
        and bool(found.get("type") or found.get("command"))
        and found.get("actions") != []
        and not _is_deeper(found, _DEEPEST)
        and _has_shape(found)
    )


def _has_shape(found: Mapping[str, Any]) -> bool:
    for name in _SHAPES.keys() & found.keys():
        value = found[name]
        if not isinstance(value, _SHAPES[name]):
            return False
        if isinstance(value, list) and not all(isinstance(item, dict) for item in value):
            return False
    nested = (found.get(name) for name in _NESTED)
    return all(_has_shape(inner) for inner in nested if isinstance(inner, dict))


def _is_deeper(value: Any, levels: int) -> bool:
    """Level by level, not by recursion: the depth is the sender's to choose."""
    layer = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not layer:
            return False
    return True
