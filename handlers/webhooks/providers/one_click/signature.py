"""The token of a link: an HMAC over the mailbox that the e-mail went to and the list.

It works for that mailbox for good, also after the contact's mailbox changed: 15 USC
7704(a)(3)(A)(ii) asks for 30 days at least.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from handlers.webhooks.payload_parsing import fields, read_form
from handlers.webhooks.provider import InvalidPayload, InvalidSignature, MailboxesOf
from handlers.webhooks.providers.one_click.mailbox_spellings import spellings
from handlers.webhooks.signatures import verifying

#: Bytes of a link's query; an external id and a list's name have room in it.
_LONGEST_QUERY = 8_192
#: A base64url digest of SHA-256 without padding.
_TOKEN = re.compile("[0-9A-Za-z_-]{43}", re.ASCII)
#: HMACs for one link, so that a link that holds nowhere costs about two milliseconds.
_MOST_TRIED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The parts of a link's query."""

    contact: str
    list: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLink:
    """What a link's token held for."""

    link: Link
    #: None where it names an erased contact.
    address: str | None
    #: Whether that is the contact's present mailbox.
    present: bool = True
    key: int = 0


def keyed(key: str) -> hmac.HMAC:
    """The HMAC of a key, to be copied for each mailbox."""
    return hmac.new(key.encode(), digestmod=hashlib.sha256)


def token(key: hmac.HMAC, list_: str, mailbox: str) -> str:
    """The `t` of a link to this list for this mailbox."""
    return _encoded(_digest(key, list_, mailbox))


def held(query: str, keys: Sequence[hmac.HMAC], mailboxes_of: MailboxesOf) -> HeldLink:
    """The mailbox that the link was made for. Raises `InvalidSignature`."""
    erased: Link | None = None
    for link in verifying(lambda: _links(query)):
        mailboxes = mailboxes_of(link.contact)
        if mailboxes is None:
            continue
        if mailboxes.erased:
            erased = link
        most = _MOST_TRIED // len(keys)
        for address, spelled in _tried(mailboxes.written, most):
            for number, key in enumerate(keys):
                digest = _digest(key, link.list, spelled)
                if hmac.compare_digest(digest, link.digest):
                    present = address == next(iter(mailboxes.written))
                    return HeldLink(link=link, address=address, present=present, key=number)
    if erased is None:
        raise InvalidSignature("the signature does not hold")
    return HeldLink(link=erased, address=None)


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


def _links(query: str) -> Iterable[Link]:
    """The link, and the link as it was meant by whoever put a bare `+` into it, which is a space
    in a query. Raises `InvalidPayload`."""
    if len(query) > _LONGEST_QUERY:
        raise InvalidPayload("it is no link of ours")
    # Out of an e-mail's HTML, "&" may come as it stands there.
    query = query.replace("&amp;", "&")
    return dict.fromkeys(_link(one) for one in (query, query.replace("+", "%2B")))


def _link(query: str) -> Link:
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
    return Link(contact=contact, list=list_, digest=digest)
