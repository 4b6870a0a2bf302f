"""What the contact wrote, without what their phone quoted of our message and without our own
footer: "Reply STOP to end" is no word of theirs (rules.md §5)."""

from __future__ import annotations

import re

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
_REACTION = re.compile(
    r"^\s*(?:(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned"
    r"|reacted(?: with)? (?P<en>\S+) to|removed an? \w+(?: \w+)? from"
    r"|a (?:aimé|adoré|pas aimé|ri de)|a réagi (?:avec|par) (?P<fr>\S+) à"
    r"|gefällt|hat (?P<de>\S+) reagiert auf|le (?:gustó|encantó)|reaccionó con (?P<es>\S+) a"
    r"|(?:gostou|amou|curtiu)(?: de)?|reagiu com (?P<pt>\S+) a))\s*[:]?\s*[\"“«„].*$",
    re.IGNORECASE | re.DOTALL,
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
_OWN_FOOTER = re.compile(
    rf"(?:(?:^|(?<=[.!?:;,\n\"“”>)(|*/–—-])) ?{_FOOTER}"
    rf"|(?-i:(?=(?:{_IMPERATIVE}) .?(?:{_CAPITALS})))"
    rf"{_FOOTER})(?= ?(?:[.!;\n\"”»)|]|$))",
    re.IGNORECASE,
)
_SENTENCE_IN_QUOTES = re.compile(r"[\"“«„]([^\"“”«»„]{12,})[\"”»“]")
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")
_LETTER = re.compile(r"[^\W_]")


def without_quoted(text: str) -> str:
    """The contact's own part of a text; all of it where nothing else would be left."""
    left = text = _BLANKS.sub(" ", text)
    if reaction := _REACTION.match(text):
        return next(filter(None, reaction.groups()), "")
    if ">" in left or "\n" in left or "＞" in left or "|" in left:
        left = _QUOTED_LINE.sub("", _REST.sub("", left))
        left = _after_mark(left)
    if _OWN_FOOTER.search(left):
        left = _SENTENCE_IN_QUOTES.sub(_without_footer_inside, left)
        left = _OWN_FOOTER.sub(" ", left)
    if left is text:
        return text
    return left if _LETTER.search(left) else text


def _after_mark(text: str) -> str:
    """Without what follows a ">" in the line, where our footer stands in it."""
    before, mark, after = text.partition(">")
    return before if mark and _OWN_FOOTER.search(after) else text


def _without_footer_inside(quote: re.Match[str]) -> str:
    return " " if _OWN_FOOTER.search(quote[1]) else quote[0]
