"""What phones and mailboxes hold: texts in a thread for each sender, and e-mails."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sandbox.simulated_providers.webhook_sender import Sent

#: How many of each; the oldest go first.
KEPT: Final = 200


class Author(StrEnum):
    """Who wrote a text in a thread."""

    CONTACT = "contact"
    COMPANY = "company"
    #: Keywords are answered by the carrier, or by Twilio in its place.
    CARRIER = "carrier"


@dataclass(slots=True, kw_only=True)
class StoredText:
    """`status` and `code` are Twilio's words. What never arrived is kept, and shown as that."""

    id: str
    at: float
    by: Author
    body: str
    status: str
    code: str = ""
    #: What the app answered to the newest webhook about it; None while it is on its way.
    told: Sent | None = None


@dataclass(slots=True, kw_only=True)
class Mail:
    """`status` is SendGrid's word, `reason` why it did not arrive. `link` unsubscribes."""

    id: str
    at: float
    subject: str
    body: str
    link: str
    status: str
    reason: str = ""
    #: As in a text; also of the complaint or the unsubscribing that came of it.
    told: Sent | None = None

    @property
    def arrived(self) -> bool:
        return self.status not in ("bounce", "dropped")
