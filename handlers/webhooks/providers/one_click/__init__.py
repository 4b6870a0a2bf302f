"""One-click unsubscribe by signed links: https://www.rfc-editor.org/rfc/rfc8058

A link is `/u/one-click?c=<contact>&l=<list>&t=<token>`. Its token is an HMAC over the mailbox that
the e-mail went to and the list. It works for that mailbox for good, also after the contact's
mailbox changed: 15 USC 7704(a)(3)(A)(ii) asks for 30 days at least.

Only a POST with the marker in its body unsubscribes: scanners follow links, and do not post. The
page that a GET shows is the web's. The body is read last, after the token has held: reading what
anybody sent is work for them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import ClassVar
from urllib.parse import parse_qsl

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.field_names import spellings
from handlers.webhooks.payload_parsing import fields, read_form
from handlers.webhooks.provider import InvalidPayload, InvalidSignature, Parsed, Request, Route
from handlers.webhooks.signatures import verifying

#: Bytes of a link's query; an external id and a list's name have room in it.
_LONGEST_QUERY = 8_192
#: A base64url digest of SHA-256 without padding.
_TOKEN = re.compile("[0-9A-Za-z_-]{43}", re.ASCII)
#: HMACs for one link, so that a link that holds nowhere costs about two milliseconds.
_MOST_TRIED = 1_000

_MARKER = ("List-Unsubscribe", "One-Click")
#: Bytes of a body, and what is looked at in it. The marker is the only part of a genuine one.
_LARGEST_BODY = 64 * 1024
_MOST_PARTS = 16
_LARGEST_HEAD = 1_024
#: RFC 2046: at most 70 characters.
_BOUNDARY = re.compile(r';[ \t]*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'^content-disposition:[^\n]*;[ \t]*name="?([^";\n]*)', re.IGNORECASE | re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeMailboxes:
    """What is known of the mailboxes of the contact whom a link names."""

    #: By the address under which Optin keeps a mailbox, the other ways in which it was written.
    #: The present mailbox first, then former ones.
    written: Mapping[str, Sequence[str]]
    #: A contact with this id was erased: what their mailboxes were, nobody knows any more.
    erased: bool = False


#: The mailboxes of a contact, by our id or the external one; None where nobody has or had the id.
MailboxesOf = Callable[[str], UnsubscribeMailboxes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    contact: str
    list: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What a link's token held for."""

    link: _Link
    #: None where it names an erased contact.
    address: str | None
    #: Whether that is the contact's present mailbox.
    present: bool = True
    key: int = 0


class OneClick:
    """Our own signed links."""

    name: ClassVar[str] = "one_click"
    routes: ClassVar[Sequence[Route]] = (Route(path="/u/one-click"),)

    def __init__(self, *, keys: Sequence[str], mailboxes_of: MailboxesOf) -> None:
        """Links are signed with the first key, and hold with any."""
        self._keyed = tuple(hmac.new(key.encode(), digestmod=hashlib.sha256) for key in keys)
        self._mailboxes_of = mailboxes_of

    def token(self, list_: str, mailbox: str) -> str:
        """The `t` of a link to this list for this mailbox."""
        return _encoded(_digest(self._keyed[0], list_, mailbox))

    def verify(self, request: Request, now: datetime) -> str:
        """An unknown contact, a wrong token and a missing marker are answered alike."""
        if request.method != "POST":
            raise InvalidSignature("it is no one-click request")
        held = self._held(request.query)
        if not _has_marker(request):
            raise InvalidSignature("it is no one-click request")
        return f"secret {held.key + 1} of {len(self._keyed)}" if held.address else "an erased id"

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One refusal, of everything by e-mail; the list is kept."""
        try:
            held = self._held(request.query)
        except InvalidSignature:
            return Parsed(skipped=("the contact has gone meanwhile",))
        link = held.link
        if held.address is None:
            return Parsed(ignored=("a contact who was erased",))
        mailbox = "" if held.present else f":{held.address}"
        event = Event(
            provider=self.name,
            # Nothing in the request tells one click from the next. Clients that post twice do so
            # at once; a click after consent came back must count, and is never as soon as that.
            id=f"oneclick:{link.contact}:{link.list}{mailbox}:{now:%Y-%m-%dT%H:%M}",
            kind=EventKind.UNSUBSCRIBED,
            channel=Channel.EMAIL,
            address=held.address,
            scope=f"list:{link.list}",
        )
        return Parsed(events=(event,))

    def _held(self, query: str) -> _Held:
        """The mailbox that the link was made for. Raises `InvalidSignature`."""
        erased: _Link | None = None
        for link in verifying(lambda: _links(query)):
            mailboxes = self._mailboxes_of(link.contact)
            if mailboxes is None:
                continue
            if mailboxes.erased:
                erased = link
            most = _MOST_TRIED // len(self._keyed)
            for address, spelled in _tried(mailboxes.written, most):
                for number, keyed in enumerate(self._keyed):
                    digest = _digest(keyed, link.list, spelled)
                    if hmac.compare_digest(digest, link.digest):
                        present = address == next(iter(mailboxes.written))
                        return _Held(link=link, address=address, present=present, key=number)
        if erased is None:
            raise InvalidSignature("the signature does not hold")
        return _Held(link=erased, address=None)


def _digest(keyed: hmac.HMAC, list_: str, mailbox: str) -> bytes:
    mac = keyed.copy()
    mac.update(f"{mailbox}|{list_}".encode())
    return mac.digest()


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _tried(written: Mapping[str, Sequence[str]], most: int) -> Iterator[tuple[str, str]]:
    """Every mailbox as it was written somewhere, and then in other capitals: `most` of these, the
    same number for each mailbox. With each, the address under which it is kept."""
    for address, known in written.items():
        yield from ((address, one) for one in dict.fromkeys((*known, address)))
    for address, known in written.items():
        # Begins with how it was written last.
        others = islice(spellings((*known, address)[0]), most // len(written))
        yield from ((address, one) for one in others)


def _links(query: str) -> Iterable[_Link]:
    """The link, and the link as it was meant by whoever put a bare `+` into it, which is a space
    in a query. Raises `InvalidPayload`."""
    if len(query) > _LONGEST_QUERY:
        raise InvalidPayload("it is no link of ours")
    # Out of an e-mail's HTML, "&" may come as it stands there.
    query = query.replace("&amp;", "&")
    return dict.fromkeys(_link(one) for one in (query, query.replace("+", "%2B")))


def _link(query: str) -> _Link:
    link = fields((name, value) for name, value in read_form(query) if name in ("c", "l", "t"))
    try:
        contact, list_, token = link["c"], link["l"], link["t"].strip().rstrip("=")
    except KeyError:
        raise InvalidPayload("it is no link of ours") from None
    if not contact or not _TOKEN.fullmatch(token):
        raise InvalidPayload("it is no link of ours")
    digest = base64.urlsafe_b64decode(f"{token}=")
    if _encoded(digest) != token:
        raise InvalidPayload("it is no link of ours")
    return _Link(contact=contact, list=list_, digest=digest)


def _has_marker(request: Request) -> bool:
    """Whether the body says that it is a click: urlencoded or multipart, as RFC 8058 has both.

    A line break or a space around the words does not matter: some clients end the body with one.
    """
    if len(request.body) > _LARGEST_BODY:
        return False
    multipart = request.media_type == "multipart/form-data"
    pairs = _parts(request) if multipart else _pairs(request.body)
    return any((name.strip(), value.strip()) == _MARKER for name, value in pairs)


def _pairs(body: bytes) -> Sequence[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), True, max_num_fields=_MOST_PARTS)
    except ValueError:
        return ()


def _parts(request: Request) -> Iterator[tuple[str, str]]:
    """The fields of a multipart form (RFC 7578), read in one pass. What is nested in a part is its
    text, and no part of its own."""
    found = _BOUNDARY.search(request.header("content-type")[:_LARGEST_HEAD])
    if found is None:
        return
    border = b"\n--" + (found[1] or found[2]).encode("utf-8", "replace")
    body = b"\n" + request.body.replace(b"\r\n", b"\n")
    for part in body.split(border, _MOST_PARTS + 1)[1 : _MOST_PARTS + 1]:
        if part.startswith(b"--"):  # the end
            return
        head, _, content = part.partition(b"\n\n")
        name = _NAME.search(head[:_LARGEST_HEAD])
        if name is not None:
            yield name[1].decode("utf-8", "replace"), content.decode("utf-8", "replace")
