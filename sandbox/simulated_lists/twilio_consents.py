"""Twilio's Consent Management API (a pilot), which can only be written.

https://www.twilio.com/docs/messaging/features/consent-api
https://www.twilio.com/docs/api/errors/30646
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import SimulatedListApi
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal

ACCOUNT: Final = "AC00000000000000000000000000000001"
_MOST: Final = 25
_FAILED: Final = 30646
_OUT: Final = "opt-out"
_FIELDS: Final[Mapping[str, tuple[str, re.Pattern[str]]]] = {
    "correlation_id": ("INVALID_CORRELATION_ID", re.compile(r"[0-9a-f]{32}")),
    "sender_id": ("INVALID_SENDER_ID", re.compile(r"MG[0-9a-f]{32}|\+[1-9]\d{6,14}")),
    "contact_id": ("INVALID_CONTACT_ID", re.compile(r"\+[1-9]\d{6,14}")),
    "status": ("INVALID_STATUS", re.compile(rf"opt-in|{_OUT}")),
    "source": (
        "INVALID_SOURCE",
        re.compile("website|offline|opt-in-message|opt-out-message|others"),
    ),
}


class SimulatedTwilioConsents(SimulatedListApi):
    """The list of a sender holds the numbers that are opted out from it."""

    name = "twilio"
    #: Basic authentication: the account and this token.
    first_key: ClassVar[str] = "sandbox-token"
    first_lists = ()
    first_rate = (100, 60.0)

    def clear(self) -> None:
        super().clear()
        #: Whether the account takes part in the pilot.
        self.available = True
        #: Senders whose blocks the network holds: an opt-in does not lift them.
        self.toll_free: set[str] = set()

    def settings(self, body: Mapping[str, Any]) -> None:
        """Reads {"available": false, "toll_free": ["+1888…"]}."""
        self.available = bool(body.get("available", self.available))
        self.toll_free.update(body.get("toll_free", ()))

    def listed(self, name: str) -> EntryList:
        return self.lists.setdefault(name, EntryList())

    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        codes = {401: 20003, 404: 20404, 405: 20004, 429: 20429}
        code = codes.get(refusal.status, 20001)
        body = {"code": code, "message": refusal.message, "status": refusal.status}
        return ListAnswer(status=refusal.status, body=body)

    def do(self, call: ListCall) -> ListAnswer:
        user, token = call.basic
        if user != ACCOUNT or token not in self.keys:
            raise ListRefusal(401, "Authenticate")
        if call.segments != ("v1", "Consents", "Bulk") or not self.available:
            raise ListRefusal(404, "The requested resource was not found")
        if call.method != "POST":
            kind = CallKind.EMPTY if call.method == "DELETE" else CallKind.OTHER
            raise ListRefusal(405, "Method not allowed", kind=kind)
        if not call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise ListRefusal(415, "Unsupported media type")
        values = [value for name, value in call.form() if name == "Items"]
        if not 1 <= len(values) <= _MOST:
            raise ListRefusal(400, f"Items must have from 1 to {_MOST} values")
        try:
            items = [dict(json.loads(value)) for value in values]
        except (TypeError, ValueError):
            raise ListRefusal(400, "Items must be JSON objects") from None
        results = [self._upsert(item, call.now) for item in items]
        # One call may hold both; tests count it by what the first of them does.
        kind = CallKind.ADD if items[0].get("status") == _OUT else CallKind.REMOVE
        addresses = [str(item.get("contact_id")) for item in items]
        return ListAnswer.about(kind, *addresses, body={"items": results}, status=201)

    def _upsert(self, item: Mapping[str, Any], now: float) -> dict[str, Any]:
        problems = [
            problem
            for name, (problem, form) in _FIELDS.items()
            if not isinstance(item.get(name), str) or not form.fullmatch(item[name])
        ]
        if not problems and self.fails(item["contact_id"]):
            problems = ["INTERNAL_SERVER_ERROR"]
        if not problems:
            self.later(now, lambda: self._store(item, now))
        return {
            "correlation_id": item.get("correlation_id"),
            "error_code": _FAILED if problems else 0,
            "error_messages": problems,
        }

    def _store(self, item: Mapping[str, Any], now: float) -> None:
        listed, number = self.listed(item["sender_id"]), item["contact_id"]
        if item["status"] == _OUT:
            if listed.get(number) is None:
                listed.add(ListedEntry(address=number, at=now, facts={"source": item["source"]}))
        elif item["sender_id"] not in self.toll_free:
            listed.remove(number)
