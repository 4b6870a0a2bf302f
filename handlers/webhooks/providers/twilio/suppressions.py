"""Twilio's Consent Management API, a pilot: opt-outs can be added, and nothing can be read.

https://www.twilio.com/docs/messaging/features/consent-api
https://twilio.com/docs/messaging/features/bulk-upsert-consents-api
Only the contact's own UNSTOP lifts a block.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from bot.consent.suppressions import ListedAddress
from handlers.suppression_lists.address_paths import checked_number
from handlers.suppression_lists.basic_auth import basic_auth
from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.list_entries import account_hash, rows_in
from handlers.suppression_lists.provider_lists import (
    Added,
    AddressRefused,
    ListCheck,
    ListPage,
    ListsForbidden,
)
from handlers.webhooks.payload_parsing import at, list_at, text_at
from handlers.webhooks.providers.twilio.webhook import Twilio

_PATH = "/v1/Consents/Bulk"
#: The most items that one call takes.
_ITEMS = 25
#: What Twilio may take later.
_LATER = "INTERNAL_SERVER_ERROR"
_KEY = (
    "Check OPTIN_TWILIO_ACCOUNT_SID and OPTIN_TWILIO_AUTH_TOKEN. If they are right, the account is "
    "not in Twilio's Consent Management pilot: leave OPTIN_TWILIO_CONSENT out until it is."
)


class TwilioConsents:
    """The opt-outs of one account's senders. A number that is added is opted out from each."""

    name: ClassVar[str] = Twilio.name
    most_added: ClassVar[int] = _ITEMS
    readable: ClassVar[bool] = False

    def __init__(
        self, *, account_sid: str, auth_tokens: Sequence[str], senders: Sequence[str], api_url: str
    ) -> None:
        """`senders` are numbers and messaging services. Of several tokens the first that holds."""
        self.account = account_hash(self.name, account_sid, api_url, *sorted(senders))
        self._senders = senders
        self._tokens = list(auth_tokens)
        self._calls = ListCalls(
            label="Twilio",
            api_url=api_url,
            headers=lambda _: basic_auth(account_sid, self._tokens[0]),
            forbidden=_KEY,
        )

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """Nothing: there is no read."""
        yield ListPage(next=None)

    def find(self, address: str) -> Sequence[ListedAddress]:
        """Nothing."""
        return ()

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """For each sender. To send it again changes nothing."""
        items = [(one, sender) for one in addresses if _is_number(one) for sender in self._senders]
        problems: dict[str, str] = {}
        for start in range(0, len(items), _ITEMS):
            problems |= self._send(items[start : start + _ITEMS])
        return [_added(one, problems) for one in addresses]

    def _send(self, items: Sequence[tuple[str, str]]) -> dict[str, str]:
        """What was wrong with each number, in Twilio's words; a 200 may hold failures."""
        numbers = {_correlation(*item): item[0] for item in items}
        form = [("Items", json.dumps(_item(*item))) for item in items]
        told = rows_in(self._answer(form), "items", "Twilio")
        results = {text_at(row, "correlation_id"): row for row in told}
        return {
            number: problem
            for id_, number in numbers.items()
            if (problem := _problem(results.get(id_)))
        }

    def _answer(self, form: Sequence[tuple[str, str]]) -> Any:
        for _ in self._tokens[1:]:
            try:
                return self._sent(form)
            except ListsForbidden:
                # Last the next time.
                self._tokens.append(self._tokens.pop(0))
        return self._sent(form)

    def _sent(self, form: Sequence[tuple[str, str]]) -> Any:
        # An account outside the pilot gets a 404.
        return self._calls.send("POST", _PATH, form=form, denied={404}).content

    def remove(self, entry: ListedAddress) -> None:
        """Raises `AddressRefused`: only the contact lifts a block."""
        raise AddressRefused("can't be taken off at Twilio: the contact texts UNSTOP")

    def check(self) -> Iterator[ListCheck]:
        """Nothing can be asked without a write."""
        count = len(self._senders)
        senders = "1 sender" if count == 1 else f"{count} senders"
        yield ListCheck(
            what=f"Opt-outs are added to Twilio's consents for {senders}. Twilio's pilot shows no "
            "list, so that nothing can be compared."
        )


def _is_number(address: str) -> bool:
    try:
        return bool(checked_number(address))
    except AddressRefused:
        return False


def _item(number: str, sender: str) -> dict[str, str]:
    return {
        "contact_id": number,
        "correlation_id": _correlation(number, sender),
        "sender_id": sender,
        "status": "opt-out",
        "source": "others",
    }


def _correlation(number: str, sender: str) -> str:
    """32 characters, the same at each attempt."""
    return hashlib.sha256(f"{number}\0{sender}".encode()).hexdigest()[:32]


def _problem(result: Any) -> str:
    if result is None:
        return _LATER
    if at(result, "error_code") in (0, "0"):
        return ""
    words = [one for one in list_at(result, "error_messages") if isinstance(one, str)]
    codes = [one for one in words if one.replace("_", "").isalpha() and one.isupper()]
    return codes[0] if codes else _LATER


def _added(address: str, problems: dict[str, str]) -> Added:
    if not _is_number(address):
        return Added(address=address, problem="is not a phone number in E.164")
    problem = problems.get(address, "")
    if not problem:
        return Added(address=address)
    return Added(
        address=address, problem=f"was refused by Twilio ({problem})", again=problem == _LATER
    )
