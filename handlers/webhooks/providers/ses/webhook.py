"""What Amazon SES says inside SNS's messages, in Optin's words.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.error_codes import Meaning, says_why
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    id_at,
    list_at,
    mailbox,
    moment,
    only_mailbox,
    text_at,
)
from handlers.webhooks.provider import InvalidPayload, Parsed, Request, read_each
from handlers.webhooks.providers.ses import sns
from handlers.webhooks.providers.ses.certificates import Certificates
from handlers.webhooks.providers.ses.codes import COMPLAINED, REFUSED, TRYING, bounced

_UNINTERESTING = {"Send", "Open", "Click"}
_NOBODY = "a bounce or complaint without a mailbox"
_BOUNCED_SOMEWHERE = "A message bounced, and Amazon does not say at which mailbox."
_COMPLAINED_SOMEWHERE = "Somebody reported a message as spam, and Amazon does not say who."
_ONE_OF_SEVERAL = "One of several people at this mail provider complained; it may be another."


class Ses:
    """SES's webhook, by the topics that are ours."""

    name: ClassVar[str] = "ses"

    def __init__(self, *, topic_arns: Iterable[str], certificates: Certificates) -> None:
        self._topics = frozenset(topic_arns)
        self._certificates = certificates

    def verify(self, request: Request, now: datetime) -> str:
        """By Amazon's certificate, which may have to be fetched; so this may take seconds once."""
        sns.verify(request, now, self._topics, self._certificates)
        return "Amazon's certificate"

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One message, about one mailbox or several."""
        return _read(request)


def _read(request: Request) -> Parsed:
    """One message, about one mailbox or several. Raises `InvalidPayload`."""
    envelope = checked(sns.read_envelope(request))
    match text_at(envelope, "Type"):
        case sns.SUBSCRIPTION:
            return Parsed(confirmations=(sns.confirmation(envelope),))
        case sns.UNSUBSCRIPTION:
            return Parsed(skipped=("a topic of ours does not reach us any more",))
    message = sns.read_message(envelope)
    if message is None:
        return Parsed(ignored=("a sentence of Amazon's",))
    word = text_at(message, "eventType") or text_at(message, "notificationType")
    return _Said(envelope=envelope, message=message).about(word)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one message says of its recipients."""

    envelope: dict[str, Any]
    message: Any

    def about(self, word: str) -> Parsed:  # noqa: PLR0911 - a table of SES's words
        match word:
            case "Bounce":
                return self._bounce()
            case "Complaint":
                return self._complaint()
            case "Delivery":
                recipients = [
                    {"emailAddress": one} for one in list_at(self.message, "delivery", "recipients")
                ]
                return self._each(recipients, EventKind.DELIVERED, "delivery")
            case "DeliveryDelay":
                delay = at(self.message, "deliveryDelay")
                return self._each(
                    list_at(delay, "delayedRecipients"),
                    EventKind.FAILED,
                    "deliveryDelay",
                    code=text_at(delay, "delayType"),
                    meant=TRYING,
                )
            case "Reject" | "Rendering Failure":
                recipients = [
                    {"emailAddress": one} for one in list_at(self.message, "mail", "destination")
                ]
                return self._each(recipients, EventKind.FAILED, "reject", meant=REFUSED[word])
            case "Subscription":
                return self._subscription()
        if word in _UNINTERESTING:
            return Parsed(ignored=(word,))
        return Parsed(skipped=("a kind of event that is in no table",))

    def _bounce(self) -> Parsed:
        bounce = at(self.message, "bounce")
        class_, subject = text_at(bounce, "bounceType"), text_at(bounce, "bounceSubType")
        code = class_ if subject in ("", class_) else f"{class_}/{subject}"
        recipients = list_at(bounce, "bouncedRecipients")
        if not recipients:
            return self._unplaced("bounce", code, _BOUNCED_SOMEWHERE)
        if subject == "UnsubscribedRecipient":
            # On a contact list of SES's own, and no failure of the mailbox.
            return self._each(recipients, EventKind.UNSUBSCRIBED, "bounce", code=code)

        def read(recipient: Any) -> Parsed:
            said = text_at(recipient, "status"), text_at(recipient, "diagnosticCode")
            if (class_, subject) == ("Transient", "General") and not says_why(*said):
                # No mail system refused it: somebody is out of the office.
                return Parsed(ignored=("an automatic reply",))
            failure, sentence = bounced(class_, subject, said)
            event = self._event(
                text_at(recipient, "emailAddress"),
                EventKind.FAILED,
                "bounce",
                code=code,
                failure=failure,
                meaning=sentence,
            )
            return Parsed(events=(event,))

        return read_each(recipients, read)

    def _unplaced(self, place: str, code: str, sentence: str) -> Parsed:
        """Counted; where there is but one mailbox, told of it, too."""
        only = only_mailbox(list_at(self.message, "mail", "destination"))
        if only is None:
            return Parsed(skipped=(_NOBODY,))
        event = self._event(only, EventKind.UNPLACED, place, code=code, meaning=sentence)
        return Parsed(events=(event,), skipped=(_NOBODY,))

    def _complaint(self) -> Parsed:
        complaint = at(self.message, "complaint")
        recipients = list_at(complaint, "complainedRecipients")
        kind, feedback = (
            text_at(complaint, "complaintSubType"),
            text_at(complaint, "complaintFeedbackType"),
        )
        if feedback == "not-spam":
            return Parsed(ignored=(feedback,))
        if not recipients:
            return self._unplaced("complaint", feedback, _COMPLAINED_SOMEWHERE)
        if kind == "OnAccountSuppressionList":
            return self._each(
                recipients, EventKind.FAILED, "complaint", code=kind, meant=COMPLAINED
            )
        parsed = self._each(
            recipients,
            EventKind.COMPLAINT,
            "complaint",
            code=feedback,
            # Everybody at the domain that complained who got the mail.
            said=_ONE_OF_SEVERAL if len(recipients) > 1 else None,
        )
        return parsed

    def _subscription(self) -> Parsed:
        said = at(self.message, "subscription")
        recipients = list_at(self.message, "mail", "destination")
        if len(recipients) != 1:
            return Parsed(skipped=("a subscription that does not say whose it is",))
        list_ = f"contact_list:{text_at(said, 'contactList')}"
        new, old = at(said, "newTopicPreferences"), at(said, "oldTopicPreferences")
        left, before = at(new, "unsubscribeAll") is True, at(old, "unsubscribeAll") is True
        if left or before:
            changes = [(left, list_)] if left != before else []
        else:
            changes = [
                (status == "OptOut", f"{list_}/topic:{topic}")
                for topic, status in _topics(new).items()
                if _topics(old).get(topic) != status
            ]
        events = [
            self._event(
                recipients[0],
                EventKind.UNSUBSCRIBED if out else EventKind.RESUBSCRIBED,
                "subscription",
                more_id=f":{scope}" if len(changes) > 1 else "",
                # How they left; nobody asks how they came back.
                code=text_at(said, "source") if out else "",
                scope=scope,
            )
            for out, scope in changes
        ]
        return Parsed(events=tuple(events)) if events else Parsed(ignored=("nothing changed",))

    def _each(
        self,
        recipients: Sequence[Any],
        kind: EventKind,
        place: str,
        *,
        code: str = "",
        meant: Meaning | None = None,
        said: str | None = None,
    ) -> Parsed:
        if not recipients:
            raise InvalidPayload("an event has no mailbox")
        failure, sentence = meant or (None, said)

        def read(recipient: Any) -> Parsed:
            event = self._event(
                text_at(recipient, "emailAddress"),
                kind,
                place,
                code=code,
                failure=failure,
                meaning=sentence,
            )
            return Parsed(events=(event,))

        return read_each(recipients, read)

    def _event(
        self,
        recipient: object,
        kind: EventKind,
        place: str,
        *,
        code: str,
        more_id: str = "",
        **more: Any,
    ) -> Event:
        address = mailbox(recipient if isinstance(recipient, str) else "")
        about, mail = at(self.message, place), at(self.message, "mail")
        # Two topics may tell one bounce twice; only the feedback's id is common to them.
        id_ = text_at(about, "feedbackId") or id_at(self.envelope, "MessageId")
        return Event(
            provider=Ses.name,
            id=f"ses:{id_}:{address}{more_id}",
            kind=kind,
            channel=Channel.EMAIL,
            address=address,
            only_recipient=only_mailbox(list_at(mail, "destination")),
            occurred_at=moment(at(about, "timestamp")) or moment(self.envelope.get("Timestamp")),
            sender=self._account(),
            code=code or None,
            message=text_at(mail, "messageId") or None,
            sent_at=moment(at(mail, "timestamp")),
            **more,
        )

    def _account(self) -> str:
        """Whose suppression list it is: an account's, in one region."""
        region = text_at(self.envelope, "TopicArn").split(":")[3:4]
        return f"ses:{text_at(self.message, 'mail', 'sendingAccountId')}:{''.join(region)}"


def _topics(preferences: Any) -> dict[str, str]:
    return {
        text_at(topic, "topicName"): text_at(topic, "subscriptionStatus")
        for topic in list_at(preferences, "topicSubscriptionStatus")
    }
