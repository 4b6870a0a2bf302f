"""The rules: may this contact be reached, and who may change what. Pure; time is an argument.

`decide` is the one decision function (rules.md §3): the card, the modal, the export and the command
line all ask it. It names every reason why not, each with its remedy and who has to act.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent import gates
from bot.consent.errors import NeedsEvidence, NeedsManager, Refused, TooLate
from bot.consent.frozen import quick
from bot.consent.gates import THINGS, Code, Gate
from bot.consent.model import (
    Actor,
    AddressFacts,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    LineType,
    Origin,
)
from bot.consent.senders import Sender, Senders
from bot.consent.storage_behind import StorageBehind

#: The version of these rules, which every answer about the past names. Whoever changes what a fact
#: means to the answer raises it; a test pins it to the table. Version 1 was Optin 0.1's.
RULES_VERSION = 2
#: Nothing is known of our senders: every block counts.
ANY = Senders()
#: How long whoever set YES to NO may take it back (rules.md §6).
UNDO_WITHIN = timedelta(minutes=15)


#: Soft failures that make a bounce, on at least two days, within this time (rules.md §4).
SOFT_LIMIT = 3
SOFT_WITHIN = timedelta(days=30)


class Answer(StrEnum):
    """Whether a message would be sent and may be. UNVERIFIED is never shown green."""

    YES = "yes"
    NO = "no"
    UNVERIFIED = "unverified"


class Status(StrEnum):
    """What people see of a decision: one word and one icon on every surface."""

    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"
    NEVER_ASKED = "never_asked"
    WAITING = "waiting"
    UNREACHABLE = "unreachable"


#: Gates that leave the answer open instead of closing it.
_UNVERIFIED = frozenset({Code.BLOCK_UNKNOWN, Code.PROBATION, Code.STORAGE_BEHIND})


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer for one channel, with every failing gate."""

    channel: Channel
    answer: Answer
    status: Status
    gates: tuple[Gate, ...]
    #: What is worth saying and stops nothing: an unproven yes, soft failures.
    notes: tuple[str, ...] = ()


def decide(
    contact: Contact,
    facts: AddressFacts | None,
    channel: Channel,
    sender: Sender | None = None,
    senders: Senders = ANY,
    behind: StorageBehind | None = None,
) -> Decision:
    """Decides whether this contact may be reached on this channel.

    `facts` are those of the contact's present address. With a `sender`, only that sender's blocks
    count, and those of senders whom `senders` does not know; without one, every block does.
    `behind`: the storage lacks what was recorded later, so no yes is certain.
    """
    consent = contact.consent(channel)
    if contact.erased:
        reasons = [gates.ERASED]
    elif (key := contact.key(channel)) is None:
        reasons = [*gates.do_not_contact(contact), gates.NO_ADDRESS[channel]]
    else:
        facts = facts or AddressFacts(address=key)
        reasons = [
            *gates.do_not_contact(contact),
            *gates.line(contact, channel),
            *(
                gates.carrier_blocks(facts, sender, senders)
                if channel is Channel.SMS
                else gates.suppressions(facts, senders)
            ),
            *gates.consent(consent, channel),
            *gates.hold(facts),
            *gates.bounce(facts, channel),
        ]
    answer = _answer(reasons)
    if behind is not None and answer is not Answer.NO:
        reasons = [gates.storage_behind(behind), *reasons]
        answer = Answer.UNVERIFIED
    return Decision(
        channel=channel,
        answer=answer,
        status=_status(answer, reasons, consent),
        gates=tuple(reasons),
        notes=_notes(consent, facts),
    )


def answer(
    contact: Contact,
    facts: AddressFacts | None,
    channel: Channel,
    sender: Sender | None = None,
    senders: Senders = ANY,
    behind: StorageBehind | None = None,
) -> Answer:
    """What `decide` answers, without its reasons. Quick for whoever did not agree, and where
    nothing is known that could stand in the way: an import asks it of each row. A test compares
    the two."""
    if contact.consent(channel).on is not ConsentValue.YES:
        return Answer.NO
    marked = contact.do_not_contact or contact.erased or contact.line is LineType.LANDLINE
    if not marked and (facts is None or facts.empty):
        return Answer.YES if behind is None else Answer.UNVERIFIED
    return decide(contact, facts, channel, sender, senders, behind).answer


def _answer(reasons: list[Gate]) -> Answer:
    if any(gate.code not in _UNVERIFIED for gate in reasons):
        return Answer.NO
    return Answer.UNVERIFIED if reasons else Answer.YES


def _status(answer: Answer, reasons: list[Gate], consent: Consent) -> Status:
    if answer is Answer.YES:
        return Status.OPTED_IN
    if answer is Answer.UNVERIFIED:
        return Status.WAITING
    codes = {gate.code for gate in reasons}
    if codes - _UNVERIFIED == {Code.NEVER_ASKED}:
        return Status.NEVER_ASKED
    if consent.on is ConsentValue.NO and not codes & {Code.ERASED, Code.NO_ADDRESS}:
        return Status.OPTED_OUT
    return Status.UNREACHABLE


def _notes(consent: Consent, facts: AddressFacts | None) -> tuple[str, ...]:
    notes = []
    if consent.unproven:
        notes.append("Unproven: nothing shows that the contact agreed.")
    if facts is not None and facts.bounce is Bounce.NO and facts.soft_failures:
        count = len(facts.soft_failures)
        notes.append(f"{count} message{'s' if count > 1 else ''} could not be delivered lately.")
    return tuple(notes)


def check_yes(
    current: Consent, channel: Channel, evidence: bool, when: Callable[[datetime], str]
) -> None:
    """Raises where a person may not set YES directly (rules.md §6).

    `NeedsManager` where the contact refused, `NeedsEvidence` where nothing shows the permission.
    `when` puts a time into words for the reader.
    """
    field = f"{channel}_on"
    if current.refused:
        since = f" on {when(current.since)}" if current.since else ""
        raise NeedsManager(
            f"The contact refused {THINGS[channel]}{since}. It takes the contact's new "
            "permission and a manager's approval to set this to YES.",
            field=field,
        )
    if not evidence:
        raise NeedsEvidence(field="evidence")


def check_undo(
    *, before: str, after: str, actor: str, by: Actor, recorded_at: datetime, now: datetime
) -> None:
    """Raises `TooLate` or `Refused` where this change is no slip of one's own that may be undone
    (rules.md §6). That nothing lies between is for the caller to see."""
    if (before, after) != (ConsentValue.YES, ConsentValue.NO):
        raise Refused("Only a change from YES to NO can be undone.")
    if actor != by.id:
        raise Refused("Only whoever made this change can undo it.")
    if now - recorded_at > UNDO_WITHIN:
        raise TooLate("A change can be undone for 15 minutes. This one is older.")


def too_many(failures: Sequence[datetime]) -> bool:
    """Whether these soft failures make a bounce. They are sorted."""
    for first, began in enumerate(failures):
        last = bisect_right(failures, began + SOFT_WITHIN) - 1
        if last - first + 1 >= SOFT_LIMIT and failures[last].date() != began.date():
            return True
    return False


class Imported(StrEnum):
    """What an import row's word does to a consent (rules.md §4, §8.3, §8.12)."""

    UNCHANGED = "unchanged"
    SET = "set"
    #: The file says YES and the contact refused: NO stands.
    KEPT = "kept"


def import_consent(current: Consent, wanted: ConsentValue, proven: bool) -> Imported:
    """May set NO; may fill UNSET; never turns NO into YES.

    `proven`: the row brings evidence, which a yes without any takes on.
    """
    if wanted is ConsentValue.UNSET:
        return Imported.UNCHANGED
    if wanted is ConsentValue.NO:
        return Imported.UNCHANGED if current.refused else Imported.SET
    if current.on is ConsentValue.NO:
        return Imported.KEPT
    if current.on is ConsentValue.YES:
        return Imported.SET if current.unproven and proven else Imported.UNCHANGED
    return Imported.SET


def whose(reason: str | None, by: Origin | None) -> Origin:
    """Whose `no` it is: what the contact asked for, and every `no` without a reason, is the
    contact's; wrong person and correction are the staff's (rules.md §6). Whoever says `by` decides
    the rest: another word for staff must not take a refusal from the contact."""
    if by is Origin.STAFF and (not reason or reason in _CONTACT_REASONS):
        return Origin.CONTACT
    if by is not None:
        return by
    return Origin.STAFF if reason in _STAFF_REASONS else Origin.CONTACT


class Reason(StrEnum):
    """Why a status is changed, as the edit modal offers it."""

    PHONE = "Asked by phone"
    EMAIL = "Asked by e-mail"
    IN_PERSON = "Asked in person"
    WEB_FORM = "Web form"
    WRONG_PERSON = "Wrong person"
    CORRECTION = "Correction"


_STAFF_REASONS = frozenset({Reason.WRONG_PERSON, Reason.CORRECTION})
_CONTACT_REASONS = frozenset(Reason) - _STAFF_REASONS
