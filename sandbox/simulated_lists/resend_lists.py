"""Resend's suppressions: one list for the team.

https://resend.com/docs/api-reference/suppressions/add-suppression
https://resend.com/docs/api-reference/errors
https://resend.com/docs/api-reference/rate-limit
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import SimulatedListApi, may, valid
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal

LIST: Final = "suppressions"
_MOST: Final = 100
_FULL_ACCESS: Final = "full_access"
_IDS: Final = uuid.UUID("0c6ff7ab-9a61-4d4e-8f0b-2f3f7e3bb5a1")


class SimulatedResend(SimulatedListApi):
    """Pages begin behind an entry, which is named by its id; an id that is gone is refused."""

    name = "resend"
    first_key: ClassVar[str] = "re_sandbox"
    first_lists = (LIST,)
    first_rate = (5, 1.0)

    def clear(self) -> None:
        super().clear()
        #: Whether the team has the API at all.
        self.available = True
        self._addresses: dict[str, str] = {}

    def settings(self, body: Mapping[str, Any]) -> None:
        """Reads {"available": false}."""
        self.available = bool(body.get("available", self.available))

    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        if refusal.code == "1010":
            return ListAnswer(status=403, body="error code: 1010")
        names = {404: "not_found", 405: "method_not_allowed", 429: "rate_limit_exceeded"}
        name = refusal.code or names.get(refusal.status, "validation_error")
        body = {"statusCode": refusal.status, "name": name, "message": refusal.message}
        return ListAnswer(status=refusal.status, body=body)

    def slow_down(self, seconds: int) -> ListAnswer:
        limits = {"ratelimit-limit": "5", "ratelimit-remaining": "0"}
        reset = {"ratelimit-reset": str(seconds)}
        return super().slow_down(seconds).with_headers({**limits, **reset})

    def do(self, call: ListCall) -> ListAnswer:
        self._authorise(call)
        match call.method, call.segments:
            case "GET", ("suppressions",):
                return self._page(call)
            case "POST", ("suppressions",):
                return self._add_one(call)
            case "POST", ("suppressions", "batch", "add"):
                return self._add_many(call)
            case "POST", ("suppressions", "batch", "remove"):
                return self._remove_many(call)
            case "GET", ("suppressions", name) if name:
                entry = self._named(name, CallKind.FIND)
                return ListAnswer.about(CallKind.FIND, name, body=_shown(entry))
            case "DELETE", ("suppressions", name) if name:
                entry = self._named(name, CallKind.REMOVE)
                self._remove(call, [entry])
                return ListAnswer.about(CallKind.REMOVE, entry.address, body=_deleted(entry))
            case "DELETE", _:
                raise ListRefusal(405, "Method not allowed", kind=CallKind.EMPTY)
        raise ListRefusal(404, "The requested endpoint does not exist")

    def _authorise(self, call: ListCall) -> None:
        if not call.headers.get("user-agent"):
            raise ListRefusal(403, "error code: 1010", code="1010")
        if not call.bearer:
            raise ListRefusal(401, "Missing API Key", code="missing_api_key")
        if call.bearer not in self.keys:
            raise ListRefusal(400, "API key is invalid")
        if not may(self.keys[call.bearer], _FULL_ACCESS):
            message = "This API key is restricted to only send emails"
            raise ListRefusal(401, message, code="restricted_api_key")
        if not self.available:
            raise ListRefusal(404, "The requested endpoint does not exist")

    @property
    def _list(self) -> EntryList:
        return self.lists[LIST]

    def _page(self, call: ListCall) -> ListAnswer:
        args, limit = call.args, call.number("limit", 20)
        if not 1 <= limit <= _MOST:
            raise ListRefusal(422, f"limit must be from 1 to {_MOST}")
        after, before, origin = args.get("after"), args.get("before"), args.get("origin")
        if after and before:
            raise ListRefusal(422, "either after or before")
        if before:
            found = self._list.newer(self._cursor(before), limit + 1)
            page, more = found[-limit:], len(found) > limit
        else:
            entry = self._cursor(after) if after else None
            # Of one origin, the page is filled up with those behind it.
            most = limit + 1 if origin is None else len(self._list)
            found = [one for one in self._list.older(entry, most) if origin in (None, _origin(one))]
            page, more = found[:limit], len(found) > limit
        shown = [_shown(one) for one in page]
        body = {"object": "list", "has_more": more, "data": shown}
        return ListAnswer.about(CallKind.LIST, body=body)

    def _cursor(self, id_: str) -> ListedEntry:
        entry = self._by_id(id_)
        if entry is None:
            raise ListRefusal(422, "The cursor does not exist")
        return entry

    def _add_one(self, call: ListCall) -> ListAnswer:
        wanted = _object(call).get("email")
        (id_,) = self._add(call, [wanted])
        shown = {"object": "suppression", "id": id_}
        return ListAnswer.about(CallKind.ADD, str(wanted), body=shown, status=201)

    def _add_many(self, call: ListCall) -> ListAnswer:
        wanted = _several(_object(call), "emails")
        data = [{"object": "suppression", "id": id_} for id_ in self._add(call, wanted)]
        return ListAnswer.about(CallKind.ADD, *wanted, body={"data": data})

    def _add(self, call: ListCall, wanted: list[Any]) -> list[str]:
        """The ids, without duplicates: not one for each address that was asked for."""
        if not all(valid(one) for one in wanted):
            raise ListRefusal(422, "Invalid `email` field")
        entries = {}
        for address in (one.strip().lower() for one in wanted):
            new = ListedEntry(address=address, at=call.now, facts={"origin": "manual"})
            entries[address] = self._list.get(address) or new

        def add() -> None:
            for entry in entries.values():
                if self._list.get(entry.address) is None:
                    self._list.add(entry)

        self.later(call.now, add)
        return sorted(_id(entry) for entry in entries.values())

    def _remove_many(self, call: ListCall) -> ListAnswer:
        body = _object(call)
        if ("emails" in body) == ("ids" in body):
            raise ListRefusal(422, "Provide either `emails` or `ids`, but not both")
        wanted = _several(body, "emails" if "emails" in body else "ids")
        find = self._list.get if "emails" in body else self._by_id
        # What is not there is left out of the answer.
        found = [entry for entry in map(find, dict.fromkeys(wanted)) if entry]
        self._remove(call, found)
        data = [_deleted(entry) for entry in sorted(found, key=_id)]
        addresses = wanted if "emails" in body else [entry.address for entry in found]
        return ListAnswer.about(CallKind.REMOVE, *addresses, body={"data": data})

    def _remove(self, call: ListCall, entries: list[ListedEntry]) -> None:
        def remove() -> None:
            for entry in entries:
                self._list.remove(entry.address)

        self.later(call.now, remove)

    def _named(self, name: str, kind: CallKind) -> ListedEntry:
        entry = self._list.get(name) if "@" in name else self._by_id(name)
        if entry is None:
            raise ListRefusal(404, "Suppression not found", kind=kind, addresses=[name])
        return entry

    def _by_id(self, id_: str) -> ListedEntry | None:
        if id_ not in self._addresses:
            self._addresses = {_id(entry): entry.address for entry in self._list}
        entry = self._list.get(self._addresses.get(id_, ""))
        return entry if entry and _id(entry) == id_ else None


def _object(call: ListCall) -> dict[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise ListRefusal(422, "The body must be an object")
    return body


def _several(body: Mapping[str, Any], name: str) -> list[str]:
    wanted = body.get(name)
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= _MOST:
        raise ListRefusal(422, f"`{name}` must have from 1 to {_MOST} values")
    return [str(one) for one in wanted]


def _id(entry: ListedEntry) -> str:
    return str(uuid.uuid5(_IDS, f"{entry.address}:{entry.at}"))


def _deleted(entry: ListedEntry) -> dict[str, Any]:
    return {"object": "suppression", "id": _id(entry), "deleted": True}


def _origin(entry: ListedEntry) -> str:
    return str(entry.facts.get("origin", "bounce"))


def _shown(entry: ListedEntry) -> dict[str, Any]:
    at = datetime.fromtimestamp(entry.at, UTC)
    return {
        "object": "suppression",
        "id": _id(entry),
        "email": entry.address,
        "origin": _origin(entry),
        "source_id": entry.facts.get("source_id"),
        "created_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
