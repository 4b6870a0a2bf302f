"""Who may do what, by the role held at this moment (rules.md §8.10).

A program's key has scopes besides, which the API checks before it asks a use case.
"""

from __future__ import annotations

from enum import StrEnum

from bot.consent.errors import NotAllowed
from bot.consent.model import Actor, Role


class Action(StrEnum):
    """What somebody can do, as far as it depends on who it is."""

    LOOK = "look"
    EDIT = "edit"
    #: States what another system knows: contacts, consents with evidence, events. It can say NO,
    #: and never turns NO into YES.
    STATE = "state"
    #: Asks for re-opt-in, and takes one's own request back.
    REQUEST = "request"
    #: Approves or denies a re-opt-in.
    DECIDE = "decide"
    LIFT_DO_NOT_CONTACT = "lift_do_not_contact"
    CLEAR_COMPLAINT = "clear_complaint"
    #: Says that an address was taken off a provider's suppression list.
    REMOVED_AT_PROVIDER = "removed_at_provider"
    #: Takes back what was recorded by mistake, after the time for one's own slip.
    TAKE_BACK = "take_back"
    #: Says that a sender or a provider is used no longer, or again.
    RETIRE = "retire"
    #: Says that Optin may write to a provider's suppression lists.
    CONFIRM_WRITES = "confirm_writes"
    #: Clears many bounces at once, after an outage of the company's own.
    CLEAR_BOUNCES = "clear_bounces"
    #: Makes one contact of two.
    MERGE = "merge"
    #: Takes everything that is known of a contact out of Optin, for a lawyer or an authority.
    EVIDENCE = "evidence"
    IMPORT = "import"
    ERASE = "erase"
    #: Makes and revokes keys of the API.
    KEYS = "keys"
    #: Reads a probable refusal, or marks an alert handled.
    ANSWER = "answer"
    #: Changes the alert settings of a channel.
    QUIET = "quiet"


_MAY: dict[Role, frozenset[Action]] = {
    Role.NOBODY: frozenset(),
    Role.AGENT: frozenset({Action.LOOK, Action.EDIT, Action.REQUEST, Action.ANSWER}),
    Role.MANAGER: frozenset(
        {
            Action.LOOK,
            Action.EDIT,
            Action.REQUEST,
            Action.DECIDE,
            Action.ANSWER,
            Action.QUIET,
            Action.LIFT_DO_NOT_CONTACT,
            Action.CLEAR_COMPLAINT,
            Action.REMOVED_AT_PROVIDER,
            Action.TAKE_BACK,
            Action.RETIRE,
            Action.CONFIRM_WRITES,
            Action.CLEAR_BOUNCES,
            Action.MERGE,
            Action.EVIDENCE,
            Action.IMPORT,
        }
    ),
    Role.OPERATOR: frozenset(Action),
    # No EDIT: a person's form can turn staff's NO into YES, clear a bounce and undo.
    Role.PROGRAM: frozenset({Action.LOOK, Action.STATE, Action.REQUEST}),
}

_FOR_OTHERS = {
    Action.LIFT_DO_NOT_CONTACT: "Only a manager can take Do not contact off.",
    Action.CLEAR_COMPLAINT: "The contact reported our e-mail as spam. Only a manager can clear "
    "that.",
    Action.REMOVED_AT_PROVIDER: "Only a manager can say that an address was taken off a "
    "provider's list.",
    Action.TAKE_BACK: "Only a manager can take back what was recorded by mistake.",
    Action.RETIRE: "Only a manager can say that a sender or a provider is used no longer.",
    Action.CONFIRM_WRITES: "Only a manager can confirm what Optin writes to a provider's lists.",
    Action.CLEAR_BOUNCES: "Only a manager can clear many bounces at once.",
    Action.MERGE: "Only a manager can make one contact of two.",
    Action.EVIDENCE: "Only a manager can make an evidence pack.",
    Action.QUIET: "Only a manager can change the alert settings of a channel.",
    Action.EDIT: "A program can't do this: it takes a person.",
    Action.DECIDE: "Only a manager can decide a re-opt-in.",
    Action.IMPORT: "Only a manager can import a file.",
    Action.ERASE: "Erasure is made at the command line.",
    Action.KEYS: "Keys of the API are made at the command line.",
}
#: What of a form is refused, in the words of `OptinError.field`.
_FIELD = {
    Action.LIFT_DO_NOT_CONTACT: "do_not_contact",
    Action.CLEAR_COMPLAINT: "email_bounce",
}


def may(actor: Actor, action: Action) -> bool:
    """Whether the actor's role allows it: for what is drawn. `authorize` asks when it is done."""
    return action in _MAY[actor.role]


def authorize(actor: Actor, action: Action) -> None:
    """Raises `NotAllowed` where the actor's role, as it is at this moment, does not allow it."""
    if not may(actor, action):
        if actor.role is Role.NOBODY:
            raise NotAllowed
        raise NotAllowed(_FOR_OTHERS.get(action), field=_FIELD.get(action))
