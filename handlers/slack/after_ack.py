"""Events and shortcuts: acknowledged first, answered after it in a small pool of threads.

Slack shows nobody the acknowledgement of these, so nothing is lost with it, and whoever asked is
told of a refusal by the same sentences as elsewhere. The modals of buttons open after it, too: what
is asked of the storage is read and decided before. Bolt's lazy listeners would copy the whole
context, and their errors would not reach the error handler (docs/adr/0003).

Slack sends an event again when it did not hear the acknowledgement
(https://docs.slack.dev/apis/events-api/#retries): an event id is answered once. This process
remembers its own, and what is posted is remembered in the storage for other replicas, too.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt import BoltContext
from slack_sdk import WebClient

from bot.consent.errors import Invalid, StorageFailed
from bot.consent.model import Actor
from bot.consent.use_cases import Service
from bot.consent.use_cases.answered_events import claim_event
from handlers.slack import error_handler, ids
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.blocks.formatting import escape
from handlers.slack.blocks.modal_frame import View
from handlers.slack.environment import Environment
from handlers.slack.hand_over import AnswerPool
from handlers.slack.interaction import Body, show
from handlers.slack.private_answer import answer_privately
from handlers.slack.roles import Visitors
from handlers.slack.sealed_values import Drafts

logger = logging.getLogger(__name__)

#: Event ids that are remembered. Slack repeats an event three times within an hour.
_REMEMBERED = 10_000
#: With these a person wrote the message all the same: with a file, or from a thread to the channel.
_WRITTEN = frozenset({"file_share", "thread_broadcast"})

#: Says a sentence to whoever caused a request, as its body tells where.
Tell = Callable[[Body, WebClient, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequest:
    """What somebody asked for by an event or a shortcut, and who they are."""

    body: Body
    client: WebClient
    actor: Actor
    #: With the times of this person.
    consent: Service
    drafts: Drafts
    environment: Environment

    @property
    def event(self) -> Body:
        """The event; empty for a shortcut."""
        event = self.body.get("event")
        return event if isinstance(event, dict) else {}

    @property
    def user(self) -> str:
        """Slack's id of the person."""
        return self.actor.id.removeprefix("slack:")


Listener = Callable[[PersonRequest], None]


def silently(body: Body, client: WebClient, sentence: str) -> None:
    """For events where nobody waits for a word."""
    logger.info("an event was refused without a word")


def privately(body: Body, client: WebClient, sentence: str) -> None:
    """Where the event happened, to whoever caused it."""
    answer_privately(client, body.get("event"), f"⚠️ {escape(sentence)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry:
    """What answers an event that a person caused, and how that person hears of a refusal."""

    listener: Listener
    tell: Tell = privately
    #: It posts an answer, and two of them would be seen: replicas agree on who answers.
    posts: bool = False
    #: Whether this event is meant for us at all.
    wanted: Callable[[Body], bool] = lambda event: True


class AfterAck:
    """Leaves to the pool what follows an acknowledgement."""

    def __init__(
        self,
        *,
        answers: AnswerPool,
        visitors: Visitors,
        environment: Environment,
        doubt: Callable[[], str] = lambda: "",
    ) -> None:
        """`doubt` says why Optin may not recognise the roles of people at this moment."""
        self.visitors = visitors
        self.environment = environment
        self._answers = answers
        self._doubt = doubt
        self._answered = _Answered(_REMEMBERED)

    def event(self, entry: EventEntry) -> Callable[..., None]:
        """The listener for Bolt of an event that a person causes."""

        def hear(body: Body, client: WebClient, context: BoltContext) -> None:
            event = body.get("event")
            if not isinstance(event, dict) or not _is_a_persons(event, context.bot_user_id):
                return
            if not entry.wanted(event) or not self.is_new(body.get("event_id")):
                return
            answer = self._once(entry.listener) if entry.posts else entry.listener
            self._answer(answer, entry.tell, body, client, event.get("user"))

        return hear

    def _once(self, listener: Listener) -> Listener:
        """The listener, unless another replica has answered this event."""

        def answer(request: PersonRequest) -> None:
            id = request.body.get("event_id")
            try:
                new = not isinstance(id, str) or not id or claim_event(request.consent, id)
            except StorageFailed as error:  # two answers are better than none
                logger.warning("an event may be answered twice: %s", error.sentence)
                new = True
            if new:
                listener(request)

        return answer

    def shortcut(self, listener: Listener) -> Callable[..., None]:
        """The listener for Bolt of a shortcut, or of a button that changes nothing."""

        def hear(ack: Callable[[], object], body: Body, client: WebClient) -> None:
            user = body.get("user")
            id = user.get("id") if isinstance(user, dict) else None
            ack()
            self._answer(listener, error_handler.tell, body, client, id)

        return hear

    def is_new(self, event_id: object) -> bool:
        """Whether an event is heard for the first time."""
        return self._answered.add(event_id)

    def later(self, work: Callable[[], None], tell: Tell, body: Body, client: WebClient) -> None:
        """Runs it in the pool, and tells a sentence where it fails."""
        self._answers.later(lambda: self._run(work, tell, body, client))

    def show(self, client: WebClient, body: Body, modal: Callable[[], View]) -> None:
        """Draws the modal and opens it, for the button that was pressed."""

        def work() -> None:
            show(client, body, modal())

        self.later(work, error_handler.tell, body, client)

    def _answer(
        self, listener: Listener, tell: Tell, body: Body, client: WebClient, user: object
    ) -> None:
        def work() -> None:
            visitor = self.visitors.let_in(user, fresh=False)
            listener(
                PersonRequest(
                    body=body,
                    client=client,
                    actor=visitor.actor,
                    consent=visitor.consent,
                    drafts=visitor.drafts,
                    environment=self.environment,
                )
            )

        self.later(work, tell, body, client)

    def _run(self, work: Callable[[], None], tell: Tell, body: Body, client: WebClient) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it
            sentence = error_handler.sentence_of(error, doubt=self._doubt())
            try:
                tell(body, client, sentence)
            except CALL_FAILED as failed:
                logger.warning("a refusal could not be shown: %s", slack_failure(failed).word)


def unknown(asked: PersonRequest) -> None:
    """A shortcut that no version of ours offers any more."""
    raise Invalid(ids.OUTDATED)


def _is_a_persons(event: Body, us: str | None) -> bool:
    """Whether a person caused it just now: no app, no edit, nobody who joined."""
    subtype = event.get("subtype")
    return not (
        event.get("bot_id")
        or event.get("edited")
        or event.get("hidden")
        or (subtype and subtype not in _WRITTEN)
        or (us and event.get("user") == us)
    )


class _Answered:
    """Ids of events, the newest ones."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, id: object) -> bool:
        """False where it is here already. An event without an id is always new."""
        if not isinstance(id, str) or not id:
            return True
        with self._lock:
            if id in self._ids:
                return False
            self._ids[id] = None
            if len(self._ids) > self._most:
                self._ids.popitem(last=False)
            return True
