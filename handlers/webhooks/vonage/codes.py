"""Vonage's error codes, of its two interfaces.

https://developer.vonage.com/en/api-errors/messages
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
"""

from __future__ import annotations

from bot.consent.events import Failure
from handlers.webhooks.meanings import Codes

#: `error.title` of the Messages API.
MESSAGES: Codes = {
    "1240": (Failure.OPT_OUT, "The contact has opted out of this sender."),
    "1170": (Failure.HARD, "The number is not valid, or not in service."),
    "1190": (Failure.HARD, "The number is not in service any more."),
    "1260": (Failure.HARD, "Nothing can be delivered to this number."),
    "1280": (Failure.HARD, "The number can't get texts."),
    "1300": (Failure.HARD, "The number is not valid, or not in service."),
    "1180": (Failure.SOFT, "The handset is off or out of reach."),
    "1220": (Failure.SOFT, "The contact's network refused the message."),
    "1230": (Failure.SOFT, "The contact's handset could not take the message."),
    "1290": (Failure.SOFT, "The carrier did not say why it failed."),
    "1330": (Failure.SOFT, "The carrier did not say why it failed."),
    "1000": (Failure.OURS, "We sent too much at a time."),
    "1010": (Failure.OURS, "Our request lacked something that Vonage needs."),
    "1020": (Failure.OURS, "Our request had something that Vonage does not take."),
    "1060": (Failure.OURS, "Our Vonage account may not send this message."),
    "1070": (Failure.OURS, "Our Vonage account has no credit left."),
    "1120": (Failure.OURS, "Our number can't be used as a sender."),
    "1210": (Failure.OURS, "The carrier filtered the message."),
    "1250": (Failure.OURS, "Our sender is not registered or not allowed there."),
}

#: `err-code` of the SMS API.
RECEIPTS: Codes = {
    "9": (Failure.OPT_OUT, "The contact has opted out of this sender."),
    "3": (Failure.HARD, "The number is not in service any more."),
    "4": (Failure.HARD, "The contact's line is barred from texts."),
    "12": (Failure.HARD, "Nothing can be delivered to this number."),
    "14": (Failure.HARD, "The number is not valid, or not in service."),
    "1": (Failure.SOFT, "The carrier did not say why it failed."),
    "2": (Failure.SOFT, "The handset is off or out of reach."),
    "5": (Failure.SOFT, "The number was being moved to another carrier."),
    "7": (Failure.SOFT, "The contact's handset could not take the message."),
    "8": (Failure.SOFT, "The contact's network had a fault."),
    "13": (Failure.SOFT, "The contact's network refused the message for now."),
    "15": (Failure.SOFT, "The message expired, or the network refused it."),
    "99": (Failure.SOFT, "The carrier did not say why it failed."),
    "6": (Failure.OURS, "The carrier filtered the message."),
    "10": (Failure.OURS, "Our sender is not allowed there."),
    "11": (Failure.OURS, "Our message was not valid for the carrier."),
    "50": (Failure.OURS, "An entity of our registration is missing or wrong."),
    "51": (Failure.OURS, "Our sender is not registered for this content."),
    "52": (Failure.OURS, "Our sender is not registered."),
    "53": (Failure.OURS, "Our message is none of our registered templates."),
    "54": (Failure.OURS, "Our registration does not fit this number."),
}
