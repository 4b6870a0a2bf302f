"""Postmark's suppressions, of each message stream of one server.

https://postmarkapp.com/developer/api/suppressions-api
A spam complaint can't be taken off by anybody but the contact and Postmark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

from bot.consent.addresses import key_of
from bot.consent.suppressions import Cause, ListedAddress, Listing
from handlers.suppression_lists.address_paths import address_segment, in_ascii, name_segment
from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.list_entries import (
    NEVER_TAKEN_OFF,
    account_hash,
    add_in_halves,
    cursor_text,
    in_steps,
    mailboxes_in,
    one_by_one,
    only_of,
    read_cursor,
    reason_of,
    rows_in,
)
from handlers.suppression_lists.provider_lists import (
    Added,
    AddressRefused,
    ListCheck,
    ListPage,
    ListsUnavailable,
    ReadOutdated,
)
from handlers.suppression_lists.spellings import Spellings
from handlers.webhooks.payload_parsing import at, moment, text_at
from handlers.webhooks.providers.postmark.webhook import Postmark, list_of

#: Bytes of a dump, which has no pages: some 400,000 entries. Seconds for it.
_LARGEST, _DUMP_WITHIN = 64 * 1024 * 1024, 120.0
_KEY = (
    "Set OPTIN_POSTMARK_SERVER_TOKEN to the server's API token, under API Tokens of the server. A "
    "token of the account has no access to the lists."
)
#: Where the contact is the origin. Whatever else put it there is our own side: `Customer`, `Admin`.
_RECIPIENT = "Recipient"


class PostmarkLists:
    """The lists of one server. An address that is added stands on the list of each stream."""

    name: ClassVar[str] = Postmark.name
    most_added: ClassVar[int] = 50
    readable: ClassVar[bool] = True

    def __init__(self, *, server_token: str, api_url: str) -> None:
        self.account = account_hash(self.name, server_token, api_url)
        self._spellings = Spellings()
        self._calls = ListCalls(
            label="Postmark",
            api_url=api_url,
            headers=lambda _: {"X-Postmark-Server-Token": server_token},
            forbidden=_KEY,
            largest=_LARGEST,
        )

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """The dump of one stream after the other, in pages of our own."""
        cursor = read_cursor(resume) if resume else {}
        streams = self._streams()
        names = [stream for stream, _ in streams]
        stream, step = str(cursor.get("stream", names[0] if names else "")), cursor.get("step", "")
        if not names:
            yield ListPage(next=None)
            return
        if stream not in names:
            raise ReadOutdated("Postmark's streams are others now: the read begins anew")
        for number in range(names.index(stream), len(names)):
            after = names[number + 1 : number + 2]
            following = cursor_text({"stream": after[0]}) if after else None
            entries = self._dump(*streams[number], within=_DUMP_WITHIN)
            for entry in entries:
                self._spellings.note(entry.address)
            yield from in_steps(entries, str(step), {"stream": names[number]}, following)
            step = ""

    def _streams(self) -> list[tuple[str, str]]:
        """The streams that send, each with its server's id, by name."""
        rows = rows_in(self._calls.get("/message-streams"), "MessageStreams", "Postmark")
        found = [
            (text_at(row, "ID"), text_at(row, "ServerID"))
            for row in rows
            if text_at(row, "MessageStreamType") != "Inbound" and not text_at(row, "ArchivedAt")
        ]
        if not all(map(all, found)):
            raise ListsUnavailable("Postmark has a stream without an id")
        return sorted(found)

    def _dump(
        self, stream: str, server: str, *, of: str | None = None, within: float | None = None
    ) -> tuple[ListedAddress, ...]:
        query = [("EmailAddress", of)] if of else []
        answer = self._calls.get(f"{_path(stream)}/dump", query, within=within)
        rows = rows_in(answer, "Suppressions", "Postmark")
        return tuple(mailboxes_in((_entry(stream, server, row) for row in rows), "Postmark"))

    def find(self, address: str) -> Sequence[ListedAddress]:
        """On the list of each stream."""
        address_segment(address)
        found: dict[tuple[str, str, str], ListedAddress] = {}
        streams = self._streams()
        for spelling in self._spellings.of(address):
            for stream, server in streams:
                for entry in self._dump(stream, server, of=spelling):
                    found.setdefault((entry.place, entry.address, entry.listing.name), entry)
        return only_of(address, found.values(), "Postmark")

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """To each stream. Postmark takes up to a minute."""
        streams = self._streams()
        if not streams:
            raise ListsUnavailable("Postmark's server has no stream that sends")
        results = one_by_one(
            streams, lambda one: add_in_halves(addresses, partial(self._add, one[0]))
        )
        return [
            next((one for one in of_one if one.problem), of_one[0])
            for of_one in zip(*results, strict=True)
        ]

    def _add(self, stream: str, addresses: Sequence[str]) -> Sequence[Added]:
        results = self._changed(_path(stream), addresses)
        return [_added(one, results.get(key_of(one))) for one in addresses]

    def remove(self, entry: ListedAddress) -> None:
        """Off the list of its stream. A 200 may say that it failed."""
        if entry.listing.cause is Cause.COMPLAINT:
            raise AddressRefused(NEVER_TAKEN_OFF)
        address_segment(entry.address)
        results = self._changed(f"{_path(entry.place)}/delete", [entry.address])
        result = results.get(key_of(entry.address))
        if result is None:
            raise ListsUnavailable("Postmark answers about another address")
        if text_at(result, "Status") == "Failed":
            raise AddressRefused("was refused by Postmark (Failed)")

    def _changed(self, path: str, addresses: Sequence[str]) -> dict[str, Any]:
        """What Postmark says of each address, by its key."""
        rows = [{"EmailAddress": in_ascii(one)} for one in addresses]
        answer = self._calls.send("POST", path, {"Suppressions": rows}, of_one=True)
        told = rows_in(answer.content, "Suppressions", "Postmark")
        return {key_of(text_at(row, "EmailAddress")): row for row in told}

    def check(self) -> Iterator[ListCheck]:
        """Reads the list of each stream, for an address that is on none."""
        streams = self._streams()
        for stream, server in streams:
            self._dump(stream, server, of="optin-doctor@example.com")
        names = ", ".join(stream for stream, _ in streams) or "none"
        yield ListCheck(what=f"Postmark's suppressions can be read, of the streams: {names}.")


def _path(stream: str) -> str:
    try:
        return f"/message-streams/{name_segment(stream)}/suppressions"
    except ValueError:
        raise ListsUnavailable("Postmark has a stream whose name is none") from None


def _entry(stream: str, server: str, row: Any) -> ListedAddress:
    """Under the name that the webhook's `SubscriptionChange` gives."""
    reason, origin = text_at(row, "SuppressionReason"), text_at(row, "Origin")
    scope = ""
    if reason == "HardBounce":
        cause = Cause.BOUNCE
    elif reason == "SpamComplaint":
        cause = Cause.COMPLAINT
    elif origin == _RECIPIENT:
        cause, scope = Cause.UNSUBSCRIBE, list_of(server, stream)
    else:
        cause = Cause.OURS
    return ListedAddress(
        address=text_at(row, "EmailAddress"),
        listing=Listing(provider=Postmark.name, cause=cause, scope=scope),
        since=moment(at(row, "CreatedAt")),
        reason=reason_of(reason, f"({origin})" if origin else ""),
        place=stream,
    )


def _added(address: str, result: Any) -> Added:
    """Postmark's word for one address. Its `Message` may have the address in it."""
    if result is None:
        return Added(address=address, problem="Postmark left it out of its answer", again=True)
    if text_at(result, "Status") == "Failed":
        return Added(address=address, problem="was refused by Postmark (Failed)")
    return Added(address=address)
