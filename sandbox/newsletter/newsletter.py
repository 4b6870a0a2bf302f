"""The newsletter as a whole: a campaign at a time, and what Optin's events do to its list."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.newsletter.campaign import Campaign, CampaignState, CopyState, MessageCopy
from sandbox.newsletter.consent_api import ConsentApi, NoAnswer
from sandbox.newsletter.event_receiver import EventReceiver, ReceivedEvent
from sandbox.newsletter.mailing_list import HeldBack, MailingList, Medium, Subscriber, event_time
from sandbox.sandbox_errors import Impossible
from sandbox.simulated_providers.config import SimulatedContact
from sandbox.simulated_providers.simulation import Simulation
from sandbox.traffic import TrafficJournal
from sandbox.workspace_state import World


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterSettings:
    """What POST /sandbox/newsletter says."""

    api: ConsentApi
    webhook_secret: str = field(repr=False)
    subscribers: tuple[Subscriber, ...]


class Newsletter:
    """It has no subscribers before `settle`, and asks nobody."""

    def __init__(self, world: World, journal: TrafficJournal, outside: Simulation) -> None:
        self._world = world
        self._journal = journal
        self._outside = outside
        self._api = ConsentApi()
        self.receiver = EventReceiver()
        self.subscribers = MailingList()
        self.campaigns: dict[Medium, Campaign] = {}

    def settle(self, settings: NewsletterSettings) -> None:
        """Begins anew with this list, key and secret."""
        self._api = settings.api
        self.receiver = EventReceiver(settings.webhook_secret)
        self.subscribers = MailingList(settings.subscribers)
        self.campaigns = {}
        self._changed()

    def start(self, medium: Medium) -> Campaign:
        """Asks Optin, then sends; it goes on by itself. Raises Impossible."""
        if any(campaign.running for campaign in self.campaigns.values()):
            raise Impossible("One campaign at a time.")
        to = self.subscribers.reached_by(medium)
        if not to:
            raise Impossible(f"Nobody on the list can get {medium.noun}s.")
        campaign = Campaign(
            medium=medium,
            at=self._outside.post.now(),
            copies=[MessageCopy(subscriber=one) for one in to],
        )
        self.campaigns[medium] = campaign
        self._outside.post.later(self._run(campaign))
        self._changed()
        return campaign

    def receive(self, body: bytes, headers: Mapping[str, str]) -> ReceivedEvent:
        """Takes a webhook. Only a verified one changes the list."""
        now = self._outside.post.now()
        event = self.receiver.receive(body, headers, now)
        line = self._journal.begin(
            at=now,
            direction="in",
            method=f"webhook {event.type}".strip(),
            args={"id": event.id, "timestamp": event.timestamp, "data": event.data},
        )
        line.outcome = "204" if event.verified else "401"
        if event.verified:
            if isinstance(event.data, Mapping):
                at = event_time(event.timestamp, otherwise=now)
                self.subscribers.follow(event.type, event.data, at)
            again = " again" if event.times > 1 else ""
            self._journal.say(f"Newsletter: event {event.type} received{again}, signature verified")
        else:
            self._journal.say(f"Newsletter: event refused: {event.problem}")
        self._changed()
        return event

    async def _run(self, campaign: Campaign) -> None:
        try:
            await self._ask(campaign)
            await self._send_all(campaign)
        except NoAnswer as why:
            # Without an answer nobody may be sent to: a message can't be taken back.
            campaign.problem = f"Nothing was sent. {why}"
        except Impossible as why:
            campaign.problem = f"Sending stopped. {why}"
        finally:
            if campaign.running:
                campaign.state = CampaignState.FAILED
                campaign.problem = campaign.problem or "Sending stopped."
                self._journal.say(f"Newsletter: {campaign.problem}")
            self._changed()

    async def _ask(self, campaign: Campaign) -> None:
        medium = campaign.medium
        asked = [copy.subscriber for copy in campaign.copies]
        addresses = [one.address(medium) for one in asked]
        answer = await self._api.ask(self._outside.post, addresses, medium)
        now = self._outside.post.now()
        for one, verdict in zip(asked, answer.verdicts, strict=True):
            if verdict.may_send:
                self.subscribers.release(one, medium, answer.as_of)
            else:
                self.subscribers.hold(one, medium, verdict.reasons, now)

    async def _send_all(self, campaign: Campaign) -> None:
        campaign.state = CampaignState.SENDING
        self._changed()
        for copy in campaign.copies:
            await self._send(copy, campaign.medium)
            self._changed()
        campaign.state = CampaignState.DONE
        sent, held = campaign.count(CopyState.SENT), campaign.count(CopyState.HELD)
        self._journal.say(f"Newsletter: {campaign.medium.noun}s sent: {sent}, held back: {held}")

    async def _send(self, copy: MessageCopy, medium: Medium) -> None:
        # The mark of the check, or of an event that came after it.
        held = self.subscribers.held(copy.subscriber, medium)
        if held:
            copy.state = CopyState.HELD
            self._journal.say(_held_line(copy.subscriber, medium, held))
            return
        one = copy.subscriber
        if medium is Medium.SMS:
            sender = self._outside.given.sender("")
            await self._outside.phones.send(one.phone, sender)
            text = self._outside.phones.thread(one.phone, sender)[-1]
            copy.status, copy.problem = text.status, text.code
        else:
            mailbox = SimulatedContact(id=one.id, name=one.name, email=one.email)
            await self._outside.mailboxes.send(mailbox)
            mail = self._outside.mailboxes.mails(mailbox)[-1]
            copy.status, copy.problem = mail.status, mail.reason
        copy.state = CopyState.SENT

    def _changed(self) -> None:
        self._world.changed("newsletter")


def _held_line(one: Subscriber, medium: Medium, held: HeldBack) -> str:
    """Without names and whole addresses: a terminal is a log, too."""
    why = ", ".join(reason.code for reason in held.reasons) or held.event
    return f"Newsletter: {medium.noun} held back · {_masked(one, medium)} · {why}"


def _masked(one: Subscriber, medium: Medium) -> str:
    if medium is Medium.SMS:
        return f"ending {one.phone[-4:]}"
    name, _, domain = one.email.rpartition("@")
    return f"{name[:1]}…@{domain}"
