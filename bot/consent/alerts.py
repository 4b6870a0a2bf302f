"""What has to be told to Slack: one alert is one live message, drawn anew as things happen.

Events put their alerts into the same transaction as their entries; a worker posts what is due.
So an alert is at least once, and the change never waits for Slack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.frozen import replace
from bot.consent.model import Channel

#: The first three alerts of a kind in a minute are told singly, the others by one storm card.
SINGLES = 3
SINGLY_WITHIN = timedelta(minutes=1)
#: A storm is over when nothing has joined it for so long.
STORM_QUIET = timedelta(minutes=5)
#: A storm card is drawn anew at most so often.
STORM_PACE = timedelta(seconds=15)
#: At these counts a line is added to the storm's thread.
STORM_LINES = (10, 100, 500, 1_000, 5_000, 10_000)
#: Bounces within this time share a message.
BOUNCES_WITHIN = timedelta(minutes=10)


class AlertKind(StrEnum):
    """What an alert tells."""

    STOP = "stop"
    STORM = "storm"
    #: A line in a storm's thread.
    STORM_LINE = "storm_line"
    #: Whom a storm was about, as a file in its thread.
    STORM_LIST = "storm_list"
    UNSUBSCRIBE = "unsubscribe"
    #: UNSTOP without an alert to be edited: half done, a manager is missing.
    UNSTOP = "unstop"
    #: UNSTOP with something around it, which the carrier does not read: the block stands.
    UNREAD = "unread"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REVIEW = "review"
    DRIFT = "drift"
    #: A refusal from an address that nobody has.
    UNKNOWN = "unknown"
    #: A re-opt-in, in a channel or to a manager: asked for, then its progress.
    CASE = "case"
    #: To whoever asked: how far it has come.
    CASE_TOLD = "case_told"
    CASE_REMINDER = "case_reminder"
    #: What was not told while a channel was muted.
    SUMMARY = "summary"
    #: To the installer: alerts can't be posted, and the cure.
    NOTICE = "notice"


#: Kinds that overtake the others when several are due.
URGENT = frozenset(
    {AlertKind.STOP, AlertKind.STORM, AlertKind.REVIEW, AlertKind.COMPLAINT, AlertKind.CASE}
)

#: What a channel may do without. A review has to be answered, and a complaint costs the right to
#: send at all: these two can't be switched off or muted.
OPTIONAL = (
    AlertKind.STOP,
    AlertKind.UNSUBSCRIBE,
    AlertKind.UNSTOP,
    AlertKind.UNREAD,
    AlertKind.BOUNCE,
    AlertKind.DRIFT,
    AlertKind.UNKNOWN,
)

#: In place of a Slack channel: the direct messages of whoever looks after Optin.
INSTALLER = "installer"


class Delivery(StrEnum):
    """How far the newest drawing has come."""

    #: To be posted when it is due.
    WAITING = "waiting"
    #: Being posted: marked and stored before the call is made.
    SENDING = "sending"
    #: Nobody knows whether Slack has it: it is looked for before it is posted again.
    UNKNOWN = "unknown"
    SENT = "sent"
    #: Given up, with the reason; counted in health.
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One message in a Slack channel, as it should be and as it stands there."""

    #: Random; it is in the message's metadata, and the buttons' value.
    id: str
    #: What makes two tellings the same message: "stop:sms:hash:…:2026-11-23".
    key: str
    kind: AlertKind
    #: Slack's id; empty where nobody is told.
    slack_channel: str
    first_at: datetime
    last_at: datetime
    channel: Channel = Channel.SMS
    #: The contacts that it is about, at most the first ten.
    contacts: tuple[str, ...] = ()
    #: The keyed hash of the address.
    address: str | None = None
    #: What may be shown of it: "ending 0100".
    masked: str = ""
    sender: str | None = None
    #: Tellings that this message stands for.
    count: int = 1
    #: By sender, for a storm; by reason, for bounces; by kind, for a summary.
    counts: Mapping[str, int] = field(default_factory=dict)
    #: The kind that a storm is made of; the Slack channel that a notice is about; a case's id.
    about: str | None = None
    #: What the contact wrote (review), what the code means (bounce, drift), Slack's word for what
    #: is wrong (notice), or the state of a case that is told.
    text: str | None = None
    #: When the contact took the refusal back at the carrier.
    unstopped_at: datetime | None = None
    #: When the contact meant to, and the carrier did not read it.
    unread_at: datetime | None = None
    #: When the consent came back, by an approved re-opt-in.
    returned_at: datetime | None = None
    #: When a review becomes a refusal by itself.
    deadline: datetime | None = None
    #: What a person said to a review: "refusal" or "none".
    answer: str | None = None
    #: Who marked it handled, or answered the review; and when.
    handled_by: str | None = None
    handled_at: datetime | None = None
    #: The alert under which this one is a line.
    thread: str | None = None
    #: When a storm was over.
    ended_at: datetime | None = None

    # The message in Slack
    #: Grows whenever the message should look different.
    wanted: int = 1
    #: Which of these Slack shows.
    shown: int = 0
    delivery: Delivery = Delivery.WAITING
    attempts: int = 0
    #: When the newest attempt began.
    started_at: datetime | None = None
    #: Nothing is done before. While it is being sent: when its outcome counts as unknown.
    not_before: datetime | None = None
    #: Slack's id of the message, once it is there.
    ts: str | None = None
    #: Slack's id of the conversation it is in, where that is no channel but a person's.
    posted_in: str | None = None
    shown_at: datetime | None = None
    #: 0 as designed, 1 as a sentence: what Slack found wrong with the blocks.
    plainness: int = 0
    #: Posted once more although nobody knows whether it is there already; the message says so.
    repeated: bool = False
    problem: str | None = None

    @property
    def due(self) -> bool:
        """Whether Slack has to be told something. When, `not_before` says."""
        return self.wanted > self.shown and self.delivery is not Delivery.DEAD


def anew(alert: Alert) -> Alert:
    """The alert, to be drawn once more, as it was designed. Slack may have refused what it looked
    like before: that must not leave a message with buttons that nobody may press any more."""
    if alert.delivery is Delivery.DEAD and alert.ts is not None:
        alert = replace(alert, delivery=Delivery.WAITING, attempts=0, not_before=None, problem=None)
    return replace(alert, wanted=alert.wanted + 1, plainness=0)
