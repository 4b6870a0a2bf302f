"""Telnyx's opt-outs, which can only be read.

https://developers.telnyx.com/api-reference/opt-out-management/list-opt-outs
"""

import math
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import SimulatedListApi
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal

_MOST: Final = 250


class SimulatedTelnyx(SimulatedListApi):
    """A list is called as the sender that its numbers opted out from; others come as they are
    needed. Pages have numbers and begin with the newest, so they shift while the list grows."""

    name = "telnyx"
    first_key: ClassVar[str] = "KEYsandbox"
    first_lists = ("+18885550199",)

    def listed(self, name: str) -> EntryList:
        return self.lists.setdefault(name, EntryList())

    def foreign(self, now: float) -> SimulatedListApi:
        other = super().foreign(now)
        other.lists = {"+15555550000": EntryList()}
        other.lists["+15555550000"].add(ListedEntry(address="+15555550001", at=now))
        return other

    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        code = {401: "10009", 403: "10010", 429: "10011"}.get(refusal.status, "10015")
        errors = [{"code": code, "title": refusal.message, "detail": refusal.message}]
        return ListAnswer(status=refusal.status, body={"errors": errors})

    def do(self, call: ListCall) -> ListAnswer:
        if call.bearer not in self.keys:
            raise ListRefusal(401, "Authentication failed")
        match call.method, call.segments:
            case "GET", ("v2", "messaging_optouts"):
                return self._page(call)
            case "DELETE", _:
                raise ListRefusal(405, "Method not allowed", kind=CallKind.EMPTY)
            case _, ("v2", "messaging_optouts", *_):
                raise ListRefusal(405, "Method not allowed")
        raise ListRefusal(404, "Resource not found")

    def _page(self, call: ListCall) -> ListAnswer:
        args = call.args
        number, size = call.number("page[number]", 1), call.number("page[size]", 20)
        if number < 1 or not 1 <= size <= _MOST:
            raise ListRefusal(422, f"page[size] must be from 1 to {_MOST}")
        start = _time(args.get("created_at[gte]"), -math.inf)
        end = _time(args.get("created_at[lte]"), math.inf)
        wanted, profile = args.get("filter[from]"), args.get("filter[messaging_profile_id]")
        names = [name for name in self.lists if wanted in (None, name)]
        offset = (number - 1) * size
        if len(names) == 1 and profile is None:
            listed = self.lists[names[0]]
            page = [(one, names[0]) for one in listed.newest(offset, size, start, end)]
            total = listed.count(start, end)
        else:
            rows = [
                (one, name)
                for name in names
                for one in self.lists[name]
                if start <= one.at <= end
                and profile in (None, one.facts.get("messaging_profile_id"))
            ]
            rows.sort(key=lambda row: row[0].at, reverse=True)
            page, total = rows[offset : offset + size], len(rows)
        redacted = args.get("redaction_enabled", "true") != "false"
        meta = {
            "total_pages": -(-total // size),
            "total_results": total,
            "page_number": number,
            "page_size": size,
        }
        data = [_shown(one, name, redacted) for one, name in page]
        return ListAnswer.about(CallKind.LIST, body={"data": data, "meta": meta})


def _shown(entry: ListedEntry, sender: str, redacted: bool) -> dict[str, Any]:
    at = datetime.fromtimestamp(entry.at, UTC)
    to = entry.address[:-4] + "****" if redacted else entry.address
    return {
        "created_at": at.strftime("%Y-%m-%d %H:%M:%S.%f+00:00"),
        "from": sender,
        "to": to,
        "keyword": entry.facts.get("keyword", "STOP"),
        "messaging_profile_id": entry.facts.get("messaging_profile_id"),
    }


def _time(text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ListRefusal(422, "created_at must be a time") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
