"""Addresses as a part of a URL's path.

A delete without an address empties a whole list at some providers. So a path to an entry is made
here alone, and only of what is surely one address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import idna

from handlers.suppression_lists.provider_lists import AddressRefused

#: Octets of a mailbox (RFC 5321), with room for what an old system let through.
_LONGEST = 320
_MAILBOX = re.compile(r"""[^\s@<>"\\]+@[^\s@<>"\\/]+""")
_UNSENDABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
#: A server may decode `%2F` before it looks at the path. These would then lead elsewhere.
_ELSEWHERE = frozenset({"", ".", ".."})


def is_mailbox(text: object) -> bool:
    """Whether it is one mailbox, by its syntax, that a path can hold."""
    return (
        isinstance(text, str)
        and len(text) <= _LONGEST
        and _MAILBOX.fullmatch(text) is not None
        and not _UNSENDABLE.search(text)
        and _ELSEWHERE.isdisjoint(text.split("/"))
    )


def address_segment(address: str) -> str:
    """The mailbox, percent-encoded, as one segment of a path. Raises `AddressRefused` for all that
    is not one mailbox: nothing, dots, slashes, two addresses."""
    if not is_mailbox(address):
        raise AddressRefused("is not an address that a provider's API can name")
    return quote(address, safe="")


def name_segment(name: str) -> str:
    """A domain's, stream's or group's name as one segment of a path. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError("is no name for a path")
    return name


def checked_number(number: str) -> str:
    """The phone number. Raises `AddressRefused` for all that is not one in E.164."""
    if not _NUMBER.fullmatch(number):
        raise AddressRefused("is not a phone number in E.164")
    return number


def spellings_to_try(address: str) -> Iterator[str]:
    """How a list may spell the address: as it is given, in lower case, and with its domain in
    ASCII. Each once."""
    seen = set()
    for one in (address, in_ascii(address), address.lower(), in_ascii(address.lower())):
        if one not in seen:
            seen.add(one)
            yield one


def in_ascii(address: str) -> str:
    """The mailbox with its domain as DNS writes it. The part before the @ stays as it is."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except (idna.IDNAError, UnicodeError):
        return address
