"""Which URLs and network addresses a webhook may have.

The list of networks is longer than `ipaddress.is_global`, which lets through NAT64, 6to4 and others
that lead to private addresses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from bot.consent.errors import Invalid

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_LONGEST = 2_000
#: Private, local, shared, reserved, for documentation or for tests; and what translates to IPv4.
_REFUSED: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
#: All that inet_aton reads besides the usual form: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}\.?", re.I | re.A)
_NAME = re.compile(
    r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.A
)


def check_url(url: str, allowed: Sequence[Network]) -> None:
    """Raises `Invalid` with the sentence for whoever typed it. What the host's name resolves to is
    judged at each connection, and not here."""
    fault = _fault(url, allowed)
    if fault:
        raise Invalid(f"{fault} Give an address such as https://example.com/optin.", field="url")


def is_permitted(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether Optin connects to this address: it is public, or in one of the operator's
    networks."""
    if is_in(address, allowed):
        return True
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return not is_in(address, _REFUSED) and (mapped is None or not is_in(mapped, _REFUSED))


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def literal(host: str) -> Address | None:
    """The address, where the host is one. Raises `Invalid` for the unusual forms of one."""
    try:
        return ip_address(host)
    except ValueError:
        if _NUMERIC.fullmatch(host) or "%" in host:
            raise Invalid("The host is an unusual form of an IP address.", field="url") from None
        return None


def _fault(url: str, allowed: Sequence[Network]) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        address = literal(host)
    except Invalid as fault:
        return fault.sentence
    except ValueError:
        return "The URL can't be read."
    faults = {
        "The URL is too long, or has characters that a URL must not have.": len(url) > _LONGEST
        or not (url.isascii() and url.isprintable())
        or " " in url,
        "The URL has no host that can be read.": port == 0
        or "\\" in url
        or (address is None and not _NAME.fullmatch(host)),
        "The URL must not have a user name or a password. Deliveries are signed instead.": "@"
        in parts.netloc,
        "The URL must not have a part behind #.": "#" in url,
        "The URL must begin with https://.": parts.scheme != "https"
        and not _may_be_plain(parts.scheme, address, allowed),
        "The host is a private or reserved address that OPTIN_WEBHOOK_ALLOW does not list.": address
        is not None
        and not is_permitted(address, allowed),
    }
    return next((fault for fault, is_so in faults.items() if is_so), "")


def _may_be_plain(scheme: str, address: Address | None, allowed: Sequence[Network]) -> bool:
    """Plain HTTP stays inside the operator's networks. A name is judged when it is resolved."""
    if scheme != "http" or not allowed:
        return False
    return address is None or is_in(address, allowed)
