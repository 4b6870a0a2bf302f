"""Why Amazon SES did not deliver.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.consent.events import Failure
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail, meaning

_BOUNCES: Codes = {
    "Permanent": (Failure.HARD, "The mail system refused the address for good."),
    "Transient": (Failure.SOFT, "The mail system refused the message for now."),
    "Undetermined": (Failure.SOFT, "The mail system did not say why it refused the message."),
}
#: Not sent at all. The list has bounces and complaints, and does not say which it is.
_ON_A_LIST = {"Suppressed", "OnAccountSuppressionList"}
_LISTED: Meaning = (
    Failure.LISTED,
    "Amazon did not send it: the address is on its suppression list.",
)
COMPLAINED: Meaning = (
    Failure.LISTED_COMPLAINT,
    "Amazon did not send it: the contact has reported our mail as spam.",
)
TRYING: Meaning = (Failure.NOT_FINAL, "Amazon is still trying.")
REFUSED: Mapping[str, Meaning] = {
    "Reject": (Failure.OURS, "Amazon found something harmful in our message."),
    "Rendering Failure": (Failure.OURS, "Our template could not be filled in."),
}


def bounced(class_: str, subject: str, said: Sequence[str]) -> Meaning:
    """What a bounce of this type and subtype means, with what the mail system said."""
    if subject in _ON_A_LIST:
        return _LISTED
    known = meaning(_BOUNCES, class_)
    found = by_mail(*said, otherwise=known)
    return found if known[0] is Failure.HARD else at_most_soft(found, known)
