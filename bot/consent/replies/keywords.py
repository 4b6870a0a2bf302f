"""The words that a carrier or a law knows: a table for each language. What a provider blocks stands
in the provider's own folder, as `BlockingWords`."""

from __future__ import annotations

from functools import cache

from bot.consent.known_providers import BlockingWords
from bot.consent.replies.message_text import without_accents

#: Opt-out words, compared with the whole text. English words are keywords in every workspace.
ENGLISH = frozenset(
    {
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke",
        "optout", "opt out", "opt-out", "remove",
    }
)  # fmt: skip
#: Keywords in workspaces that switch the language on; elsewhere a probable refusal (rules.md §5).
LANGUAGES: dict[str, frozenset[str]] = {
    "ar": frozenset({"توقف", "إلغاء", "قف"}),
    "bg": frozenset({"спри", "отпиши"}),
    "cs": frozenset({"stop", "odhlásit"}),
    "da": frozenset({"stop", "afmeld"}),
    "de": frozenset({"stopp", "abmelden"}),
    "el": frozenset({"διακοπή", "σταμάτα"}),
    "es": frozenset({"baja", "parar", "alto", "cancelar", "no mas", "no más"}),
    "fa": frozenset({"توقف", "لغو"}),
    "fi": frozenset({"lopeta", "peru"}),
    "fr": frozenset({"arret", "arrêt", "arrete", "arrête", "td", "stop", "désabonner"}),
    "he": frozenset({"הסר", "עצור"}),
    "hi": frozenset({"रोकें", "बंद"}),
    "hr": frozenset({"stani", "odjavi", "стани", "одјави"}),
    "ht": frozenset({"sispann"}),
    "hu": frozenset({"leiratkozás", "állj"}),
    "id": frozenset({"berhenti", "batal"}),
    "it": frozenset({"stop", "annulla", "cancella", "disiscrivi"}),
    "ja": frozenset({"停止", "解除", "配信停止"}),
    "ko": frozenset({"수신거부", "중지"}),
    "ms": frozenset({"berhenti", "batal"}),
    "nl": frozenset({"stop", "afmelden", "uitschrijven"}),
    "no": frozenset({"stopp", "avmeld"}),
    "pl": frozenset({"stop", "wypisz", "rezygnuję"}),
    "pt": frozenset({"sair", "parar", "cancelar"}),
    "ro": frozenset({"dezabonare", "oprește", "opreşte"}),
    "ru": frozenset({"стоп", "отписаться", "хватит"}),
    "sk": frozenset({"stop", "odhlásiť"}),
    "sr": frozenset({"stani", "odjavi", "стани", "одјави"}),
    "sv": frozenset({"stopp", "avsluta", "avregistrera"}),
    "th": frozenset({"ยกเลิก", "หยุด"}),
    "tl": frozenset({"tigil", "itigil"}),
    "tr": frozenset({"dur", "iptal", "çık"}),
    "uk": frozenset({"стоп", "відписатися"}),
    "vi": frozenset({"huy", "hủy", "huỷ", "dung", "dừng"}),
    "zh": frozenset({"退订", "退訂", "停止", "取消"}),
}

#: A toll-free number is blocked in the network, by this word alone.
TOLL_FREE = BlockingWords(frozenset({"stop"}))

#: Clear a block, as the bare text only; `YES` only where a block exists and not toll-free.
UNBLOCKING = frozenset({"start", "unstop"})
UNBLOCKING_IF_BLOCKED = "yes"

HELP = frozenset({"help", "info"})
HELP_LANGUAGES: dict[str, frozenset[str]] = {
    "fr": frozenset({"aide"}),
    "de": frozenset({"hilfe"}),
    "es": frozenset({"ayuda"}),
    "pt": frozenset({"ajuda"}),
}


@cache
def helps(languages: frozenset[str]) -> frozenset[str]:
    return HELP.union(*(HELP_LANGUAGES.get(language, frozenset()) for language in languages))


@cache
def opt_outs(languages: frozenset[str]) -> frozenset[str]:
    """The opt-out words of English and these languages, as written and without accents."""
    words = ENGLISH.union(*(LANGUAGES.get(language, frozenset()) for language in languages))
    return words | {without_accents(word) for word in words}


#: Every opt-out word there is.
EVERY = opt_outs(frozenset(LANGUAGES))
