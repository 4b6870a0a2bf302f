"""Twilio's webhooks as they come over the wire: forms, signed over the public address.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from sandbox.simulated_providers.carrier import Word
from sandbox.simulated_providers.config import SimulatedSender

INBOUND: Final = "/webhooks/twilio/inbound"
STATUS: Final = "/webhooks/twilio/status"
ACCOUNT: Final = "AC00000000000000000000000000000001"

#: How sending to a phone may fail, and the sentence beside it on the page.
FAILURES: Final[Mapping[str, str]] = {
    "30005": "Unknown number",
    "30006": "Landline",
    "30003": "Phone off or out of reach",
    "30008": "Unknown error",
    "30007": "Filtered by the carrier",
    "30004": "Blocked",
    "30034": "Our number is not registered",
}
OPTED_OUT: Final = "21610"


def new_sid() -> str:
    return f"SM{uuid.uuid4().hex}"


def inbound(
    sid: str, phone: str, sender: SimulatedSender, text: str, marker: Word | None
) -> dict[str, str]:
    """A text of a contact. Blank values are sent, as Twilio does, and are signed too."""
    country = "US" if phone.startswith("+1") else ""
    return {
        "ToCountry": "US",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": text,
        "FromCountry": country,
        "To": sender.number,
        **_service(sender),
        "ToZip": "",
        "NumSegments": str(max(1, -(-len(text) // 160))),
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": phone,
        "ApiVersion": "2010-04-01",
        **({"OptOutType": str(marker)} if marker else {}),
    }


def status(
    sid: str, phone: str, sender: SimulatedSender, word: str, code: str = ""
) -> dict[str, str]:
    """What became of a text to a contact. `word` is Twilio's status, such as "delivered"."""
    return {
        **({"ErrorCode": code} if code else {}),
        "SmsSid": sid,
        "SmsStatus": word,
        "MessageStatus": word,
        "To": phone,
        **_service(sender),
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": sender.number,
        "ApiVersion": "2010-04-01",
    }


def signed(auth_token: str, url: str, form: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Body and headers. `url` is the public one, down to its query."""
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return urlencode(form).encode(), {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
        "Accept": "*/*",
        "X-Twilio-Signature": base64.b64encode(digest).decode(),
        # The same in every try.
        "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
    }


def _service(sender: SimulatedSender) -> dict[str, str]:
    return {"MessagingServiceSid": sender.id} if sender.id.startswith("MG") else {}
