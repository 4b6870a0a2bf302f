"""Reading the entries of a provider's answer, without trusting its shape."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from bot.consent.addresses import key_of
from bot.consent.parsing import storable
from bot.consent.suppressions import ListedAddress
from handlers.suppression_lists.address_paths import is_mailbox
from handlers.suppression_lists.provider_lists import (
    Added,
    AddressRefused,
    ListPage,
    ListsUnavailable,
    ReadOutdated,
)

T = TypeVar("T")
U = TypeVar("U")

logger = logging.getLogger(__name__)

#: Entries of one page, where the provider answers with everything at once.
AT_ONCE = 1_000
#: Why a client takes an entry off no list, whoever asks.
NEVER_TAKEN_OFF = "stands on a list that Optin never takes anybody off"
#: Of what a provider says about an entry.
_LONGEST_REASON = 200


def rows_of(content: Any, label: str) -> list[dict[str, Any]]:
    """A list of objects. Raises `ListsUnavailable` for anything else: half an answer must not pass
    for an empty list."""
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise ListsUnavailable(f"{label}'s answer is not the list that it documents")
    return content


def rows_in(content: Any, name: str, label: str) -> list[dict[str, Any]]:
    """The list of objects in this field. Raises `ListsUnavailable`."""
    return rows_of(content.get(name) if isinstance(content, dict) else None, label)


def mailboxes_in(entries: Iterable[ListedAddress], label: str) -> Iterator[ListedAddress]:
    """Without those whose address is no mailbox: nobody can be told by it."""
    left_out = 0
    for entry in entries:
        if is_mailbox(entry.address):
            yield entry
        else:
            left_out += 1
    if left_out:
        logger.warning("%s lists %d entries that are no mailboxes", label, left_out)


def only_of(address: str, entries: Iterable[ListedAddress], label: str) -> Sequence[ListedAddress]:
    """The entries, which must all be of this address. Raises `ListsUnavailable`: whoever answers
    about somebody else is not believed at all."""
    found = list(entries)
    if any(key_of(one.address) != key_of(address) for one in found):
        raise ListsUnavailable(f"{label} answers about another address")
    return found


def one_by_one(things: Iterable[T], add: Callable[[T], U]) -> list[U]:
    """Makes one call after the other. If one fails, the error says that others were made."""
    made: list[U] = []
    for one in things:
        try:
            made.append(add(one))
        except ListsUnavailable as error:
            error.partly = error.partly or bool(made)
            raise
    return made


def add_in_halves(
    addresses: Sequence[str], add: Callable[[Sequence[str]], Sequence[Added]]
) -> Sequence[Added]:
    """Adds them with one call. If the provider refuses that for one of the addresses and does not
    say which, each half gets a call of its own, down to the one."""
    wrong = "is not an address that a provider's API can name"
    named = [one for one in addresses if is_mailbox(one)]
    found = {one.address: one for one in _halves(named, add)} if named else {}
    return [found.get(one) or Added(address=one, problem=wrong) for one in addresses]


def _halves(
    addresses: Sequence[str], add: Callable[[Sequence[str]], Sequence[Added]]
) -> Sequence[Added]:
    try:
        return add(addresses)
    except AddressRefused as refused:
        if len(addresses) == 1:
            return [Added(address=addresses[0], problem=str(refused))]
    middle = len(addresses) // 2
    halves = one_by_one((addresses[:middle], addresses[middle:]), lambda half: _halves(half, add))
    return [one for half in halves for one in half]


def reason_of(*texts: str) -> str:
    """The provider's words, shortened."""
    return storable(" ".join(filter(None, texts)))[:_LONGEST_REASON]


def in_steps(
    entries: Sequence[ListedAddress], resume: str, cursor: Mapping[str, Any], following: str | None
) -> Iterator[ListPage]:
    """An answer that has a whole list, as pages in an order that does not depend on the answer's.

    `resume` is the `step` of an earlier page's cursor. `cursor` is what stands in the cursor
    besides, and `following` what comes after this list.
    """
    ordered = sorted(((_rank(one), one) for one in entries), key=lambda pair: pair[0])
    rest = [pair for pair in ordered if pair[0] > resume]
    for start in range(0, max(len(rest), 1), AT_ONCE):
        part = rest[start : start + AT_ONCE]
        last = start + AT_ONCE >= len(rest)
        next_ = following if last else cursor_text({**cursor, "step": part[-1][0]})
        yield ListPage(entries=tuple(entry for _, entry in part), next=next_)


def _rank(entry: ListedAddress) -> str:
    """A hash: a cursor is stored, and holds no address."""
    text = f"{entry.place}\0{entry.listing.name}\0{entry.address}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def cursor_text(cursor: Mapping[str, Any]) -> str:
    return json.dumps(cursor, sort_keys=True, separators=(",", ":"))


def read_cursor(text: str) -> dict[str, Any]:
    """Raises `ReadOutdated`, also for a cursor of another version."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ReadOutdated("the place where the read was is not known any more")
    return found


def account_hash(provider: str, secret: str, *more: str) -> str:
    """Stands for the account whose lists these are. Nobody finds the key by it."""
    text = "\0".join(("optin-lists", provider, *more))
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()[:32]
