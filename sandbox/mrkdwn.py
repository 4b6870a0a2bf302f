"""Slack's markup as text: what a message would ping, and what a reader would read.

https://docs.slack.dev/messaging/formatting-message-text/
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

_ANGLE: Final = re.compile(r"<([^<>\n]*)>")
_PING: Final = re.compile(r"^(@[UW][A-Z0-9]+|!(?:channel|here|everyone|subteam\^S[A-Z0-9]+))(\||$)")
_DATE: Final = re.compile(r"^!date\^(-?\d+)\^([^^|]*)(?:\^[^|]*)?(?:\|(.*))?$", re.DOTALL)
#: A mark opens behind anything but a letter or digit, and closes before anything but one: a
#: zero-width space is neither, so it lets a mark format.
_STYLE: Final = re.compile(r"(?<![^\W_])([*_~])(?!\1)(\S(?:[^\n]*?\S)??)\1(?![^\W_])")
_CODE: Final = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_SHORTCODE: Final = re.compile(r":([a-z0-9_+-]+):")
_EMOJI_FILE: Final = Path(__file__).parent / "page" / "emoji.json"
_BROADCASTS: Final = ("channel", "here", "everyone")

Names = Callable[[str], str | None]
"""The name behind an id (of a person, a channel or a group), if there is one."""


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def pings(text: str | None, blocks: list[dict[str, Any]]) -> list[str]:
    """Whom a message would notify: "@U…", "!channel", "!subteam^S…", in the order they stand."""
    found = [ping for text in [text or "", *_marked(blocks)] for ping in _pings_in(text)]
    found.extend(_rich_pings(blocks))
    return list(dict.fromkeys(found))


def plain(text: str, names: Names, zone: str) -> str:
    """The text as somebody in `zone` reads it: no marks, names for ids, dates in their own time,
    emoji as characters."""
    read = ""
    end = 0
    for code in _CODE.finditer(text):
        read += _styled(text[end : code.start()], names, zone) + unescape(code[1] or code[2])
        end = code.end()
    return read + _styled(text[end:], names, zone)


def _styled(text: str, names: Names, zone: str) -> str:
    """Text outside of code."""
    while (bare := _STYLE.sub(r"\2", text)) != text:
        text = bare
    text = _ANGLE.sub(lambda match: _readable(match[1], names, zone), text)
    return unescape(with_emoji(text))


def with_emoji(text: str) -> str:
    """`:white_check_mark:` as ✅; shortcodes that are not known stay."""
    return _SHORTCODE.sub(lambda match: _emoji().get(match[1], match[0]), text)


@cache
def _emoji() -> dict[str, str]:
    table: dict[str, str] = json.loads(_EMOJI_FILE.read_text("utf-8"))
    return table


def render_date(stamp: int, form: str, zone: str) -> str:
    """`<!date^stamp^form>`: {date_num}, {date_short}, {time} and the others."""
    when = datetime.fromtimestamp(stamp, UTC).astimezone(ZoneInfo(zone))
    day = f"{when:%B} {_ordinal(when.day)}, {when.year}"
    words = {
        "{date_num}": f"{when:%Y-%m-%d}",
        "{date}": day,
        "{date_slash}": f"{when:%m/%d/%Y}",
        "{date_short}": f"{when:%b} {when.day}, {when.year}",
        "{date_long}": f"{when:%A}, {day}",
        "{time}": f"{when.hour % 12 or 12}:{when:%M} {when:%p}",
        "{time_secs}": f"{when.hour % 12 or 12}:{when:%M:%S} {when:%p}",
    }
    for name in ("{date}", "{date_short}", "{date_long}"):
        words[name[:-1] + "_pretty}"] = words[name]
    return re.sub(r"\{\w+\}", lambda match: words.get(match[0], match[0]), form)


def _ordinal(day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _readable(inside: str, names: Names, zone: str) -> str:
    if date := _DATE.match(inside):
        return render_date(int(date[1]), date[2], zone)
    target, _, label = inside.partition("|")
    if target.startswith("!subteam^"):
        return label or f"@{names(target.removeprefix('!subteam^')) or target}"
    if target.startswith("!"):
        return "@" + target[1:]
    if target[:1] in ("@", "#"):
        return target[0] + (label or names(target[1:]) or target[1:])
    return label or target.removeprefix("mailto:").removeprefix("tel:")


def _pings_in(text: str) -> Iterator[str]:
    for match in _ANGLE.finditer(text):
        if ping := _PING.match(match[1]):
            yield ping[1]


def _marked(node: Any) -> Iterator[str]:
    """Every text in these blocks in which markup is read."""
    if isinstance(node, list):
        for item in node:
            yield from _marked(item)
    elif isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "markdown") and isinstance(node.get("text"), str):
            yield node["text"]
        for value in node.values():
            yield from _marked(value)


def _rich_pings(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _rich_pings(item)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "user" and isinstance(node.get("user_id"), str):
            yield f"@{node['user_id']}"
        elif kind == "usergroup":
            yield f"!subteam^{node.get('usergroup_id')}"
        elif kind == "broadcast" and node.get("range") in _BROADCASTS:
            yield f"!{node['range']}"
        for value in node.values():
            yield from _rich_pings(value)
