"""What is outside, as JSON for the page and for the test client."""

from typing import Any, Final

from sandbox.simulated_lists.entry_list import ListedEntry
from sandbox.simulated_providers import sendgrid_events, twilio_webhooks
from sandbox.simulated_providers.config import SimulatedContact
from sandbox.simulated_providers.inbox_state import Mail, StoredText
from sandbox.simulated_providers.simulation import Simulation
from sandbox.simulated_providers.webhook_sender import Sent

_LISTS: Final = {
    "bounces": "Bounces",
    "blocks": "Blocks",
    "invalid_emails": "Invalid addresses",
    "spam_reports": "Spam reports",
    "unsubscribes": "Unsubscribes",
}
_WHY: Final = {**twilio_webhooks.FAILURES, twilio_webhooks.OPTED_OUT: "The contact has opted out"}


def everybody(outside: Simulation) -> dict[str, Any]:
    """Without what each of them has: for choosing one."""
    given = outside.given
    return {
        "webhooks": given.webhooks,
        "people": [
            {"id": one.id, "name": one.name, "phone": one.phone, "email": one.email}
            for one in given.people
        ],
        "senders": [
            {"id": one.id, "name": one.name, "number": one.number, "toll_free": one.toll_free}
            for one in given.senders
        ],
        "sms_failures": [
            {"code": code, "why": why} for code, why in twilio_webhooks.FAILURES.items()
        ],
        "email_failures": [
            {"code": code, "why": why} for code, (why, _) in sendgrid_events.FAILURES.items()
        ],
        "advanced_opt_out": given.advanced_opt_out,
        "flood": outside.flood.as_dict() if outside.flood else None,
    }


def contact(outside: Simulation, one: SimulatedContact) -> dict[str, Any]:
    """Their phone and their mailbox."""
    return {
        "id": one.id,
        "name": one.name,
        "phone": one.phone,
        "email": one.email,
        "threads": {
            sender.id: {
                "blocked": outside.phones.is_blocked(one.phone, sender),
                "texts": [_text(text) for text in outside.phones.thread(one.phone, sender)],
            }
            for sender in (outside.given.senders if one.phone else ())
        },
        "mails": [
            _mail(outside, mail) for mail in (outside.mailboxes.mails(one) if one.email else ())
        ],
        "suppressed": outside.mailboxes.suppressed(one),
        "lists": [
            {"id": name, "name": list_name(outside, name), "at": entry.at, "why": _why(entry)}
            for name, entry in outside.mailboxes.listed(one)
        ],
    }


def list_name(outside: Simulation, name: str) -> str:
    """As SendGrid's console calls the list."""
    kind, _, group = name.partition(":")
    return f"Group {outside.sendgrid.groups[int(group)]}" if group else _LISTS[kind]


def _why(entry: ListedEntry) -> str:
    return str(entry.facts.get("reason", ""))


def sent(what: Sent | None) -> dict[str, Any] | None:
    if what is None:
        return None
    return {"status": what.status, "failure": what.failure, "ms": what.ms, "tries": what.tries}


def _text(text: StoredText) -> dict[str, Any]:
    return {
        "id": text.id,
        "at": text.at,
        "by": text.by,
        "body": text.body,
        "status": text.status,
        "code": text.code,
        "why": _WHY.get(text.code, ""),
        "told": sent(text.told),
    }


def _mail(outside: Simulation, mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "at": mail.at,
        "subject": mail.subject,
        "body": mail.body,
        "link": outside.given.public_url + mail.link,
        "page": outside.given.webhooks + mail.link,
        "status": mail.status,
        "reason": mail.reason,
        "arrived": mail.arrived,
        "told": sent(mail.told),
    }
