"""What an entry says of blocks, suppression lists, bounces and failed messages."""

from __future__ import annotations

from bot.consent.log.entries import (
    LEAVING,
    SOFT,
    UNDO_IMPORT,
    Entry,
)
from bot.consent.model import BlockState, Bounce, Channel, Origin
from bot.consent.suppressions import Listing, why
from handlers.entry_sentences.consent_sentences import contacts_words
from handlers.entry_sentences.sentence_style import (
    SHORT,
    Sentence,
    Style,
    left_of,
    number_of,
    thing_of,
    value_of,
    with_reason,
    word_of,
)


def block_sentence(entry: Entry, style: Style) -> Sentence:
    """A block of one of our numbers, or an entry of a provider's suppression list."""
    return _listed(entry, style) if entry.channel is Channel.EMAIL else _blocked(entry, style)


def _blocked(entry: Entry, style: Style) -> Sentence:
    number = number_of(entry, style)
    texts = f"Texts from {number}" if number else "Our texts"
    if entry.after == BlockState.NONE:
        lifted = "" if entry.before == BlockState.NONE else ", which lifts the block"
        if said := contacts_words(entry, style):
            return Sentence(f"{said.text}{lifted}", said.left)
        if entry.reason == "Delivered":
            return Sentence(f"{texts} are no longer blocked: a text was delivered")
        return with_reason(f"{texts} are no longer blocked", entry, style)
    still = "still " if entry.before == entry.after else ""
    certain = "are" if entry.after == BlockState.BLOCKED else "may be"
    text = f"{texts} {certain} {still}blocked"
    if not entry.reason and entry.by is Origin.CONTACT:
        return Sentence(f"{text}: the contact opted out there")
    return with_reason(text, entry, style)


def _listed(entry: Entry, style: Style) -> Sentence:
    """An e-mail provider's suppression list."""
    listing = Listing.of(entry.sender or "")
    label = style.say(style.providers.label(listing.provider), SHORT) or "the provider"
    if entry.after == BlockState.NONE:
        return with_reason(f"Taken off {label}'s suppression list", entry, style)
    if LEAVING in (entry.changes or {}):
        return _leaving(entry, style, label)
    because = style.say(why(listing), SHORT)
    still = "Still on" if entry.before == entry.after else "Put on"
    if entry.after == BlockState.UNKNOWN:
        still = "Perhaps on"
    return Sentence(f"{still} {label}'s suppression list: {because}", left_of(entry, style))


def _leaving(entry: Entry, style: Style, label: str) -> Sentence:
    """Optin begins to take an entry off a provider's list, or gives that up."""
    _, begins = (entry.changes or {})[LEAVING]
    if not begins:
        return with_reason(f"Stays on {label}'s suppression list", entry, style)
    if entry.after == BlockState.UNKNOWN:
        return Sentence(f"Looking it up on {label}'s suppression list")
    listing = Listing.of(entry.sender or "")
    because = style.say(why(listing), SHORT)
    return Sentence(f"Taking it off {label}'s suppression list: {because}")


def bounce_sentence(entry: Entry, style: Style) -> Sentence:
    """A message that failed, bounced or was delivered, or a bounce that a person cleared."""
    thing = thing_of(entry)
    reason = entry.reason or ""
    if reason.startswith(UNDO_IMPORT):
        stays = "stays" if entry.before == entry.after else "back to"
        left = reason.removeprefix(UNDO_IMPORT).removeprefix(": ") or None
        return Sentence(
            f"Import undone: {word_of(entry)} Bounce {stays} {value_of(entry.after)}", left
        )
    if entry.after == Bounce.PROBATION and entry.before != entry.after:
        left = entry.reason if entry.by is Origin.STAFF else None
        return Sentence(f"Bounce cleared: the next {thing} is a test", left)
    if entry.before == entry.after and SOFT in (entry.changes or {}):
        return _soft(entry, style)
    if entry.after == Bounce.YES:
        return _bounced(entry, style)
    if reason == "Delivered":
        return Sentence(f"{thing.capitalize()} delivered: the bounce is over")
    stays = "stays" if entry.before == entry.after else "set to"
    return with_reason(f"{word_of(entry)} Bounce {stays} {value_of(entry.after)}", entry, style)


def _soft(entry: Entry, style: Style) -> Sentence:
    """A failure that counts towards a bounce, or a delivery after some."""
    before, after = (int(str(count)) for count in (entry.changes or {})[SOFT])
    thing = thing_of(entry).capitalize()
    if after < before:
        return Sentence(f"{thing} delivered: the failures before it no longer count")
    return with_reason(f"{thing} failed", entry, style)


def _bounced(entry: Entry, style: Style) -> Sentence:
    imported = "Imported: " if entry.actor.startswith("import:") else ""
    again = " again" if entry.before == entry.after else ""
    if entry.by is Origin.CONTACT:
        text = f"{imported}reported our e-mail as spam{again}"
        left = None if imported or entry.reason == "Reported as spam" else entry.reason
        return Sentence(text[:1].upper() + text[1:], left)
    if imported:
        address = "phone number" if entry.channel is Channel.SMS else "e-mail address"
        return Sentence(f"{imported}{address} bounced{again}")
    return with_reason(f"{thing_of(entry).capitalize()} bounced{again}", entry, style)


def expected_sentence(entry: Entry, style: Style) -> Sentence:
    """The failure of the confirmation that follows a STOP."""
    text = f"{thing_of(entry).capitalize()} failed, as it must after an opt-out"
    return with_reason(text, entry, style)
