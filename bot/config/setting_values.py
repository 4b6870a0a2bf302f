"""Reads the text of a setting. A reader raises ValueError with the rest of a sentence that begins
with the setting's name, and never shows a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from bot.consent.crm_link import CrmLink, check_template

Network = IPv4Network | IPv6Network

_Value_co = TypeVar("_Value_co", covariant=True)

#: By name: the field that takes the value, and what reads it.
Rows = Mapping[str, tuple[str, Callable[[str], Any]]]

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", re.ASCII)


# Without slots: Python 3.11 can't make a frozen, slotted generic by its subscript.
@dataclass(frozen=True)
class ProviderSetting(Generic[_Value_co]):
    """One setting of one provider."""

    #: `OPTIN_`, the provider's name, and what it is.
    name: str
    #: One of the readers below, or one like them.
    read: Callable[[str], _Value_co]
    #: The value where the setting is not given.
    default: _Value_co


def matching(pattern: str, wanted: str) -> Callable[[str], str]:
    """Reads what matches; else says what was wanted, and not what was given."""
    expression = re.compile(pattern, re.ASCII)

    def read(text: str) -> str:
        if not expression.fullmatch(text):
            raise ValueError(wanted)
        return text

    return read


def several(text: str) -> tuple[str, ...]:
    """What stands between the commas, without the blanks around it."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def secrets(text: str) -> tuple[str, ...]:
    """Several while one replaces another."""
    found = several(text)
    if not found or not all(s.isascii() and s.isprintable() and " " not in s for s in found):
        raise ValueError("must be one signing secret, or several with commas between them")
    return found


def api_key(text: str) -> str:
    """One key of a provider's API."""
    if not (text.isascii() and text.isprintable()) or " " in text or "," in text:
        raise ValueError("must be one key, without blanks and commas")
    return text


def domains(text: str) -> tuple[str, ...]:
    """Names such as mg.example.com, separated by commas."""
    found = several(text.lower())
    if not found or not all(map(_DOMAIN.fullmatch, found)):
        raise ValueError("must be domains such as mg.example.com, separated by commas")
    return tuple(dict.fromkeys(found))


def url(text: str) -> str:
    """An address without a slash at its end."""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = None
    if not whole or "?" in text or "#" in text:
        raise ValueError("must be an address such as https://optin.example.com")
    return text.rstrip("/")


def crm_link(text: str) -> CrmLink:
    """The address of a contact's page."""
    try:
        check_template(text)
    except ValueError:
        raise ValueError(
            "must be an address such as https://crm.example.com/contacts/{external_id}, with "
            "{external_id} once, behind the host"
        ) from None
    return CrmLink(template=text)


def networks(text: str) -> tuple[Network, ...]:
    """Networks of IP addresses, such as 10.20.0.0/16."""
    try:
        return tuple(ip_network(part) for part in several(text))
    except ValueError:
        raise ValueError(
            "must be networks such as 10.20.0.0/16, separated by commas, without bits behind the "
            "prefix"
        ) from None
