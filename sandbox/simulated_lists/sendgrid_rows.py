"""What stands on SendGrid's lists, in its words, and who is meant by a call."""

import re
from typing import Any, Final

from sandbox.simulated_lists.entry_list import EntryList, ListedEntry
from sandbox.simulated_lists.list_api import valid
from sandbox.simulated_lists.list_call import ListCall, ListRefusal

#: The lists that hold an address for a reason of the receiving side.
PLAIN: Final = ("bounces", "blocks", "invalid_emails", "spam_reports")
#: Who unsubscribed from everything.
GLOBAL: Final = "unsubscribes"


def shown(entry: ListedEntry, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {"created": int(entry.at), "email": entry.address}
    if name == "bounces":
        return {**row, "reason": "", "status": "", **entry.facts}
    if name == "spam_reports":
        return {**row, "ip": "203.0.113.7", **entry.facts}
    return row if name == GLOBAL else {**row, "reason": "", **entry.facts}


def matching(listed: EntryList, wanted: str) -> list[ListedEntry]:
    """Whatever begins like this, with % for anything in between: one address is more than one."""
    if "%" not in wanted:
        return listed.beginning(wanted, len(listed))
    pattern = re.compile(".*".join(map(re.escape, wanted.casefold().split("%"))), re.DOTALL)
    return [entry for entry in listed if pattern.match(entry.address.casefold())]


def recipients(call: ListCall) -> list[str]:
    body = call.json()
    wanted = body.get("recipient_emails") if isinstance(body, dict) else None
    if not isinstance(wanted, list) or not wanted:
        raise ListRefusal(400, "recipient_emails is required", code="recipient_emails")
    for address in wanted:
        if not valid(address):
            raise ListRefusal(400, f"invalid email address {address}", code="recipient_emails")
    return list(dict.fromkeys(wanted))
