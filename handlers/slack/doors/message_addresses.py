"""The phone numbers and e-mail addresses in a message, as Slack hands it over.

What people write comes twice, as rich text and as mrkdwn; what apps write, in blocks and in
attachments. Slack writes addresses that it recognised as `<tel:…>` and `<mailto:…|…>`.
https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import phonenumbers

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.parsing import e164

#: Addresses of one message. Whoever has more has a list: `/optin check` takes it.
MOST = 200
#: Characters of a message, in all its parts. Slack cuts a text at 40,000.
_LONGEST = 50_000
#: Attempts at a number that is none; a wall of digits would take seconds.
_TRIES = 2_000

#: Parts of blocks and attachments in which somebody's words stand. A button's are ours.
_WORDS = ("pretext", "title", "text", "fields", "elements", "blocks", "rows", "fallback", "footer")
_LINES = frozenset({"rich_text_section", "rich_text_preformatted", "rich_text_quote"})
#: Between two addresses, so that no number is read across it.
_GAP = " ; "
#: `<tel:+1…|+1 …>`, `<https://…|words>`, `<@U…>`, `<!date^…|…>`.
_MARKED = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_SCHEMES = ("tel:", "mailto:", "sms:")
_AT = re.compile("[@＠]")
#: Backwards from the @, and on from it.
_LOCAL = re.compile(r"[\w.+%&'’=/-]{1,64}")
_HOST = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})+")
_LONGEST_HOST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAddresses:
    """What a message names, in its order, each once."""

    #: Phone numbers in E.164, and mailboxes.
    addresses: tuple[str, ...]
    #: How many more there are.
    left_out: int = 0


def addresses_in(
    message: object, region: str, read_email: Callable[[str], str]
) -> MessageAddresses:
    """National numbers are read as the region's. `read_email` raises `Invalid` for what is
    no mailbox."""
    found: dict[str, str] = {}
    for text in _texts(message):
        for address in _addresses(text, region, read_email):
            found.setdefault(key_of(address), address)
    every = tuple(found.values())
    return MessageAddresses(addresses=every[:MOST], left_out=max(0, len(every) - MOST))


def plain_words(text: str) -> str:
    """Mrkdwn as words: without mentions, and of links the address or the label."""
    return html.unescape(_MARKED.sub(_unmarked, text))


def _texts(message: object) -> Iterator[str]:
    """Plain text, part by part."""
    left = _LONGEST
    for part in _parts(message):
        if left <= 0:
            return
        yield part[:left]
        left -= len(part)


def _parts(message: object) -> Iterator[str]:
    if not isinstance(message, dict):
        return
    blocks = message.get("blocks")
    written = [b for b in _listed(blocks) if b.get("type") == "rich_text"]
    for block in _listed(blocks):
        yield from _words(block)
    text = message.get("text")
    if isinstance(text, str) and not written:  # it says the same as the rich text
        yield plain_words(text)
    for attachment in _listed(message.get("attachments")):
        yield from _words(attachment)
        for inner in _listed(attachment.get("message_blocks")):
            yield from _parts(inner.get("message"))


def _words(part: object) -> Iterator[str]:
    """Of a block, a text object or an attachment."""
    if isinstance(part, list):
        for one in part:
            yield from _words(one)
    elif isinstance(part, str):
        yield plain_words(part)
    elif isinstance(part, dict):
        kind = part.get("type")
        if kind == "rich_text":
            yield "".join(_rich(part))
            return
        if kind == "button":
            return
        for name in _WORDS if kind else (*_WORDS, "value"):
            yield from _words(part.get(name))


def _rich(element: object) -> Iterator[str]:
    if not isinstance(element, dict):
        return
    kind, text = element.get("type"), element.get("text")
    if kind == "link":
        yield _linked(str(element.get("url") or ""), str(text or ""))
    elif isinstance(text, str):
        yield text
    elif kind in ("user", "channel", "usergroup", "broadcast", "date", "emoji"):
        yield _GAP
    for inner in _listed(element.get("elements")):
        yield from _rich(inner)
    if kind in _LINES:
        yield _GAP


def _unmarked(found: re.Match[str]) -> str:
    target, label = found[1], found[2] or ""
    if target[:1] in ("@", "#", "!"):
        return _GAP
    return _linked(target, label)


def _linked(url: str, label: str) -> str:
    """The address of a link that is one; else what is written there. Digits in other links are
    nobody's number."""
    for scheme in _SCHEMES:
        if url.lower().startswith(scheme):
            return f"{_GAP}{unquote(url[len(scheme) :].partition('?')[0])}{_GAP}"
    return f"{_GAP}{label}{_GAP}" if label and label != url else _GAP


def _addresses(text: str, region: str, read_email: Callable[[str], str]) -> Iterator[str]:
    """In their order."""
    mailboxes = list(_mailboxes(text))
    bare = text
    for start, end in reversed(mailboxes):
        bare = bare[:start] + ";" * (end - start) + bare[end:]
    found = [
        (match.start, e164(match.number))
        for match in phonenumbers.PhoneNumberMatcher(bare, region, max_tries=_TRIES)
    ]
    for start, end in mailboxes:
        try:
            found.append((start, read_email(text[start:end])))
        except Invalid:
            continue
    yield from (address for _, address in sorted(found))


def _mailboxes(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends."""
    done = 0
    for at in _AT.finditer(text):
        before = text[max(done, at.start() - 64) : at.start()][::-1]
        local = _LOCAL.match(before)
        host = _HOST.match(text[at.end() : at.end() + _LONGEST_HOST])
        if local and host:
            name = local[0][::-1].lstrip(".'’")
            done = at.end() + host.end()
            if name:
                yield at.start() - len(name), done


def _listed(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
