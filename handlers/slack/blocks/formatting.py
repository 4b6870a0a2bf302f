"""Text for Slack: cut to Slack's limits, with the markup in a contact's words disabled.

Limits: https://docs.slack.dev/reference/block-kit/blocks/
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import phonenumbers

SECTION = 3000
FIELD = 2000
HEADER = 150
OPTION = 75
VALUE = 2000
TITLE = 24
#: Slack refuses messages above about 13,000 characters, and documents no exact limit.
MESSAGE = 10_000
#: The length at which names are cut.
NAME = 120
#: Somebody's own words are cut at this length before masking. No screen shows more.
_OWN_WORDS = 2_000
#: The longest error sentence. Only one that quotes somebody can be longer.
SENTENCE = 500

Block = dict[str, object]

#: What Slack may read as formatting, a quotation or an emoji. A mark between two letters or digits
#: formats nothing (snake_case, 3*4). Beside any other character, even a zero-width space, it can.
_MARKUP = re.compile(r"`|(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])|:(?=[\w+'`-]+:)|^>")
#: Characters that look the same and mean nothing to Slack.
_LOOK_ALIKES = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ", ":": "∶", ">": "›"}
_MARKS = frozenset(_LOOK_ALIKES)
_NORTH_AMERICAN = re.compile(r"\+1([2-9][0-9]{2})([2-9][0-9]{2})([0-9]{4})")
#: Matches only from the beginning of a word, so that a long word is not tried from each letter.
#: With spaces around the @, it must end like a mailbox: "tomorrow @ 10" does not match.
_MAILBOX = re.compile(
    r"(?<![^\s@＠<>\"'(),;:])([^\s@＠<>\"'(),;:]{1,256})"
    r"(?:[@＠]|\s{1,2}[@＠]\s{0,2}(?=\S{1,256}\.[^\W\d_])|[@＠]\s{1,2}(?=\S{1,256}\.[^\W\d_]))"
    r"([^\s@＠<>\"'(),;:]{1,256})"
)
#: A date is not masked, because it may say when the contact agreed.
_DAY = (
    r"(?:19|20)\d\d-[01]\d-[0-3]\d|[0-3]?\d/[0-3]?\d/(?:19|20)\d\d"
    r"|[0-3]?\d\.[01]?\d\.(?:19|20)\d\d"
)
#: Seven digits or more. Spaces, dashes, line ends and invisible marks may stand between them.
#: Commas and colons may not: they separate times and amounts.
_NUMBER = re.compile(
    rf"(?<![\d+])(?P<day>{_DAY})(?!\d)|(?<!\d)\+?\d(?:[^\w,:;!?@\"']{{0,4}}_?\d){{6,}}"
)
#: First words that lose their capital after a colon.
_LOWERED = frozenset(
    word
    for line in (
        "A An Another Asked Bounce Contact Correction Delivered E-mail Import Imported In It",
        "Known Marked Note Nobody No Our Perhaps Put Re-opt-in Recorded Refused Removed",
        "Reported Starter Still Subscribed Suppressed Taken Text Texted Texts That The There",
        "This Two Undo Undone Unsubscribed We Web Wrong Wrote",
    )
    for word in line.split()
)
#: Our own emphasis. Marks in other people's words are look-alikes already (`formatting.inert`).
_EMPHASIS = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])")
_SPACES = re.compile(r"\s+")
#: Directional overrides and isolates, which would reverse the text after them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def shown(text: str, limit: int = NAME) -> str:
    """One line of plain text, without control or directional characters or stacked accents, cut at
    a word with "…"."""
    text = text[: limit * 8]
    if text.isascii() and text.isprintable():  # most texts are, and the loop below is slow
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
    """Escape the three control characters of Slack's markup, and nothing else.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inert(text: str, limit: int = NAME) -> str:
    """Somebody's own words for mrkdwn. They can't mention, link or format anything."""
    whole = shown(text, limit)
    if not _MARKS.isdisjoint(whole):  # the pattern is slow, and few texts have any of these
        whole = _MARKUP.sub(lambda match: _LOOK_ALIKES[match.group()], whole)
    return escape(whole)


def plain(text: str, limit: int) -> Block:
    """A plain_text object. Slack wants at least one character."""
    return {"type": "plain_text", "text": fit(text, limit) or "–", "emoji": False}


def mrkdwn(text: str) -> Block:
    """A mrkdwn object of our own markup; `verbatim`, so that Slack links nothing by itself."""
    return {"type": "mrkdwn", "text": text or "–", "verbatim": True}


def lines(text: Iterable[str], limit: int = SECTION) -> str:
    """As many lines as fit. The cut is between two lines, so it never breaks markup."""
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
    """A time, in the reader's own time zone."""
    fallback = f"{at.date()} {at.hour:02}:{at.minute:02} UTC"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}, {{time}}|{fallback}>"


def day(at: datetime) -> str:
    """A day, in the reader's own time zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}|{at.date()}>"


def phone(e164: str) -> str:
    """A phone number as people read it: "+1 415-555-0100"."""
    if north_american := _NORTH_AMERICAN.fullmatch(e164):  # the library's format, but faster
        return "+1 {}-{}-{}".format(*north_american.groups())
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def masked(address: str) -> str:
    """A masked address: "ending 0100", "a…@example.com"."""
    if "@" in address:
        name, _, host = address.partition("@")
        return f"{name[:1]}…@{host}"
    return f"ending {address[-4:]}"


def unaddressed(text: str | None) -> str:
    """Somebody's own words for a channel, with phone numbers and mailboxes masked."""
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


def lowered(text: str) -> str:
    """A sentence after a colon. The names of fields and providers keep their capital."""
    first = text.partition(" ")[0].rstrip(",:")
    return text[:1].lower() + text[1:] if first in _LOWERED else text


def spoken(blocks: Iterable[Block]) -> str:
    """What a message says, line by line, without its buttons. Slack reads a message's `text` to
    people who use a screen reader, and shows it in notifications."""
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: Block) -> Iterator[str]:
    texts = [block.get("text"), *_listed(block.get("fields")), *_listed(block.get("elements"))]
    if block.get("type") == "actions":
        return
    for text in texts:
        said = text.get("text") if isinstance(text, dict) else None
        if isinstance(said, str) and said:
            yield _EMPHASIS.sub(r"\1\2", said) if "*" in said or "_" in said else said


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
