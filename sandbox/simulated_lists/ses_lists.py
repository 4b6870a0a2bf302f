"""Amazon SES's account-level suppression list (API v2).

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_ListSuppressedDestinations.html
https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
"""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import SimulatedListApi, may, valid
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal
from sandbox.simulated_lists.sigv4 import check_signature

LIST: Final = "suppression"
_REASONS: Final = ("BOUNCE", "COMPLAINT")
_MOST: Final = 1_000
_GONE: Final = "Email address {} does not exist on your suppression list."
_ACTIONS: Final[Mapping[tuple[str, bool], str]] = {
    ("GET", False): "ses:ListSuppressedDestinations",
    ("GET", True): "ses:GetSuppressedDestination",
    ("PUT", False): "ses:PutSuppressedDestination",
    ("DELETE", True): "ses:DeleteSuppressedDestination",
}


class SimulatedSes(SimulatedListApi):
    """An entry is found by its exact spelling alone, although mail is held back in any case."""

    name = "ses"
    #: The access key; its secret is "sandbox-secret".
    first_key: ClassVar[str] = "AKIASANDBOX"
    first_lists = (LIST,)
    exact = True

    def clear(self) -> None:
        super().clear()
        self.secrets = {self.first_key: "sandbox-secret"}
        self.region = "us-east-1"
        self.reasons = list(_REASONS)
        #: Tokens of another generation are not known any more.
        self.generation = 0

    def settings(self, body: Mapping[str, Any]) -> None:
        """Reads {"secrets": {"AKIA…": "…"}, "region": "eu-west-1", "reasons": ["BOUNCE"],
        "forget_tokens": true}."""
        self.secrets.update(body.get("secrets", {}))
        self.region = str(body.get("region", self.region))
        self.reasons = list(body.get("reasons", self.reasons))
        self.generation += bool(body.get("forget_tokens"))

    def foreign(self, now: float) -> SimulatedListApi:
        other = super().foreign(now)
        assert isinstance(other, SimulatedSes)
        other.secrets, other.region = self.secrets, self.region
        return other

    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        code = refusal.code or {429: "TooManyRequestsException"}.get(
            refusal.status, "BadRequestException"
        )
        return ListAnswer(
            status=refusal.status,
            body={"message": refusal.message},
            headers={"x-amzn-ErrorType": code},
        )

    def do(self, call: ListCall) -> ListAnswer:
        key = check_signature(call, self.secrets, self.region)
        match call.segments:
            case "v2", "email", "account":
                self._may(key, "ses:GetAccount")
                return ListAnswer(
                    body={
                        "ProductionAccessEnabled": True,
                        "SendingEnabled": True,
                        "EnforcementStatus": "HEALTHY",
                        "SuppressionAttributes": {"SuppressedReasons": self.reasons},
                    }
                )
            case "v2", "email", "suppression", "addresses", *rest:
                return self._on_list(call, key, rest[0] if rest else "")
        raise _unknown(CallKind.OTHER)

    def _may(self, key: str, action: str) -> None:
        if not may(self.keys.get(key, frozenset()), action):
            message = f"User: arn:aws:iam::000000000000:user/sandbox may not perform {action}"
            raise ListRefusal(403, message, code="AccessDeniedException")

    def _on_list(self, call: ListCall, key: str, address: str) -> ListAnswer:
        listed, action = self.lists[LIST], _ACTIONS.get((call.method, bool(address)))
        if action is None:
            raise _unknown(CallKind.EMPTY if call.method == "DELETE" else CallKind.OTHER)
        self._may(key, action)
        if call.method == "PUT":
            return self._put(call, listed)
        if not address:
            return self._page(call, listed)
        entry = listed.get(address)
        kind = CallKind.FIND if call.method == "GET" else CallKind.REMOVE
        if entry is None:
            raise ListRefusal(
                404,
                _GONE.format(address),
                code="NotFoundException",
                kind=kind,
                addresses=[address],
            )
        if kind is CallKind.FIND:
            return ListAnswer.about(kind, address, body={"SuppressedDestination": _shown(entry)})
        self.later(call.now, lambda: listed.remove(address))
        return ListAnswer.about(kind, address, body={})

    def _put(self, call: ListCall, listed: EntryList) -> ListAnswer:
        body = call.json()
        address, reason = body.get("EmailAddress"), body.get("Reason")
        if not valid(address) or reason not in _REASONS:
            raise ListRefusal(400, "EmailAddress and Reason are required.")
        entry = ListedEntry(address=address, at=call.now, facts={"Reason": reason})
        self.later(call.now, lambda: listed.add(entry))
        return ListAnswer.about(CallKind.ADD, address, body={})

    def _page(self, call: ListCall, listed: EntryList) -> ListAnswer:
        args, size = call.args, call.number("PageSize", _MOST)
        if not 1 <= size <= _MOST:
            raise ListRefusal(400, f"PageSize must be from 1 to {_MOST}.")
        filters: dict[str, str] = {
            name: args[name] for name in ("Reason", "StartDate", "EndDate") if name in args
        }
        begin = self._position(args["NextToken"], filters) if "NextToken" in args else ""
        start = _time(filters.get("StartDate"), -math.inf)
        end = _time(filters.get("EndDate"), math.inf)
        reason = filters.get("Reason")
        most = size + 1 if not filters else len(listed)
        found = [
            one
            for one in listed.after(begin, most)
            if start <= one.at <= end and reason in (None, _reason(one))
        ]
        page = found[:size]
        body: dict[str, Any] = {"SuppressedDestinationSummaries": [_shown(one) for one in page]}
        if len(found) > size:
            body["NextToken"] = self._token(page[-1].address, filters)
        return ListAnswer.about(CallKind.LIST, body=body)

    def _token(self, address: str, filters: Mapping[str, str]) -> str:
        text = json.dumps([self.generation, address, filters])
        return base64.urlsafe_b64encode(text.encode()).decode()

    def _position(self, token: str, filters: Mapping[str, str]) -> str:
        try:
            generation, address, its_filters = json.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            raise ListRefusal(400, "The NextToken is invalid.") from None
        if generation != self.generation or its_filters != filters:
            raise ListRefusal(400, "The NextToken is invalid or has expired.")
        return str(address)


def _reason(entry: ListedEntry) -> str:
    return str(entry.facts.get("Reason", "BOUNCE"))


def _shown(entry: ListedEntry) -> dict[str, Any]:
    shown = {"EmailAddress": entry.address, "Reason": _reason(entry)}
    return {**shown, "LastUpdateTime": round(entry.at, 3)}


def _time(text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ListRefusal(400, "Dates are in ISO 8601.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _unknown(kind: CallKind) -> ListRefusal:
    return ListRefusal(404, "Unknown operation", code="UnknownOperationException", kind=kind)
