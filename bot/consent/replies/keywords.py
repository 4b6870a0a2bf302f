"""The words that a carrier or a law knows: a table for each language and for each provider.

Sources: Twilio https://help.twilio.com/hc/en-us/articles/223134027 (REVOKE and OPTOUT since
29 April 2025), Telnyx https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out,
AWS https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords.html
"""

from __future__ import annotations

from collections.abc import Collection

#: Opt-out words, compared with the whole text: English always, the others where a workspace
#: has switched them on.
ENGLISH = frozenset(
    {
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke",
        "optout", "opt out", "opt-out", "remove",
    }
)  # fmt: skip
LANGUAGES: dict[str, frozenset[str]] = {
    "fr": frozenset({"arret", "arrêt", "arrete", "arrête", "td"}),
    "de": frozenset({"stopp"}),
    "es": frozenset({"baja", "parar", "alto", "cancelar", "no mas", "no más"}),
    "pt": frozenset({"sair", "parar"}),
}

#: What nearly every provider blocks; where none has told us, nobody can tell.
COMMON = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit"})
#: What a provider blocks by itself, as the bare text in any case.
BLOCKING: dict[str, frozenset[str]] = {
    "twilio": COMMON | {"revoke", "optout"},
    "telnyx": COMMON | {"stop all"},
    "aws": COMMON - {"stopall"} | {"remove", "optout", "opt-out", "arret", "td"},
}
#: A toll-free number is blocked in the network, by this word alone.
TOLL_FREE = frozenset({"stop"})
#: AWS takes every text that begins with this word for an opt-out.
BEGINS = {"aws": "stop"}

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


def opt_outs(languages: Collection[str]) -> frozenset[str]:
    """The opt-out words of English and these languages."""
    return ENGLISH.union(*(LANGUAGES.get(language, frozenset()) for language in languages))


def helps(languages: Collection[str]) -> frozenset[str]:
    return HELP.union(*(HELP_LANGUAGES.get(language, frozenset()) for language in languages))


#: Every opt-out word there is: a slip of one of them is a probable refusal in any workspace.
EVERY = opt_outs(LANGUAGES)
