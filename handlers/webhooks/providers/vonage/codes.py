"""The error codes of Vonage's two interfaces.

https://developer.vonage.com/en/api-errors/messages
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
https://api.support.vonage.com/hc/en-us/articles/204014733

The classes are those of rules.md §7. Codes that it does not list follow Vonage's description.
On a channel other than SMS, a failure of the number counts as one of the route: the number may
still get texts.
"""

from __future__ import annotations

from bot.consent.events import Failure
from handlers.webhooks.error_codes import Codes

#: `error.title` of the Messages API.
MESSAGES: Codes = {
    "1240": (Failure.OPT_OUT, "The contact has opted out of this sender."),
    "1170": (Failure.HARD, "The number is missing or not valid."),
    "1190": (Failure.HARD, "The number is not in service any more."),
    "1260": (Failure.HARD, "Nothing can be delivered to this number."),
    "1280": (Failure.HARD, "The carrier blocks texts to this number."),
    "1300": (Failure.HARD, "The network does not know this number."),
    "1180": (Failure.SOFT, "The handset is off or out of reach."),
    "1200": (Failure.SOFT, "The number is being moved to another carrier."),
    "1220": (Failure.SOFT, "The contact's handset was busy."),
    "1230": (Failure.SOFT, "The contact's network had a fault."),
    "1270": (Failure.SOFT, "The carrier refuses this content because of the contact's age."),
    "1290": (Failure.SOFT, "The contact's prepaid account has no credit for it."),
    "1330": (Failure.SOFT, "The carrier did not say why it failed."),
    "1360": (Failure.SOFT, "The message expired before it could be delivered."),
    "1310": (Failure.ROUTE, "The contact's device can't show this kind of message."),
    "1000": (Failure.OURS, "We sent too much at a time."),
    "1010": (Failure.OURS, "Our request lacked something that Vonage needs."),
    "1020": (Failure.OURS, "Our request had something that Vonage does not take."),
    "1021": (Failure.OURS, "Our request had a tag that is not valid."),
    "1022": (Failure.OURS, "Our template's parameters are not valid."),
    "1030": (Failure.OURS, "Vonage had a fault of its own."),
    "1040": (Failure.OURS, "Vonage could not process our message."),
    "1050": (Failure.OURS, "Vonage does not send to this number."),
    "1060": (Failure.OURS, "Our Vonage account is barred from sending."),
    "1070": (Failure.OURS, "Our Vonage account has no credit left."),
    "1080": (Failure.OURS, "Our Vonage account may not use this interface."),
    "1090": (Failure.OURS, "Our message was too long."),
    "1100": (Failure.OURS, "Vonage could not pass our message on."),
    "1110": (Failure.OURS, "The signature of our request did not hold."),
    "1120": (Failure.OURS, "Our sender is not allowed in this country."),
    "1130": (Failure.OURS, "The message's time to live is not possible."),
    "1140": (Failure.OURS, "Our Vonage account does not have this feature."),
    "1150": (Failure.OURS, "The message's class is not possible."),
    "1160": (Failure.OURS, "The number is not on the list that our Vonage account may send to."),
    "1210": (Failure.OURS, "The carrier filtered the message as spam."),
    "1241": (Failure.OURS, "We sent too many messages to this number."),
    "1250": (Failure.OURS, "Vonage has no route from our sender to this network."),
    "1320": (Failure.OURS, "We had sent this message before."),
    "1340": (Failure.OURS, "We answered after the channel's time for answers."),
    "1350": (Failure.OURS, "Our Facebook page has not paid for finding people by number."),
    "1370": (Failure.OURS, "Our access to the Facebook page has expired."),
}

#: `err-code` of the SMS API. 0 means no error.
RECEIPTS: Codes = {
    "9": (Failure.OPT_OUT, "The contact has opted out of this sender."),
    "3": (Failure.HARD, "The number is not in service any more."),
    "4": (Failure.HARD, "The contact's line is barred from texts."),
    "12": (Failure.HARD, "Nothing can be delivered to this number."),
    "1": (Failure.SOFT, "Vonage does not know why it failed."),
    "2": (Failure.SOFT, "The handset is off or out of reach."),
    "5": (Failure.SOFT, "The number is being moved to another carrier."),
    "7": (Failure.SOFT, "The contact's handset was busy."),
    "8": (Failure.SOFT, "The contact's network had a fault."),
    "13": (Failure.SOFT, "The carrier refuses this content because of the contact's age."),
    "15": (Failure.SOFT, "The contact's prepaid account has no credit for it."),
    "99": (Failure.SOFT, "The route had a fault that Vonage does not name."),
    # Premium or short-code messages, which a contact has to allow first.
    "14": (Failure.ROUTE, "The carrier blocks messages from this kind of sender to the contact."),
    "6": (Failure.OURS, "The carrier filtered the message as spam."),
    "10": (Failure.OURS, "Our message had a parameter that is wrong."),
    "11": (Failure.OURS, "Vonage has no route from our sender to this network."),
    "16": (Failure.OURS, "We sent more than our Vonage account may at a time."),
    "50": (Failure.OURS, "An entity of our registration is missing or wrong."),
    "51": (Failure.OURS, "Our sender's header is not registered."),
    "52": (Failure.OURS, "Our message's content is not registered."),
    "53": (Failure.OURS, "We lack the registered consent for this message."),
    "54": (Failure.OURS, "Our message breaks a rule of this country."),
}
