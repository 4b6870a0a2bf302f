"""A limit for sources that flood Optin with what it refuses: unsigned, unknown or malformed.

An opt-out must never be lost to it, so it is narrow. Only refused requests count. A source that
sent a genuine request is not limited any more. Behind a proxy that names nobody, nobody is limited.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from handlers.web import GENUINE

#: Refused requests of one source that are looked at in a second, and at once after a pause. A
#: provider whose secret is wrong sends fewer.
_EACH_SECOND, _AT_ONCE = 50.0, 200.0
#: Sources of each kind that are remembered. Those that were heard of longest ago are forgotten.
_MOST = 4_096
#: What a refusal is answered with. A limit of storage or time is none of the sender's.
_REFUSED = frozenset({400, 401, 404, 405, 408, 413})
#: Characters of what is no address.
_LONGEST = 64
_HEADER = b"x-forwarded-for"


class SourceLimit:
    """Counts refused requests by source. For one thread, the server's."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, *, rest: float = 1.0
    ) -> None:
        """`rest` is how many seconds a source over the limit waits for its answer, while nothing is
        read from it. With an answer at once, a sender that waits for each would send more than
        before."""
        self.rest = rest
        self._monotonic = monotonic
        #: By source, how many refused requests are still free, and when that was.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._genuine: OrderedDict[str, None] = OrderedDict()

    def is_over(self, source: str | None) -> bool:
        """Whether the source has sent too much that was refused, and nothing genuine."""
        if source is None or source not in self._left or source in self._genuine:
            return False
        return self._free(source) < 1

    def note(self, scope: Mapping[str, Any], status: int) -> None:
        """A request was answered."""
        genuine = scope.get(GENUINE, False)
        if not genuine and status not in _REFUSED:
            return
        source = source_of(scope.get("client"), scope["headers"])
        if source is None:
            return
        if genuine:
            _put(self._genuine, source, None)
        else:
            _put(self._left, source, (self._free(source) - 1, self._monotonic()))

    def _free(self, source: str) -> float:
        now = self._monotonic()
        left, at = self._left.get(source, (_AT_ONCE, now))
        return min(_AT_ONCE, left + (now - at) * _EACH_SECOND)


def source_of(client: Sequence[Any] | None, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Where a request comes from: its address, and the last one that X-Forwarded-For names, since
    the address may be that of a proxy which others use, too. Whoever makes that header up escapes
    the limit, and limits nobody else. None where a proxy on this machine or in its network names
    nobody, or only another proxy in its network: all requests come from it then."""
    address = str(client[0]) if client else ""
    named = [value for name, value in headers if name == _HEADER]
    if not named:
        return None if _is_inside(address) or not address else _network(address)
    # Cut before anything is cached: the sender chooses how long it is.
    last = named[-1].rpartition(b",")[2].strip()[:_LONGEST].decode("latin-1")
    return None if _is_inside(last) else f"{_network(address)} for {_network(last)}"


@lru_cache(maxsize=_MOST)
def _is_inside(text: str) -> bool:
    """Whether this is an address that the Internet does not have: of this machine, of a private
    network, or shared behind a provider's own translation."""
    try:
        return not ip_address(text).is_global
    except ValueError:
        return False


@lru_cache(maxsize=_MOST)
def _network(text: str) -> str:
    """The address; of IPv6, the network that one customer has."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.exploded[:19]
    return text


def _put(table: OrderedDict[str, Any], source: str, value: object) -> None:
    table[source] = value
    table.move_to_end(source)
    if len(table) > _MOST:
        table.popitem(last=False)
