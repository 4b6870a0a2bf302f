"""Reading an inbound text with two matchers: what the law hears, and what the carrier does
(rules.md §5). "STOP" is both; "Stop. Thank you" is a refusal that blocks nothing."""

from __future__ import annotations

from collections.abc import Collection

from bot.consent.events import Marker
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.replies import keywords
from bot.consent.replies.concepts import concepts
from bot.consent.replies.features import END, features
from bot.consent.replies.fillers import only_stop_words
from bot.consent.replies.keywords import TOLL_FREE
from bot.consent.replies.linear_model import model
from bot.consent.replies.message_text import folded, shown, without_accents, without_quoted
from bot.consent.replies.phrases import phrases
from bot.consent.replies.reply import Blocks, Refusal, Reply
from bot.consent.replies.slips import is_word
from bot.consent.replies.words import read_words

#: Log odds from which the model alone makes it a refusal: chosen by cross-validation on the work
#: half, where one text in a hundred that is none then passes for one.
_SURE = 1.2
#: Log odds below which the model does not believe a phrase either; chosen with it.
_UNLIKELY = -0.8
#: What changes nothing of what a text says, at its end and at its beginning.
_COURTESY = frozenset(
    {
        "please", "pls", "plz", "plse", "pleas", "kindly", "thanks", "thank", "thx", "ty", "tysm",
        "merci", "svp", "bitte", "danke", "gracias", "porfa", "favor", "obrigado", "obrigada",
        "obg", "pfv", "sir", "maam", END,
    }
)  # fmt: skip
_GREETINGS = _COURTESY | {
    "hi", "hello", "hey", "there", "ok", "okay", "so", "um", "uh", "er", "btw", "fyi", "team",
    "guys", "yeah", "yo", "well", "dear", "folks", "good", "morning", "afternoon", "evening",
    "bonjour", "bonsoir", "hallo", "guten", "tag", "abend", "hola", "buenas", "buenos", "dias",
    "tardes", "oi", "ola", "bom", "boa", "dia", "tarde", "por",
}  # fmt: skip
#: Alone, without a word, these say it too.
_STOP_SIGNS = frozenset("🛑⛔🚫🖕")


def read_reply(
    text: str,
    blocking: BlockingWords | None,
    languages: Collection[str],
    *,
    marker: Marker | None = None,
    toll_free: bool = False,
    blocked: bool = False,
) -> Reply:
    """What a contact's text means.

    `blocking` is what the provider blocks by itself; None where nobody has told Optin. `languages`
    are the packs whose opt-out words count as keywords, besides English; refusals in free words
    are heard in every language. `marker` is the provider's own reading and believed first.
    `blocked`: a block stands for this sender and number, so that YES may clear it.
    """
    bare = text.strip().casefold()
    whole = folded(shown(text))
    if marker is Marker.STOP:
        return Reply(refusal=Refusal.KEYWORD, block=Blocks.YES, matched=(whole,) if whole else ())
    if marker is Marker.START:
        return Reply(unblock=True)
    if marker is Marker.HELP:
        return Reply(help=True)
    # What the contact says is what they wrote; what the provider does depends on all it saw.
    own = without_quoted(text)
    said = whole if own == text else folded(shown(own))
    packs = frozenset(languages)
    refusal, matched = _refusal(own, said, packs)
    unblocks = bare in keywords.UNBLOCKING or (
        bare == keywords.UNBLOCKING_IF_BLOCKED and blocked and not toll_free
    )
    return Reply(
        refusal=refusal,
        block=_block(bare, whole, TOLL_FREE if toll_free else blocking, refused=bool(matched)),
        unblock=unblocks,
        almost_unblock=not unblocks and without_accents(said) in keywords.UNBLOCKING,
        help=said in keywords.helps(packs),
        matched=matched,
    )


def seen_by_model(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """For the training: the features that the model sees of a text, and those that it would see if
    no innocent phrase were known."""
    read = read_words(text)
    clauses = read.clauses()
    left = phrases().without_innocent(clauses)
    return _features(clauses, left, asks=read.asks), _features(clauses, clauses, asks=read.asks)


def _refusal(own: str, said: str, languages: frozenset[str]) -> tuple[Refusal, tuple[str, ...]]:
    plain = without_accents(said)
    words = keywords.opt_outs(languages)
    if said in words or plain in words:
        return Refusal.KEYWORD, (said,)
    if plain in keywords.UNBLOCKING:
        return Refusal.NONE, ()
    if only_stop_words(plain):
        return Refusal.PROBABLE, (said,)
    return _in_own_words(own)


def _in_own_words(text: str) -> tuple[Refusal, tuple[str, ...]]:
    read = read_words(text)
    if not read.words:
        signs = tuple(dict.fromkeys(sign for sign in text[:100] if sign in _STOP_SIGNS))
        return (Refusal.PROBABLE if signs else Refusal.NONE), signs
    clauses = read.clauses()
    left = phrases().without_innocent(clauses)
    odds = model().score(_features(clauses, left, asks=read.asks))
    if odds >= _UNLIKELY and (found := phrases().refusals(left) or _misspelled(left)):
        return Refusal.PROBABLE, found
    alone = len(read.words) == 1 and is_word(read.words[0])
    if not alone and odds >= _SURE:
        return Refusal.PROBABLE, model().reasons(_marked(clauses), asks=read.asks)
    return Refusal.NONE, ()


def _features(clauses: str, left: str, *, asks: bool) -> frozenset[str]:
    """What the model sees: the text as it is, and the text without the innocent phrases, since
    these may take a refusal out as well."""
    texts = dict.fromkeys((clauses, left))
    return frozenset(name for text in texts for name, _, _ in features(_marked(text), asks=asks))


def _marked(left: str) -> tuple[str, ...]:
    """The words of clauses as the model reads them, without greeting and courtesy around them:
    the text begins and ends like a clause."""
    words = left.split()
    start, end = 0, len(words)
    while start < end - 1 and words[start] in _GREETINGS:
        start += 1
    while end > start + 1 and words[end - 1] in _COURTESY:
        end -= 1
    return (END, *words[start:end], END)


def _misspelled(left: str) -> tuple[str, ...]:
    """The refusals in what was meant by misspelled words."""
    lexicon = concepts()
    meant = " ".join(
        word if lexicon.of(word) else lexicon.meant(word) or word for word in left.split(" ")
    )
    if meant == left:
        return ()
    return phrases().refusals(phrases().without_innocent(meant))


def _block(bare: str, seen: str, blocking: BlockingWords | None, *, refused: bool) -> Blocks:
    """The carrier compares the bare text; with anything around the word, nobody can tell. Nor
    where it goes by the beginning alone, of a text that refuses nothing: "stop by tomorrow?"."""
    if blocking is None:
        return Blocks.UNKNOWN if {seen, without_accents(seen)} & COMMON else Blocks.NO
    words, begins = blocking.words, blocking.beginning
    if bare in words or (refused and begins and _begins(bare, begins)):
        return Blocks.YES
    if seen in words or without_accents(seen) in words:
        return Blocks.UNKNOWN
    if begins and without_accents(seen).startswith(begins):
        return Blocks.UNKNOWN
    return Blocks.NO


def _begins(bare: str, word: str) -> bool:
    return bare.startswith(word) and not bare[len(word) : len(word) + 1].isalnum()
