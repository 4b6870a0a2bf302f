"""Text for Slack: fitted to its limits, and inert whatever a contact wrote.

Limits: https://docs.slack.dev/reference/block-kit/blocks/
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

import phonenumbers

SECTION = 3000
FIELD = 2000
HEADER = 150
OPTION = 75
BUTTON = 75
VALUE = 2000
TITLE = 24
#: Slack refuses messages somewhere above 13,000 characters and does not say where.
MESSAGE = 10_000
#: Longest a name is shown.
NAME = 120
#: Of somebody's own words, as much as is looked at: more than is ever shown.
_OWN_WORDS = 2_000
#: Longest a refusal is; only somebody's own text can make it longer.
SENTENCE = 500

Block = dict[str, object]

#: What Slack may read as formatting, a quotation or an emoji. A mark between two letters or digits
#: formats nothing (snake_case, 3*4); whatever else stands beside it lets it format, a zero-width
#: space too.
_MARKUP = re.compile(r"`|(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])|:(?=[\w+'-]+:)|^>")
#: Look like these, and mean nothing to Slack.
_LOOK_ALIKES = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ", ":": "∶", ">": "›"}
_NORTH_AMERICAN = re.compile(r"\+1([2-9][0-9]{2})([2-9][0-9]{2})([0-9]{4})")
#: Begins where a word does, so that a long word is not tried from each of its letters. With spaces
#: around the @ it is a mailbox only if it ends like one: "tomorrow @ 10" is none.
_MAILBOX = re.compile(
    r"(?<![^\s@＠<>\"'(),;:])([^\s@＠<>\"'(),;:]{1,256})"
    r"(?:[@＠]|\s{1,2}[@＠]\s{0,2}(?=\S{1,256}\.[^\W\d_])|[@＠]\s{1,2}(?=\S{1,256}\.[^\W\d_]))"
    r"([^\s@＠<>\"'(),;:]{1,256})"
)
#: A day says when the contact agreed, and is nothing to be hidden.
_DAY = (
    r"(?:19|20)\d\d-[01]\d-[0-3]\d|[0-3]?\d/[0-3]?\d/(?:19|20)\d\d"
    r"|[0-3]?\d\.[01]?\d\.(?:19|20)\d\d"
)
#: Seven digits or more, however people and phones group them: spaces and dashes of every kind,
#: line ends, marks that nobody sees. Not commas and colons, which stand between times and sums.
_NUMBER = re.compile(
    rf"(?<![\d+])(?P<day>{_DAY})(?!\d)|(?<!\d)\+?\d(?:[^\w,:;!?@\"']{{0,4}}_?\d){{6,}}"
)
_SPACES = re.compile(r"\s+")
#: Directional overrides and isolates, which would turn round the text after them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def shown(text: str, limit: int = NAME) -> str:
    """One line that can be put anywhere as plain text: no control or directional characters, no
    towers of accents, cut at a word with "…"."""
    text = text[: limit * 8]
    if text.isascii() and text.isprintable():  # most are, and looking closely is slow
        return fit(" ".join(text.split()), limit)
    kept = []
    towering = 0
    for character in text:
        category = unicodedata.category(character)
        if category in ("Mn", "Me"):
            towering += 1
            if towering > 3:
                continue
        else:
            towering = 0
        if category == "Cs" or character in _TURNING:
            continue
        kept.append(" " if category in ("Cc", "Zl", "Zp") else character)
    return fit(_SPACES.sub(" ", "".join(kept)).strip(), limit)


def fit(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word with "…"."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip() + "…"


def escape(text: str) -> str:
    """The three characters that Slack's markup is made of, and nothing else.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inert(text: str, limit: int = NAME) -> str:
    """What somebody wrote, inside of mrkdwn: it mentions, links and formats nothing."""
    whole = shown(text, limit)
    return escape(_MARKUP.sub(lambda match: _LOOK_ALIKES[match.group()], whole))


def plain(text: str, limit: int) -> Block:
    """A plain_text object. Slack wants at least one character."""
    return {"type": "plain_text", "text": fit(text, limit) or "–", "emoji": False}


def mrkdwn(text: str) -> Block:
    """A mrkdwn object of our own markup; `verbatim`, so that Slack links nothing by itself."""
    return {"type": "mrkdwn", "text": text or "–", "verbatim": True}


def lines(text: Iterable[str], limit: int = SECTION) -> str:
    """As many of the lines as fit: a cut between lines never falls into markup."""
    kept: list[str] = []
    room = limit - 2
    for line in text:
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*kept, "…"])
        kept.append(line)
    return "\n".join(kept)


def section(*text: str, accessory: Block | None = None) -> Block:
    """A section of lines of mrkdwn."""
    block: Block = {"type": "section", "text": mrkdwn(lines(text))}
    return block | {"accessory": accessory} if accessory else block


def fields(*pairs: str) -> Block:
    """A section of at most ten fields, in two columns."""
    return {"type": "section", "fields": [mrkdwn(lines([pair], FIELD)) for pair in pairs[:10]]}


def context(*text: str) -> Block:
    """Small grey text."""
    return {"type": "context", "elements": [mrkdwn(lines([t], FIELD)) for t in text[:10]]}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER)}


def divider() -> Block:
    return {"type": "divider"}


def date(at: datetime) -> str:
    """A moment, in the reader's own zone."""
    fallback = f"{at:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}, {{time}}|{fallback}>"


def phone(e164: str) -> str:
    """As people read it: "+1 415-555-0100"."""
    if north_american := _NORTH_AMERICAN.fullmatch(e164):  # as the library writes it, but quicker
        return "+1 {}-{}-{}".format(*north_american.groups())
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def masked(address: str) -> str:
    """As a list shows it: "ending 0100", "a…@example.com"."""
    if "@" in address:
        name, _, host = address.partition("@")
        return f"{name[:1]}…@{host}"
    return f"ending {address[-4:]}"


def unaddressed(text: str | None) -> str:
    """Somebody's own words for a channel: phone numbers and mailboxes in them masked."""
    text = _MAILBOX.sub(lambda found: masked(f"{found[1]}@{found[2]}"), (text or "")[:_OWN_WORDS])
    return _NUMBER.sub(_unnumbered, text)


def _unnumbered(found: re.Match[str]) -> str:
    if day := found["day"]:
        return day
    glued = found.string[: found.start()][-1:].isalnum()
    return (" " if glued else "") + masked(re.sub(r"\D", "", found.group()))


def joined(parts: Sequence[str], last: str = "and") -> str:
    """The parts in one list, such as "a", "a and b" or "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"
