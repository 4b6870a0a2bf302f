"""Connects to public addresses alone, so that a webhook can't be pointed at the inner network.

A name is resolved once, each of its addresses is judged, and the connection goes to one that was
judged. A check at registration, or a second look-up at the connection, would leave a hole: the name
can lead elsewhere by then.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from bot.consent.errors import Invalid
from bot.consent.use_cases.webhooks.endpoint_url import Network, is_in, is_permitted, literal

#: As `socket.getaddrinfo`.
Resolve = Callable[..., Sequence[tuple[Any, ...]]]


class ForbiddenAddress(Exception):
    """The host leads to an address that Optin does not connect to."""


class UnknownHost(Exception):
    """The host's name can't be resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGuard:
    """Resolves the hosts of webhooks."""

    #: Private networks that the operator allows.
    allowed: Sequence[Network] = ()
    resolve: Resolve = socket.getaddrinfo

    def judged(self, host: str, port: int, *, plain: bool) -> list[tuple[Any, ...]]:
        """The addresses of the host, as `socket.connect` takes them, with their families first.
        `plain` is for HTTP without TLS, which stays inside the operator's networks.

        Raises `ForbiddenAddress` if any of them is one, and `UnknownHost`.
        """
        try:
            literal(host)
        except Invalid as fault:
            raise ForbiddenAddress from fault
        try:
            found = self.resolve(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except (OSError, UnicodeError) as error:
            raise UnknownHost from error
        for *_, where in found:
            # An IPv6 address of one link has the link's name behind a percent sign.
            address = ip_address(str(where[0]).partition("%")[0])
            if not is_permitted(address, self.allowed) or (
                plain and not is_in(address, self.allowed)
            ):
                raise ForbiddenAddress
        if not found:
            raise UnknownHost
        return [(family, where) for family, _, _, _, where in found]
