"""Telnyx's error codes for messages.

https://developers.telnyx.com/docs/messaging/messages/error-codes
"""

from __future__ import annotations

from typing import Any

from bot.consent.events import Failure
from handlers.webhooks.error_codes import Codes, Meaning, meaning
from handlers.webhooks.payload_parsing import text_at

#: The code of an opt-out, if its words say so.
OPTED_OUT = "40300"
#: The classes are those of rules.md §7. Codes that it does not list follow Telnyx's description.
CODES: Codes = {
    OPTED_OUT: (Failure.OPT_OUT, "The contact has opted out of this messaging profile."),
    "40001": (Failure.HARD, "The number is a landline, or nothing can be routed to it."),
    "40012": (Failure.HARD, "The carrier says that the number is not valid."),
    "40310": (Failure.HARD, "The number is not valid."),
    "40005": (Failure.SOFT, "The message expired on its way."),
    "40006": (Failure.SOFT, "The carrier could not be reached."),
    "40014": (Failure.SOFT, "The message waited too long and expired."),
    "40004": (Failure.AMBIGUOUS, "The carrier or the contact rejected the message."),
    "40008": (Failure.AMBIGUOUS, "The message could not be delivered, for no reason given."),
    "40301": (Failure.OURS, "Our kind of number can't send this to the contact's number."),
    "40319": (Failure.OURS, "Our number and the contact's do not take the same messages."),
    "40002": (Failure.OURS, "The carrier filtered the message as spam, for now."),
    "40003": (Failure.OURS, "The carrier has blocked our number."),
    "40009": (Failure.OURS, "The message can't be sent as it is."),
    "40010": (Failure.OURS, "Our number is not registered for US texts (A2P 10DLC)."),
    "40011": (Failure.OURS, "We sent faster than the carrier takes."),
    "40013": (Failure.OURS, "The carrier says that our number is not valid as a sender."),
    "40015": (Failure.OURS, "Telnyx filtered the message as spam."),
    "40016": (Failure.OURS, "Our campaign has reached its limit at T-Mobile."),
    "40017": (Failure.OURS, "AT&T took the message for spam."),
    "40018": (Failure.OURS, "Our campaign has reached its limit at AT&T."),
    "40019": (Failure.OURS, "Our campaign's registration does not fit our number."),
    "40020": (Failure.OURS, "Telnyx holds our messages back for a day, as artificial traffic."),
    "40100": (Failure.OURS, "Our number has no messaging."),
    "40150": (Failure.OURS, "Our toll-free number is not in the registry."),
    "40151": (Failure.OURS, "Another provider is setting up messaging for our number."),
    "40155": (Failure.OURS, "Telnyx needs our letter of authorization for this number."),
    "40302": (Failure.OURS, "Our message was too long."),
    "40304": (Failure.OURS, "Our message mixed the parts of a text and of media."),
    "40305": (Failure.OURS, "Our number does not belong to the messaging profile."),
    "40306": (Failure.OURS, "Our messaging profile has no sender name."),
    "40307": (Failure.OURS, "Our sender name is not the messaging profile's."),
    "40308": (Failure.OURS, "Our number can't send media."),
    "40309": (Failure.OURS, "Our messaging profile may not send to this country."),
    "40311": (Failure.OURS, "Our messaging profile's secret was wrong."),
    "40312": (Failure.OURS, "Our messaging profile is switched off."),
    "40313": (Failure.OURS, "Our messaging profile's secret was missing."),
    "40314": (Failure.OURS, "Our Telnyx account may not send messages."),
    "40315": (Failure.OURS, "Our number has too many failures or spam reports."),
    "40316": (Failure.OURS, "Our message was empty."),
    "40317": (Failure.OURS, "Our media were too many or too large."),
    "40318": (Failure.OURS, "Our queue at Telnyx is full."),
    "40320": (Failure.OURS, "Our number can't send for now: it is being set up."),
    "40321": (Failure.OURS, "Our number pool has no number that can send."),
    "40322": (Failure.OURS, "Our message had content that is forbidden."),
    "40323": (Failure.OURS, "Messaging could not be switched on for our number."),
    "40325": (Failure.OURS, "Our sender name is not valid."),
    "40328": (Failure.OURS, "Our text has too many parts."),
    "40329": (Failure.OURS, "Our toll-free number is not verified."),
    "40330": (Failure.OURS, "Our toll-free number is not set up yet."),
    "40331": (Failure.OURS, "Our messaging profile has no country that it may send to."),
    "40333": (Failure.OURS, "Our messaging profile has reached its spending limit."),
}
#: What an opt-out is called in the title or the detail of code 40300; with other words the vendor's
#: own texts disagree over what it means.
_OPTED_OUT = ("stop", "block rule", "opted out", "opt-out", "opt out")
_REJECTED: Meaning = (Failure.SOFT, "The message was rejected, for no reason that is known.")
_NOT_ALLOWED: Meaning = (Failure.OURS, "Telnyx does not let us send this message.")


def error_meaning(error: Any) -> Meaning:
    """What one of a report's errors means."""
    code = text_at(error, "code")
    if code == OPTED_OUT:
        said = f"{text_at(error, 'title')} {text_at(error, 'detail')}".lower()
        return CODES[code] if any(word in said for word in _OPTED_OUT) else _REJECTED
    if code.startswith("403") and code not in CODES:
        return _NOT_ALLOWED
    return meaning(CODES, code)
