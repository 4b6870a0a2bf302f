"""Mailgun's suppression lists: three for each sending domain.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces
https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/unsubscribe
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import SimulatedListApi, valid
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal

DOMAIN: Final = "mg.example.com"
_KINDS: Final = ("bounces", "unsubscribes", "complaints")
_MOST: Final = 1_000
_REMOVED: Final[Mapping[str, str]] = {
    "bounces": "Bounced address has been removed",
    "unsubscribes": "Unsubscribe event has been removed",
    "complaints": "Spam complaint has been removed",
}


class SimulatedMailgun(SimulatedListApi):
    """The list of a domain is called "mg.example.com/bounces". Pages are in alphabetical order."""

    name = "mailgun"
    first_key: ClassVar[str] = "key-sandbox"
    first_lists = tuple(f"{DOMAIN}/{kind}" for kind in _KINDS)

    def clear(self) -> None:
        super().clear()
        self.domains = {DOMAIN}
        self.allowlists: dict[str, list[str]] = {}

    def settings(self, body: Mapping[str, Any]) -> None:
        """Reads {"domains": ["a.example"], "allowlists": {"a.example": ["b.example"]}}."""
        if "domains" in body:
            self.domains = {str(domain) for domain in body["domains"]}
        for domain in self.domains:
            for kind in _KINDS:
                self.lists.setdefault(f"{domain}/{kind}", EntryList())
        self.allowlists.update(body.get("allowlists", {}))

    def foreign(self, now: float) -> SimulatedListApi:
        other = super().foreign(now)
        assert isinstance(other, SimulatedMailgun)
        other.domains = self.domains
        return other

    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        # A wrong key is answered in plain text.
        plain = refusal.status == 401
        return ListAnswer(
            status=refusal.status, body="Forbidden" if plain else {"message": refusal.message}
        )

    def do(self, call: ListCall) -> ListAnswer:
        user, key = call.basic
        if user != "api" or key not in self.keys:
            raise ListRefusal(401, "Forbidden")
        match call.segments:
            case "v3" | "v4", "domains", domain:
                self._known(domain)
                return ListAnswer(body={"domain": {"name": domain, "state": "active"}})
            case "v3", domain, "whitelists":
                self._known(domain)
                items = [
                    {"type": "domain", "value": one} for one in self.allowlists.get(domain, ())
                ]
                return ListAnswer(body={"items": items, "paging": {}})
            case "v3", domain, kind, *rest if kind in _KINDS:
                self._known(domain)
                return self._on_list(call, f"{domain}/{kind}", kind, rest)
        raise ListRefusal(404, "Not Found")

    def _known(self, domain: str) -> None:
        if domain not in self.domains:
            raise ListRefusal(404, f"Domain not found: {domain}")

    def _on_list(self, call: ListCall, name: str, kind: str, rest: list[str]) -> ListAnswer:
        listed = self.lists[name]
        match call.method, rest:
            case "GET", []:
                return self._page(call, listed, kind)
            case "GET", [address] if address:
                entry = listed.get(address)
                if entry is None:
                    raise _missing(kind, CallKind.FIND, address)
                return ListAnswer.about(CallKind.FIND, address, body=_shown(entry, kind))
            case "POST", []:
                return self._add(call, listed, kind)
            case "DELETE", [] | [""]:
                # Without an address, the whole list goes.
                listed.clear()
                message = f"{kind.capitalize()} for this domain have been removed"
                return ListAnswer.about(CallKind.EMPTY, body={"message": message})
            case "DELETE", [address]:
                return self._remove(call, listed, kind, address)
        raise ListRefusal(405, "Method Not Allowed")

    def _page(self, call: ListCall, listed: EntryList, kind: str) -> ListAnswer:
        limit = call.number("limit", 100)
        if not 1 <= limit <= _MOST:
            raise ListRefusal(400, f"limit must be from 1 to {_MOST}")
        args, divider = call.args, call.args.get("address", "")
        match args.get("page", ""):
            case "" | "first":
                entries = listed.after("", limit)
            case "next":
                entries = listed.after(divider, limit)
            case "previous":
                entries = listed.before(divider, limit)
            case "last":
                entries = listed.before("", limit)
            case other:
                raise ListRefusal(400, f"page can't be {other}")
        term = args.get("term", "").casefold()
        first = entries[0].address if entries else divider
        last = entries[-1].address if entries else divider
        here = "/".join((call.base_url, *call.segments))

        def link(page: str, address: str = "") -> str:
            about = {"address": address} if address else {}
            return f"{here}?{urlencode({'page': page, **about, 'limit': limit})}"

        shown = [_shown(one, kind) for one in entries if one.address.casefold().startswith(term)]
        paging = {
            "first": link("first"),
            "last": link("last"),
            "next": link("next", last),
            "previous": link("previous", first),
        }
        return ListAnswer.about(CallKind.LIST, body={"items": shown, "paging": paging})

    def _add(self, call: ListCall, listed: EntryList, kind: str) -> ListAnswer:
        many = call.headers.get("content-type", "").startswith("application/json")
        rows = call.json() if many else [dict(call.form())]
        if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST:
            raise ListRefusal(400, f"Batch size should be from 1 to {_MOST}")
        entries = [_entry(row, kind, call.now, many) for row in rows]

        def add() -> None:
            for entry in entries:
                listed.add(entry)

        self.later(call.now, add)
        addresses = [entry.address for entry in entries]
        if many:
            message = f"{len(entries)} addresses have been added to the {kind} table"
            return ListAnswer.about(CallKind.ADD, *addresses, body={"message": message})
        message = f"Address has been added to the {kind} table"
        body = {"message": message, "address": addresses[0]}
        return ListAnswer.about(CallKind.ADD, *addresses, body=body)

    def _remove(self, call: ListCall, listed: EntryList, kind: str, address: str) -> ListAnswer:
        entry = listed.get(address)
        if entry is None:
            raise _missing(kind, CallKind.REMOVE, address)
        tag = call.args.get("tag", "")
        left = [one for one in entry.facts.get("tags", ()) if tag and one != tag]

        def remove() -> None:
            listed.remove(address)
            if left:
                kept = {**entry.facts, "tags": left}
                listed.add(ListedEntry(address=entry.address, at=entry.at, facts=kept))

        self.later(call.now, remove)
        body = {"message": _REMOVED[kind], "address": address}
        return ListAnswer.about(CallKind.REMOVE, address, body=body)


def _missing(kind: str, did: CallKind, address: str) -> ListRefusal:
    return ListRefusal(404, f"Address not found in {kind} table", kind=did, addresses=[address])


def _entry(row: Any, kind: str, now: float, many: bool) -> ListedEntry:
    if not isinstance(row, dict) or not valid(row.get("address")):
        raise ListRefusal(400, "address is a required parameter")
    at = now
    if row.get("created_at"):
        try:
            at = parsedate_to_datetime(row["created_at"]).timestamp()
        except (TypeError, ValueError):
            raise ListRefusal(400, "created_at can't be read") from None
    facts: dict[str, Any] = {}
    if kind == "unsubscribes":
        # One of many has tags, in the plural; a single one has a tag.
        facts["tags"] = _tags(row.get("tags")) if many else [row.get("tag") or "*"]
    if kind == "bounces":
        facts = {"code": str(row.get("code") or "550"), "error": row.get("error") or ""}
    return ListedEntry(address=row["address"], at=float(int(at)), facts=facts)


def _tags(tags: Any) -> list[str]:
    if tags is not None and not isinstance(tags, list):
        raise ListRefusal(400, "tags must be an array")
    return [str(tag) for tag in tags or ["*"]]


def _shown(entry: ListedEntry, kind: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(int(entry.at), UTC)
    more: Iterable[tuple[str, Any]] = {
        "bounces": (("code", "550"), ("error", "No such mailbox")),
        "unsubscribes": (("tags", ["*"]),),
        "complaints": (),
    }[kind]
    facts = {name: entry.facts.get(name, otherwise) for name, otherwise in more}
    return {
        "address": entry.address,
        **facts,
        "created_at": at.strftime("%a, %d %b %Y %H:%M:%S UTC"),
    }
