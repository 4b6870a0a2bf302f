"""The text of a reply as it is read: only the contact's own words, in one form of each letter.

Removes what the phone quoted of our message, and our own footer: "Reply STOP to end" is no word of
the contact's (rules.md §5). Removes, too, what phones, keyboards and copying add to words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

#: Where the rest is a quoted message: a line of ours, or the head that a mail program writes.
_REST = re.compile(
    r"^ ?(?:"
    r"-{2,} ?(?:original|forwarded|message d'origine|urspr|mensaje original|mensagem original).*"
    r"|(?:on|am|le|el|em) [^\n]{5,120}"
    r"\b(?:wrote|schrieb|a écrit|escribió|escreveu)\b[^\n]{0,40}: ?$"
    r"|(?:from|von|de): [^\n]+\n ?(?:sent|to|gesendet|an|envoyé|à|enviado|para|date|fecha|data): .+"
    r").*",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_QUOTED_LINE = re.compile(r"^ ?[>＞›»|].*$", re.MULTILINE)
#: What phones send for a reaction to our message, which stands behind it.
_REACTION = (
    r"^\s*(?:(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned"
    r"|reacted(?: with)? (?P<en>\S+) to|removed an? \w+(?: \w+)? from"
    r"|a (?:aimé|adoré|pas aimé|ri de)|a réagi (?:avec|par) (?P<fr>\S+) à"
    r"|gefällt|hat (?P<de>\S+) reagiert auf|le (?:gustó|encantó)|reaccionó con (?P<es>\S+) a"
    r"|(?:gostou|amou|curtiu)(?: de)?|reagiu com (?P<pt>\S+) a))\s*[:]?\s*[\"“«„].*$"
)
_WORDS = (
    r"(?:stop ?all|stop(?:p|2end)?|end|quit|cancel|unsubscribe|unsub|opt[ -]?out|remove|arr[eê]t"
    r"|baja|alto|parar|cancelar|sair|salir|help|start)"
)
_WORD = rf"[\"'“‘«„]?\b{_WORDS}\b[\"'”’»“]?"
_SAY = (
    r"(?:reply|respond|replying|text|txt|send|type|msg|repl|rply|répondez|repondez|répondre|envoyez"
    r"|antworte(?:n sie)?|sende(?:n sie)?|schreibe(?:n sie)?|responda?|responde|env[ií][ae]|manda"
    r"|conteste|escriba|escribe)(?: (?:back|with|us|by|par|avec|mit|con|com|sms"
    r"|the word|le mot|la palabra|a palavra|das wort))*"
)
_IMPERATIVE = (
    "Reply|Text|Txt|Send|Répondez|Envoyez|Antworte|Antworten Sie|Responda|Responde|Envía|Envie"
)
_CAPITALS = "STOPP?|END|QUIT|CANCEL|UNSUBSCRIBE|ARRET|BAJA|ALTO|PARAR|SAIR"
#: "Reply STOP to end", "Text STOP to 12345 to opt out", "STOP2END", "To opt out reply STOP",
#: "Répondez STOP pour vous désabonner", "STOP au 36111".
_FOOTER = (
    rf"(?:{_SAY}:? {_WORD}(?: (?:to|au|à|an|al?|ao|para o|em) \+?\d{{3,}})?"
    r",? ?(?:2|to|for|pour|um|zum|zu|zur|para|if you|si|anytime|and|or|ou|oder|o)\b"
    r"[^.!?\n\"“”]{0,80}"
    rf"|(?-i:(?:{_IMPERATIVE}) (?:{_CAPITALS})\b)"
    rf"|{_WORD} ?(?:2|to) ?(?:end|stop|cancel|quit|opt[ -]?out|unsubscribe|unsub|leave|\d{{4,}})"
    rf"|{_WORD}(?: sms)? (?:au|an|al) \d{{4,}}"
    r"|(?:to (?:opt[ -]?out|unsubscribe|stop|end|cancel|be removed|leave)"
    r"|pour (?:vous |ne plus |se |arr)|zum (?:ab|be|stop)|um (?:sich |keine )"
    r"|para (?:dejar|darse|no |cancelar|salir|sair|parar|não |nao ))"
    rf"[^.!?\n\"“”]{{0,60}}?[,:]? {_SAY}:? {_WORD}(?: (?:to|au|an|al) \d{{3,}})?"
    r"|(?:opt[ -]?out|unsubscribe|unsub|abmelden|abmeldung|abbestellen|désinscription"
    r"|désabonnement|baja|cancelar)"
    rf"(?: ?[:=] ?| (?:mit|avec|con|com) |:? {_SAY}:? )\"?STOPP?\b\"?(?: (?:to|au|an|al) \d{{3,}})?"
    r"|(?:std )?(?:msg|message)s? ?(?:&|and|&amp;) ?data rates (?:may )?apply)"
)
#: As a sentence of its own; with nothing before it that divides, only where it looks like ours.
_OWN_FOOTER = (
    rf"(?:(?:^|(?<=[.!?:;,\n\"“”>)(|*/–—-])) ?{_FOOTER}"
    rf"|(?-i:(?=(?:{_IMPERATIVE}) .?(?:{_CAPITALS})))"
    rf"{_FOOTER})(?= ?(?:[.!;\n\"”»)|]|$))"
)
_SENTENCE_IN_QUOTES = re.compile(r"[\"“«„]([^\"“”«»„]{12,})[\"”»“]")
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")
_LETTER = re.compile(r"[^\W_]")

#: No text message is longer (Twilio joins parts up to 1,600 characters). Of anything longer the
#: beginning and the end are read, so that no reply takes long.
LONGEST, TAIL = 1600, 400

#: Zero-width characters, directional marks, variation selectors, tags, soft hyphen, keycap, and
#: the stroke that lengthens Arabic words.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s+")
#: "Symbol, other" is where emoji and U+FFFD live, which stands for a repaired NUL or half an emoji
#: (rules.md §2a); modifiers are the skin tones; "Cs" are halves that nobody repaired.
_EMOJI = frozenset({"So", "Sk", "Cn", "Co", "Cs"})
#: Unicode gives the white letters on black ("ST🅾🅿") no plain ones.
_WHITE_LETTERS = {
    first + i: letter
    for first in (0x1F150, 0x1F170)
    for i, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}
#: Letters that Unicode does not take apart.
_BASE_LETTERS = str.maketrans({"ı": "i", "ł": "l", "đ": "d", "ø": "o"})


def without_quoted(text: str) -> str:
    """The contact's own part of a text; all of it where nothing else would be left."""
    left = text = _BLANKS.sub(" ", text)
    if reaction := _reaction().match(text):
        return next(filter(None, reaction.groups()), "")
    if ">" in left or "\n" in left or "＞" in left or "|" in left:
        left = _QUOTED_LINE.sub("", _REST.sub("", left))
        left = _after_mark(left)
    if _own_footer().search(left):
        left = _SENTENCE_IN_QUOTES.sub(_without_footer_inside, left)
        left = _own_footer().sub(" ", left)
    if left is text:
        return text
    return left if _LETTER.search(left) else text


# These two take a command as long to compile as all its other patterns together, and few commands
# read a reply.
@cache
def _reaction() -> re.Pattern[str]:
    return re.compile(_REACTION, re.IGNORECASE | re.DOTALL)


@cache
def _own_footer() -> re.Pattern[str]:
    return re.compile(_OWN_FOOTER, re.IGNORECASE)


def _after_mark(text: str) -> str:
    """Without what follows a ">" in the line, where our footer stands in it."""
    before, mark, after = text.partition(">")
    return before if mark and _own_footer().search(after) else text


def _without_footer_inside(quote: re.Match[str]) -> str:
    return " " if _own_footer().search(quote[1]) else quote[0]


def shown(text: str) -> str:
    """The text in one form of each letter (NFKC), without what can't be seen; long ones cut."""
    text = _cut(text)
    if text.isascii():
        return text
    plain = _INVISIBLE.sub("", text).translate(_WHITE_LETTERS)
    # Cut again: one character of Arabic script can stand for eighteen.
    return _cut(_INVISIBLE.sub("", unicodedata.normalize("NFKC", plain)))


def without_emoji(text: str, *, instead: str = "") -> str:
    """The text without emoji; `instead` is what stands in their place."""
    if text.isascii():
        return text
    return "".join(instead if unicodedata.category(c) in _EMOJI else c for c in text)


def without_accents(text: str) -> str:
    """The text in base letters: "arrêt" is "arret", "ß" is "ss" already by case folding."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(
        c for c in decomposed if not unicodedata.combining(c) or _is_letter_of_its_own(c)
    ).translate(_BASE_LETTERS)


def _is_letter_of_its_own(mark: str) -> bool:
    """The marks of Indic scripts and of Thai are no accents: they tell "หยุด" from "หยด"."""
    return "\u0900" <= mark <= "\u109f"


def folded(text: str) -> str:
    """The whole text as a keyword is compared: no emoji, no surrounding space, quotes and
    punctuation, one space between words, case folded."""
    text = without_emoji(text).casefold()
    start, end = 0, len(text)
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not (text[end - 1].isalnum() or _is_mark(text[end - 1])):
        end -= 1
    return _SPACES.sub(" ", text[start:end])


def _is_mark(character: str) -> bool:
    """Whether it belongs to the letter before it, like the vowel at the end of "रोकें"."""
    return unicodedata.category(character).startswith("M")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST + TAIL else f"{text[:LONGEST]} {text[-TAIL:]}"
