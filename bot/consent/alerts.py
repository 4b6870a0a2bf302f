"""Alerts: what Slack has to be told. One alert is one message, which is updated as things happen.

Events store their alerts in the same transaction as their entries, and a worker posts what is due.
So an alert is delivered at least once, and no change waits for Slack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.frozen import replace
from bot.consent.model import Channel

#: The first three alerts of a kind in a minute are posted singly, the others as one storm card,
#: unless the channel's settings say otherwise.
SINGLES = 3
SINGLY_WITHIN = timedelta(minutes=1)
#: A storm is over when nothing has joined it for this long.
STORM_QUIET = timedelta(minutes=5)
#: A storm card is updated at most this often.
STORM_PACE = timedelta(seconds=15)
#: At these counts a line is added to the storm's thread.
STORM_LINES = (10, 100, 500, 1_000, 5_000, 10_000)
#: Bounces within this time share a message, unless the channel's settings say otherwise.
BOUNCES_WITHIN = timedelta(minutes=10)


class AlertKind(StrEnum):
    """What an alert is about."""

    STOP = "stop"
    STORM = "storm"
    #: A line in a storm's thread.
    STORM_LINE = "storm_line"
    #: Whom a storm was about, as a file in its thread.
    STORM_LIST = "storm_list"
    #: A line in an alert's thread: what has happened since.
    NEWS = "news"
    UNSUBSCRIBE = "unsubscribe"
    #: UNSTOP without an alert that could be updated: half done, a manager is missing.
    UNSTOP = "unstop"
    #: UNSTOP with other words, which the carrier ignores: the block stands.
    UNREAD = "unread"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REVIEW = "review"
    DRIFT = "drift"
    #: A refusal from an address that nobody has.
    UNKNOWN = "unknown"
    #: A re-opt-in, in a channel or to a manager: the request, then its progress.
    CASE = "case"
    #: Re-opt-ins that programs asked for, by name, in one message an hour.
    CASE_LIST = "case_list"
    #: To the person who asked: how far it has come.
    CASE_TOLD = "case_told"
    CASE_REMINDER = "case_reminder"
    #: What was not posted while a channel was muted.
    SUMMARY = "summary"
    #: To the installer: alerts can't be posted, and what to do.
    NOTICE = "notice"
    #: What happened in a day or a week, for a channel.
    DIGEST = "digest"
    #: To the installer: the first steps, and which of them are done.
    FIRST_RUN = "first_run"
    #: About nobody: somebody tries whether alerts arrive.
    TEST = "test"
    #: An outbound webhook fails, was paused, or works again.
    WEBHOOK = "webhook"
    #: A provider's suppression lists: what a read found, or that a person has to confirm writes.
    LISTS = "lists"
    #: The storage went back to an older copy.
    BEHIND = "behind"
    #: The clock of a machine may be wrong.
    CLOCK = "clock"
    #: The head of the Activity Log: the channel is a witness.
    HEAD = "head"


#: Kinds that overtake the others when several are due.
URGENT = frozenset(
    {
        AlertKind.STOP,
        AlertKind.STORM,
        AlertKind.REVIEW,
        AlertKind.COMPLAINT,
        AlertKind.CASE,
        AlertKind.BEHIND,
    }
)

#: Kinds that a channel may switch off or mute. A review has to be answered, and complaints can cost
#: the right to send at all.
OPTIONAL = (
    AlertKind.STOP,
    AlertKind.UNSUBSCRIBE,
    AlertKind.UNSTOP,
    AlertKind.UNREAD,
    AlertKind.BOUNCE,
    AlertKind.DRIFT,
    AlertKind.UNKNOWN,
)

#: How the keys of reviews begin, and those of no other alert.
REVIEW_KEYS = f"{AlertKind.REVIEW}:"
#: Kinds about an opt-out of a contact: a later re-opt-in changes what they say.
OPT_OUTS = (
    AlertKind.STOP,
    AlertKind.UNSUBSCRIBE,
    AlertKind.DRIFT,
    AlertKind.COMPLAINT,
    AlertKind.UNSTOP,
    AlertKind.UNREAD,
    AlertKind.REVIEW,
)

#: In place of what a contact wrote: a review, or a hold, of a number that the provider reports as
#: reassigned. No answer makes it the contact's opt-out.
NEW_OWNER = "The provider says that this number has a new owner."

#: In place of a Slack channel: the direct messages of the person who looks after Optin.
INSTALLER = "installer"


class DeliveryState(StrEnum):
    """How far the newest version of a message has come."""

    #: To be posted when it is due.
    WAITING = "waiting"
    #: Being posted: claimed and stored before the call is made.
    SENDING = "sending"
    #: Slack may have it: Optin looks for it before it posts again.
    UNKNOWN = "unknown"
    SENT = "sent"
    #: Given up, with the reason; counted in health.
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The address that an alert is about, and who has it."""

    channel: Channel = Channel.SMS
    #: Ids of contacts, at most the first ten.
    contacts: tuple[str, ...] = ()
    #: The keyed hash of the address.
    address: str | None = None
    #: What may be shown of it: "ending 0100".
    masked: str = ""
    #: Our number, where the provider gave one.
    sender: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What happened after the alert was stored; the message shows it."""

    #: When the contact lifted the block at the carrier.
    unstopped_at: datetime | None = None
    #: When the contact tried to, and the carrier ignored it.
    unread_at: datetime | None = None
    #: When the consent came back, by an approved re-opt-in.
    returned_at: datetime | None = None
    #: When an unanswered review becomes an opt-out.
    deadline: datetime | None = None
    #: A person's answer to a review: "refusal" or "none".
    answer: str | None = None
    #: Who marked it handled, or answered the review; and when.
    handled_by: str | None = None
    handled_at: datetime | None = None
    #: When a storm was over.
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How far a message has come on its way to Slack."""

    #: Grows with every change that the message has to show.
    desired_version: int = 1
    #: The version that Slack shows; 0 for none.
    posted_version: int = 0
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    #: When the newest attempt began.
    started_at: datetime | None = None
    #: The earliest time of the next attempt. During an attempt: when its claim expires.
    not_before: datetime | None = None
    #: Slack's id of the message, once it is posted.
    ts: str | None = None
    #: Slack's id of the conversation, where the message went to a person.
    posted_in: str | None = None
    posted_at: datetime | None = None
    #: 0 as designed, 1 as plain text, because Slack refused the blocks.
    plainness: int = 0
    #: Posted once more although Slack may have it already; the message says so.
    repeated: bool = False
    #: Slack's word, or ours, for what went wrong.
    problem: str | None = None

    @property
    def due(self) -> bool:
        """Whether Slack has to be told something. `not_before` says when."""
        return self.desired_version > self.posted_version and self.state is not DeliveryState.DEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is to be said in one message, and how far its delivery has come."""

    #: Random; it is in the message's metadata, and the value of its buttons.
    id: str
    #: Events with the same key share a message: "stop:sms:hash:…:2026-11-23".
    key: str
    kind: AlertKind
    #: Slack's id; empty where nobody is told.
    slack_channel: str
    first_at: datetime
    last_at: datetime
    subject: Subject = field(default_factory=Subject)
    #: Events that this message stands for.
    count: int = 1
    #: By sender, for a storm; by reason, for bounces; by kind, for a summary; what was counted, for
    #: a digest (`use_cases.alerts.digest`).
    counts: Mapping[str, int] = field(default_factory=dict)
    #: The kind that a storm is made of; the Slack channel that a notice is about; the id of a case
    #: or of a webhook, or the ids of several cases with spaces between them; a provider's id; how
    #: often there is a digest; who sent a test alert.
    about: str | None = None
    #: What the contact wrote (review), what the code means (bounce, drift), Slack's word for what
    #: is wrong (notice), how an endpoint fares (`webhook_alerts.trouble_of`), what is new of a
    #: provider's lists (`list_alerts.news_of`), the state of a case, which of the first steps are
    #: done (`first_run.steps_of`), or a head of the log (`log.heads.head_text`).
    text: str | None = None
    #: The alert in whose thread this one is posted.
    thread: str | None = None
    follow_up: FollowUp = field(default_factory=FollowUp)
    delivery: Delivery = field(default_factory=Delivery)


def revise(alert: Alert, **changes: object) -> Alert:
    """The alert with these changes, which Slack's message has to show."""
    delivery = replace(alert.delivery, desired_version=alert.delivery.desired_version + 1)
    return replace(alert, delivery=delivery, **changes)


def redraw(alert: Alert) -> Alert:
    """The alert, to be drawn once more as designed. A message that Slack refused to update is
    tried again, so that it does not keep buttons that nobody may press any more."""
    revised = revise(alert)
    delivery = replace(revised.delivery, plainness=0)
    if delivery.state is DeliveryState.DEAD and delivery.ts is not None:
        delivery = replace(
            delivery, state=DeliveryState.WAITING, attempts=0, not_before=None, problem=None
        )
    return replace(revised, delivery=delivery)
