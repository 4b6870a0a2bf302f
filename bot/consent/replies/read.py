"""Reading an inbound text with two matchers: what the law hears, and what the carrier does
(rules.md §5). "STOP" is both; "Stop. Thank you" is a refusal that blocks nothing."""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.consent.events import Marker
from bot.consent.replies import keywords
from bot.consent.replies.concepts import concepts
from bot.consent.replies.features import END
from bot.consent.replies.model import model
from bot.consent.replies.normal import folded, shown, without_accents
from bot.consent.replies.phrases import phrases
from bot.consent.replies.reply import Blocks, Refusal, Reply
from bot.consent.replies.slips import is_word, slip_of
from bot.consent.replies.words import read_words

#: Log odds from which the model alone makes it a refusal: chosen by cross-validation on the work
#: half, where one text in a hundred that is none then passes for one.
_SURE = 1.2
#: Log odds below which the model does not believe a phrase either; chosen with it.
_UNLIKELY = -0.8
#: "Stpo please" is a slip as well.
_COURTESY = re.compile(
    r"\b(?:please|pls|plz|thanks|thank you|thx|now|svp|merci|bitte|danke|por favor|gracias"
    r"|obrigad[oa])\b"
)
#: Alone, without a word, these say it too.
_STOP_SIGNS = frozenset("🛑⛔🚫🖕")


def read_reply(
    text: str,
    provider: str,
    languages: Collection[str],
    *,
    marker: Marker | None = None,
    toll_free: bool = False,
    blocked: bool = False,
) -> Reply:
    """What a contact's text means.

    `languages` are the packs whose opt-out words count as keywords, besides English; refusals in
    free words are heard in every language. `marker` is the provider's own reading and believed
    first. `blocked`: a block stands for this sender and number, so that YES may clear it.
    """
    bare = text.strip().casefold()
    seen = folded(shown(text))
    if marker is Marker.STOP:
        return Reply(refusal=Refusal.KEYWORD, block=Blocks.YES, matched=(seen,) if seen else ())
    if marker is Marker.START:
        return Reply(unblock=True)
    if marker is Marker.HELP:
        return Reply(help=True)
    refusal, matched = _refusal(text, seen, languages)
    unblocks = bare in keywords.UNBLOCKING or (
        bare == keywords.UNBLOCKING_IF_BLOCKED and blocked and not toll_free
    )
    return Reply(
        refusal=refusal,
        block=_block(bare, seen, provider, toll_free=toll_free, refused=bool(matched)),
        unblock=unblocks,
        almost_unblock=not unblocks and without_accents(seen) in keywords.UNBLOCKING,
        help=seen in keywords.helps(languages),
        matched=matched,
    )


def left_to_read(text: str) -> tuple[tuple[str, ...], bool]:
    """What the model reads: the words without the innocent phrases, and whether they ask."""
    read = read_words(text)
    return _marked(phrases().without_innocent(read.clauses())), read.asks


def _refusal(text: str, seen: str, languages: Collection[str]) -> tuple[Refusal, tuple[str, ...]]:
    plain = without_accents(seen)
    words = keywords.opt_outs(languages)
    if seen in words or plain in words:
        return Refusal.KEYWORD, (seen,)
    if plain in keywords.UNBLOCKING:
        return Refusal.NONE, ()
    if slip_of(_COURTESY.sub("", plain).strip(" .,!")):
        return Refusal.PROBABLE, (seen,)
    return _in_own_words(text)


def _in_own_words(text: str) -> tuple[Refusal, tuple[str, ...]]:
    read = read_words(text)
    if not read.words:
        signs = tuple(dict.fromkeys(sign for sign in text[:100] if sign in _STOP_SIGNS))
        return (Refusal.PROBABLE if signs else Refusal.NONE), signs
    left = phrases().without_innocent(read.clauses())
    words = _marked(left)
    odds = model().score(words, asks=read.asks)
    if odds >= _UNLIKELY and (found := phrases().refusals(left) or _misspelled(left)):
        return Refusal.PROBABLE, found
    alone = len(words) == 3 and is_word(words[1])
    if not alone and odds >= _SURE:
        return Refusal.PROBABLE, model().reasons(words, asks=read.asks)
    return Refusal.NONE, ()


def _marked(left: str) -> tuple[str, ...]:
    """The words of clauses as the model reads them: the text begins and ends like a clause."""
    return (END, *left.split(), END)


def _misspelled(left: str) -> tuple[str, ...]:
    """The refusals in what was meant by misspelled words."""
    lexicon = concepts()
    meant = " ".join(
        word if lexicon.of(word) else lexicon.meant(word) or word for word in left.split(" ")
    )
    if meant == left:
        return ()
    return phrases().refusals(phrases().without_innocent(meant))


def _block(bare: str, seen: str, provider: str, *, toll_free: bool, refused: bool) -> Blocks:
    """The carrier compares the bare text; with anything around the word, nobody can tell. Nor
    where it goes by the beginning alone, of a text that refuses nothing: "stop by tomorrow?"."""
    words = keywords.TOLL_FREE if toll_free else keywords.BLOCKING.get(provider)
    if words is None:
        unsure = keywords.COMMON
        return Blocks.UNKNOWN if {seen, without_accents(seen)} & unsure else Blocks.NO
    begins = None if toll_free else keywords.BEGINS.get(provider)
    if bare in words or (refused and begins and _begins(bare, begins)):
        return Blocks.YES
    if seen in words or without_accents(seen) in words:
        return Blocks.UNKNOWN
    if begins and without_accents(seen).startswith(begins):
        return Blocks.UNKNOWN
    return Blocks.NO


def _begins(bare: str, word: str) -> bool:
    return bare.startswith(word) and not bare[len(word) : len(word) + 1].isalnum()
