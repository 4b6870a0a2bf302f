"""Twilio's error codes. https://www.twilio.com/docs/api/errors

The classes are rules.md §7's; 30018, 30024 and 30025 are providers.md's.
"""

from __future__ import annotations

from bot.consent.events import Failure
from handlers.webhooks.meanings import Codes

CODES: Codes = {
    "21610": (Failure.OPT_OUT, "The contact has opted out of this sender."),
    "63014": (Failure.OPT_OUT, "The contact has blocked this sender."),
    "21211": (Failure.HARD, "The number is not valid."),
    "21214": (Failure.HARD, "The number can't be reached."),
    "21217": (Failure.HARD, "The number is not valid."),
    "21614": (Failure.HARD, "The number is no mobile number."),
    "21635": (Failure.HARD, "The number is a landline."),
    "30005": (Failure.HARD, "The handset is unknown: the number is not in service."),
    "30006": (Failure.HARD, "The number is a landline, or its carrier can't be reached."),
    "30001": (Failure.SOFT, "Twilio's queue overflowed."),
    "30003": (Failure.SOFT, "The handset is off or out of reach."),
    "30008": (Failure.SOFT, "The carrier did not say why it failed."),
    "30009": (Failure.SOFT, "A part of the message went missing."),
    "30017": (Failure.SOFT, "The carrier's network is congested."),
    "30036": (Failure.SOFT, "The message expired before it could be delivered."),
    "30410": (Failure.SOFT, "The provider did not answer in time."),
    "30500": (Failure.SOFT, "Twilio had a fault of its own."),
    "21612": (Failure.ROUTE, "Twilio has no route from this sender to this number."),
    "20003": (Failure.OURS, "Twilio refused our credentials."),
    "20429": (Failure.OURS, "We sent too much at a time."),
    "21408": (Failure.OURS, "Our Twilio account may not send to this country."),
    "21606": (Failure.OURS, "Our number can't send texts."),
    "21608": (Failure.OURS, "Our trial account may only text verified numbers."),
    "21611": (Failure.OURS, "Our number has too many messages waiting."),
    "30002": (Failure.OURS, "Our Twilio account is suspended."),
    "30007": (Failure.OURS, "The carrier filtered the message."),
    "30010": (Failure.OURS, "The message cost more than our highest price."),
    "30011": (Failure.OURS, "Our number can't send media in this region."),
    "30012": (Failure.OURS, "The message's time to live is not possible."),
    "30018": (Failure.OURS, "The carrier wants our sender registered first."),
    "30019": (Failure.OURS, "The message was too big for the carrier."),
    "30022": (Failure.OURS, "Our campaign sends more than its carrier allows."),
    "30023": (Failure.OURS, "Our brand has sent its daily limit."),
    "30024": (Failure.OURS, "Our number is not provisioned for its campaign."),
    "30025": (Failure.OURS, "Our campaign lies outside what it was registered for."),
    "30026": (Failure.OURS, "Our number sends in a way that its carrier does not allow."),
    "30027": (Failure.OURS, "Our campaign has sent its daily limit at T-Mobile."),
    "30032": (Failure.OURS, "Our toll-free number is not verified."),
    "30034": (Failure.OURS, "Our number is not registered for US texts (A2P 10DLC)."),
    "30004": (Failure.AMBIGUOUS, "The message is blocked, by the carrier or by the contact."),
}
