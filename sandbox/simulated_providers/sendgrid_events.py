"""SendGrid's event webhook as it comes over the wire: batches, signed with its private key.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

EVENTS: Final = "/webhooks/sendgrid/events"

#: How an e-mail may come back: the sentence on the page, and what SendGrid says of it.
FAILURES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "5.1.1": (
        "No such mailbox",
        {
            "type": "bounce",
            "reason": "550 5.1.1 The email account that you tried to reach does not exist",
            "bounce_classification": "Invalid Address",
        },
    ),
    "5.2.2": (
        "Mailbox full",
        {
            "type": "blocked",
            "reason": "552 5.2.2 The email account that you tried to reach is over quota",
            "bounce_classification": "Mailbox Unavailable",
        },
    ),
    "5.7.1": (
        "Refused: our reputation",
        {
            "type": "blocked",
            "reason": "550 5.7.1 Service unavailable; client host blocked using blocklist",
            "bounce_classification": "Reputation",
        },
    ),
}
#: Why SendGrid does not even try, in its own words.
BOUNCED: Final = "Bounced Address"
REPORTED: Final = "Spam Reporting Address"
UNSUBSCRIBED: Final = "Unsubscribed Address"


def event(kind: str, mailbox: str, message: str, stamp: int, **more: Any) -> dict[str, Any]:
    """One event of a batch. `message` is the e-mail's id, `stamp` in seconds."""
    return {
        "email": mailbox,
        "timestamp": stamp,
        "smtp-id": f"<{message}@ismtpd-555>",
        "event": kind,
        "category": ["spring-offers"],
        "sg_event_id": secrets.token_urlsafe(22),
        "sg_message_id": f"{message}.filter0001.16648.5515E0B88.0",
        **more,
    }


def bounce(mailbox: str, message: str, stamp: int, status: str) -> dict[str, Any]:
    """`status` is one of `FAILURES`."""
    return event("bounce", mailbox, message, stamp, status=status, **FAILURES[status][1])


def signed(
    key: ec.EllipticCurvePrivateKey, events: Sequence[Mapping[str, Any]], stamp: int
) -> tuple[bytes, dict[str, str]]:
    """Body and headers. The line ends are SendGrid's, and the signature covers them."""
    lines = ",\r\n".join(json.dumps(one, separators=(",", ":")) for one in events)
    body = f"[{lines}]\r\n".encode()
    signature = key.sign(str(stamp).encode() + body, ec.ECDSA(SHA256()))
    return body, {
        "Content-Type": "application/json",
        "User-Agent": "SendGrid Event API",
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": str(stamp),
    }
