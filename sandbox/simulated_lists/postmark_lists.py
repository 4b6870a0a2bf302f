"""Postmark's suppressions: a list for each message stream of a server.

https://postmarkapp.com/developer/api/suppressions-api
https://postmarkapp.com/developer/api/message-streams-api
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar, Final

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import SimulatedListApi, valid
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal

#: Its events name it, too.
SERVER: Final = 23
_MOST: Final = 50
_EASTERN: Final = timezone(timedelta(hours=-5))
#: What is said of an entry, with the values of one that the contact caused by unsubscribing.
_REASON, _ORIGIN = "SuppressionReason", "Origin"
_NOT_ALLOWED: Final = "You do not have the required authority to change this suppression."


class SimulatedPostmark(SimulatedListApi):
    """A list is called as its stream. Writes are answered at once and show later."""

    name = "postmark"
    first_key: ClassVar[str] = "00000000-0000-4000-8000-000000000001"
    first_lists = ("outbound", "broadcast")
    #: Up to a minute, says Postmark.
    first_delay = 2.0

    def clear(self) -> None:
        super().clear()
        self.streams = {
            "outbound": "Transactional",
            "broadcast": "Broadcasts",
            "inbound": "Inbound",
        }

    def settings(self, body: Mapping[str, Any]) -> None:
        """Reads {"streams": {"outbound": "Transactional", "news": "Broadcasts"}}."""
        self.streams = dict(body.get("streams", self.streams))
        for stream, kind in self.streams.items():
            if kind != "Inbound":
                self.lists.setdefault(stream, EntryList())

    def foreign(self, now: float) -> SimulatedListApi:
        other = super().foreign(now)
        assert isinstance(other, SimulatedPostmark)
        other.streams = self.streams
        return other

    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        code = int(refusal.code or {429: 429}.get(refusal.status, 402))
        return ListAnswer(
            status=refusal.status, body={"ErrorCode": code, "Message": refusal.message}
        )

    def do(self, call: ListCall) -> ListAnswer:
        if call.headers.get("x-postmark-server-token", "") not in self.keys:
            raise ListRefusal(401, "The Server Token you provided is not valid.", code="10")
        if "application/json" not in call.headers.get("accept", ""):
            raise ListRefusal(406, "Accept must be application/json", code="409")
        match call.method, call.segments:
            case "GET", ("message-streams",):
                streams = [
                    {
                        "ID": id_,
                        "ServerID": SERVER,
                        "Name": id_,
                        "MessageStreamType": kind,
                        "ArchivedAt": None,
                    }
                    for id_, kind in self.streams.items()
                ]
                return ListAnswer(body={"MessageStreams": streams, "TotalCount": len(streams)})
            case "GET", ("message-streams", stream, "suppressions", "dump"):
                return self._dump(call, self._stream(stream))
            case "POST", ("message-streams", stream, "suppressions"):
                return self._add(call, self._stream(stream))
            case "POST", ("message-streams", stream, "suppressions", "delete"):
                return self._delete(call, self._stream(stream))
            case "DELETE", _:
                raise ListRefusal(405, "Method not allowed.", kind=CallKind.EMPTY)
        raise ListRefusal(404, "Not found.")

    def _stream(self, stream: str) -> EntryList:
        if self.streams.get(stream, "Inbound") == "Inbound":
            message = "The message stream for the provided 'ID' was not found."
            raise ListRefusal(422, message, code="1226")
        return self.lists[stream]

    def _dump(self, call: ListCall, listed: EntryList) -> ListAnswer:
        args = {name.casefold(): value for name, value in call.args.items()}
        address = args.get("emailaddress", "")
        entry = listed.get(address) if address else None
        entries = ([entry] if entry else []) if address else listed
        shown = [_shown(one) for one in entries]
        for name in (_REASON, _ORIGIN):
            if wanted := args.get(name.casefold(), "").casefold():
                shown = [one for one in shown if one[name].casefold() == wanted]
        since, until = args.get("fromdate", ""), args.get("todate", "9")
        shown = [one for one in shown if since <= one["CreatedAt"][:10] <= until]
        kind = CallKind.FIND if address else CallKind.LIST
        return ListAnswer.about(kind, *filter(None, [address]), body={"Suppressions": shown})

    def _add(self, call: ListCall, listed: EntryList) -> ListAnswer:
        wanted = _wanted(call)
        statuses, good = [], []
        for address in wanted:
            if not valid(address) or self.fails(address):
                statuses.append(
                    _status(address, "Failed", "An invalid email address was provided.")
                )
            else:
                statuses.append(_status(address, "Suppressed"))
                good.append(address)

        def add() -> None:
            facts = {_REASON: "ManualSuppression", _ORIGIN: "Customer"}
            for address in good:
                if listed.get(address) is None:
                    listed.add(ListedEntry(address=address, at=call.now, facts=facts))

        self.later(call.now, add)
        return ListAnswer.about(CallKind.ADD, *wanted, body={"Suppressions": statuses})

    def _delete(self, call: ListCall, listed: EntryList) -> ListAnswer:
        wanted = _wanted(call)
        statuses, good = [], []
        for address in wanted:
            entry = listed.get(address)
            reason = entry.facts.get(_REASON) if entry else ""
            if reason == "SpamComplaint" or self.fails(address):
                statuses.append(_status(address, "Failed", _NOT_ALLOWED))
            else:
                statuses.append(_status(address, "Deleted"))
                good.append(address)

        def remove() -> None:
            for address in good:
                listed.remove(address)

        self.later(call.now, remove)
        return ListAnswer.about(CallKind.REMOVE, *wanted, body={"Suppressions": statuses})


def _wanted(call: ListCall) -> list[str]:
    body = call.json()
    rows = body.get("Suppressions") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST:
        raise ListRefusal(422, f"From 1 to {_MOST} suppressions.", code="402")
    if not all(isinstance(row, dict) and "EmailAddress" in row for row in rows):
        raise ListRefusal(422, "EmailAddress is missing.", code="403")
    return [str(row["EmailAddress"]) for row in rows]


def _status(address: str, status: str, message: str | None = None) -> dict[str, Any]:
    return {"EmailAddress": address, "Status": status, "Message": message}


def _shown(entry: ListedEntry) -> dict[str, Any]:
    at = datetime.fromtimestamp(int(entry.at), _EASTERN)
    return {
        "EmailAddress": entry.address,
        _REASON: entry.facts.get(_REASON, "ManualSuppression"),
        _ORIGIN: entry.facts.get(_ORIGIN, "Recipient"),
        "CreatedAt": at.isoformat(),
    }
