"""SendGrid's suppression lists and unsubscribe groups (ASM).

https://www.twilio.com/docs/sendgrid/api-reference/bounces-api
https://www.twilio.com/docs/sendgrid/api-reference/suppressions-global-suppressions
https://www.twilio.com/docs/sendgrid/api-reference/suppressions-suppressions
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import EVERYTHING, SimulatedListApi, may
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal
from sandbox.simulated_lists.sendgrid_rows import GLOBAL, PLAIN, matching, recipients, shown

_MOST: Final = 500
_EVERY_SCOPE: Final = (
    "asm.groups.read",
    *(f"asm.groups.suppressions.{verb}" for verb in ("create", "delete", "read")),
    *(f"asm.suppressions.global.{verb}" for verb in ("create", "delete", "read")),
    "mail_settings.address_whitelist.read",
    *(f"suppression.{name}.{verb}" for name in (*PLAIN, GLOBAL) for verb in ("delete", "read")),
    "suppression.delete",
    "suppression.read",
)


class SimulatedSendGrid(SimulatedListApi):
    """Newest entries come first, so an offset means another entry once the list has grown."""

    name = "sendgrid"
    first_key: ClassVar[str] = "SG.sandbox"
    first_lists = (*PLAIN, GLOBAL)

    def clear(self) -> None:
        super().clear()
        #: Names by id; the list of group 12 is "group:12".
        self.groups: dict[int, str] = {}
        self.whitelist: list[str] = []

    def settings(self, body: Mapping[str, Any]) -> None:
        """Reads {"groups": {"12": "Offers"}, "whitelist": ["example.com"]}."""
        for id_, name in body.get("groups", {}).items():
            self.groups[int(id_)] = str(name)
            self.lists.setdefault(f"group:{int(id_)}", EntryList())
        self.whitelist = list(body.get("whitelist", self.whitelist))

    def foreign(self, now: float) -> SimulatedListApi:
        other = super().foreign(now)
        assert isinstance(other, SimulatedSendGrid)
        other.groups = self.groups
        return other

    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        errors = [{"field": refusal.code or None, "message": refusal.message}]
        return ListAnswer(status=refusal.status, body={"errors": errors})

    def slow_down(self, seconds: int) -> ListAnswer:
        limits = {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0"}
        reset = {"X-RateLimit-Reset": str(seconds)}
        return super().slow_down(seconds).with_headers({**limits, **reset})

    def do(self, call: ListCall) -> ListAnswer:  # noqa: C901, PLR0911, PLR0912 - a table of paths
        if not call.bearer:
            raise ListRefusal(401, "authorization required")
        scopes = self.keys.get(call.bearer)
        if scopes is None:
            raise ListRefusal(
                401, "The provided authorization grant is invalid, expired, or revoked"
            )

        def need(*any_of: str) -> None:
            if not any(may(scopes, wanted) for wanted in any_of):
                raise ListRefusal(403, "access forbidden")

        verb = {"GET": "read", "POST": "create", "DELETE": "delete"}.get(call.method, "")
        match call.method, call.segments:
            case "GET", ("v3", "scopes"):
                have = _EVERY_SCOPE if EVERYTHING in scopes else sorted(scopes)
                return ListAnswer(body={"scopes": list(have)})
            case "GET", ("v3", "mail_settings", "address_whitelist"):
                need("mail_settings.address_whitelist.read")
                return ListAnswer(
                    body={"enabled": bool(self.whitelist), "list": list(self.whitelist)}
                )
            case "GET", ("v3", "suppression", name) if name in (*PLAIN, GLOBAL):
                need(f"suppression.{name}.read", "suppression.read")
                return self._page(call, name)
            case "GET", ("v3", "suppression", name, address) if name in PLAIN:
                need(f"suppression.{name}.read", "suppression.read")
                entry = self.lists[name].get(_named(address))
                found = [shown(entry, name)] if entry else []
                return ListAnswer.about(CallKind.FIND, address, body=found)
            case "DELETE", ("v3", "suppression", name) | ("v3", "suppression", name, "") if (
                name in PLAIN
            ):
                need(f"suppression.{name}.delete", "suppression.delete")
                return self._delete_many(call, self.lists[name])
            case "DELETE", ("v3", "suppression", name, address) if name in PLAIN:
                need(f"suppression.{name}.delete", "suppression.delete")
                if self.lists[name].get(address) is None:
                    raise ListRefusal(
                        404, "resource not found", kind=CallKind.REMOVE, addresses=[address]
                    )
                return self._remove(call, self.lists[name], address)
            case _, ("v3", "asm", "suppressions", "global", *rest):
                need(f"asm.suppressions.global.{verb}", f"suppression.unsubscribes.{verb}")
                return self._global(call, rest)
            case "GET", ("v3", "asm", "suppressions"):
                need("asm.groups.suppressions.read")
                return ListAnswer.about(CallKind.LIST, body=list(self._pairs()))
            case "GET", ("v3", "asm", "suppressions", address):
                need("asm.groups.suppressions.read")
                groups = [self._of(id_, _named(address)) for id_ in self.groups]
                return ListAnswer.about(CallKind.FIND, address, body={"suppressions": groups})
            case "GET", ("v3", "asm", "groups"):
                need("asm.groups.read")
                return ListAnswer(body=[self._group(id_) for id_ in self.groups])
            case "GET", ("v3", "asm", "groups", id_):
                need("asm.groups.read")
                return ListAnswer(body=self._group(self._known(id_)))
            case _, ("v3", "asm", "groups", id_, "suppressions", *rest):
                need(f"asm.groups.suppressions.{verb}")
                return self._in_group(call, id_, rest)
        raise ListRefusal(404, "not found")

    def _page(self, call: ListCall, name: str) -> ListAnswer:
        limit, offset = call.number("limit", _MOST), call.number("offset", 0)
        if not 1 <= limit <= _MOST:
            raise ListRefusal(400, f"limit must be from 1 to {_MOST}", code="limit")
        start = call.number("start_time", 0)
        end = call.number("end_time", 0) or math.inf
        listed = self.lists[name]
        wanted = call.args.get("email", "")
        if wanted:
            some = [one for one in matching(listed, wanted) if start <= int(one.at) <= end]
            entries: Iterable[ListedEntry] = some[offset : offset + limit]
        else:
            entries = listed.newest(offset, limit, start, end if end == math.inf else end + 0.999)
        kind = CallKind.FIND if wanted else CallKind.LIST
        rows = [shown(entry, name) for entry in entries]
        return ListAnswer.about(kind, *filter(None, [wanted]), body=rows)

    def _delete_many(self, call: ListCall, listed: EntryList) -> ListAnswer:
        body = call.json() if call.body else {}
        every = body.get("delete_all") is True
        some: list[str] = body.get("emails") or []
        if every == bool(some):
            raise ListRefusal(400, "either delete_all or emails", kind=CallKind.EMPTY)
        if every:
            listed.clear()
            return ListAnswer.about(CallKind.EMPTY, status=204)
        for address in some:
            self._remove(call, listed, address)
        return ListAnswer.about(CallKind.REMOVE, *some, status=204)

    def _global(self, call: ListCall, rest: list[str]) -> ListAnswer:
        listed = self.lists[GLOBAL]
        match call.method, rest:
            case "POST", []:
                return self._add(call, listed)
            case "GET", [address] if address:
                entry = listed.get(address)
                body = {"recipient_email": entry.address} if entry else {}
                return ListAnswer.about(CallKind.FIND, address, body=body)
            case "DELETE", [address] if address:
                # 204 for an address that is not there, other than for bounces.
                return self._remove(call, listed, address)
            case "DELETE", _:
                raise ListRefusal(404, "not found", kind=CallKind.EMPTY)
        raise ListRefusal(405, "method not allowed")

    def _in_group(self, call: ListCall, id_: str, rest: list[str]) -> ListAnswer:
        # A POST to a group that does not exist lands in the global list.
        known = self.lists.get(f"group:{id_}")
        match call.method, rest:
            case "POST", []:
                return self._add(call, self.lists[GLOBAL] if known is None else known)
            case "POST", ["search"]:
                self._known(id_)
                wanted = recipients(call)
                found = [one for one in wanted if known is not None and known.get(one)]
                return ListAnswer.about(CallKind.FIND, *wanted, body=found)
            case "GET", []:
                self._known(id_)
                return ListAnswer.about(CallKind.LIST, body=[one.address for one in known or ()])
            case "DELETE", [address] if address and known is not None:
                return self._remove(call, known, address)
            case "DELETE", _:
                raise ListRefusal(404, "not found", kind=CallKind.EMPTY)
        raise ListRefusal(405, "method not allowed")

    def _add(self, call: ListCall, listed: EntryList) -> ListAnswer:
        wanted = recipients(call)

        def add() -> None:
            for address in wanted:
                if listed.get(address) is None:
                    listed.add(ListedEntry(address=address, at=float(int(call.now))))

        self.later(call.now, add)
        body = {"recipient_emails": wanted}
        return ListAnswer.about(CallKind.ADD, *wanted, body=body, status=201)

    def _remove(self, call: ListCall, listed: EntryList, address: str) -> ListAnswer:
        self.later(call.now, _removing(listed, address))
        return ListAnswer.about(CallKind.REMOVE, address, status=204)

    def _known(self, id_: str) -> int:
        if not id_.isdecimal() or int(id_) not in self.groups:
            raise ListRefusal(404, "not found")
        return int(id_)

    def _group(self, id_: int) -> dict[str, Any]:
        return {
            "id": id_,
            "name": self.groups[id_],
            "description": self.groups[id_],
            "is_default": False,
            "unsubscribes": len(self.lists[f"group:{id_}"]),
        }

    def _of(self, id_: int, address: str) -> dict[str, Any]:
        suppressed = self.lists[f"group:{id_}"].get(address) is not None
        names = {"id": id_, "name": self.groups[id_], "description": self.groups[id_]}
        return {**names, "is_default": False, "suppressed": suppressed}

    def _pairs(self) -> Iterable[dict[str, Any]]:
        for id_, name in self.groups.items():
            for entry in self.lists[f"group:{id_}"]:
                about = {"group_id": id_, "group_name": name, "created_at": int(entry.at)}
                yield {"email": entry.address, **about}


def _named(address: str) -> str:
    if not address:
        raise ListRefusal(404, "not found")
    return address


def _removing(listed: EntryList, address: str) -> Callable[[], object]:
    return lambda: listed.remove(address)
