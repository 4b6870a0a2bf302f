"""What the rules and the screens need to know about the messaging providers.

Each provider's folder states it. The rules import no provider, so `bot/runtime/open_service.py`
collects the statements and passes them in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bot.consent.suppressions import Cause

#: How the id of a program begins that uses the API: as an actor, and as the provider of an event.
PROGRAM = "api:"
#: Words that nearly every provider blocks. They may block at an unknown provider, too.
COMMON = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit"})


@dataclass(frozen=True, slots=True)
class BlockingWords:
    """The texts that make a provider or carrier block by itself, in upper or lower case."""

    #: Words that block as the whole text, in lower case.
    words: frozenset[str]
    #: A word that blocks in every text that begins with it. Only some providers have one.
    beginning: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a word that no text can match, and if STOP is missing."""
        for word in (*self.words, self.beginning or ""):
            if word != word.strip().casefold():
                raise ValueError(
                    f"Blocking words are compared in lower case, without blanks around them: "
                    f"write {word.strip().casefold()!r} for {word!r}."
                )
        if "stop" not in self.words:
            raise ValueError("Blocking words must have 'stop' among them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLists:
    """What Optin does with a provider's suppression lists, by the settings."""

    #: Whether it can read them.
    reads: bool = True
    #: The causes of which a whole read shows every entry, so that one it does not show is gone;
    #: and whether it shows those of groups, topics and streams, too.
    shows: frozenset[Cause] = frozenset()
    shows_scopes: bool = False
    #: Whether an address has one entry at most, for whatever reason: while another one stands,
    #: no opt-out can be added, and none is needed.
    one_entry: bool = False
    #: Whether opt-outs are added, and as what the lists may show such an entry.
    adds: bool = False
    added_as: frozenset[Cause] = frozenset({Cause.OURS, Cause.UNSUBSCRIBE})
    #: Entries of these causes may be taken off. Never a complaint.
    removes: frozenset[Cause] = frozenset()

    def read_only(self) -> KnownLists:
        """The same without OPTIN_WRITE_BACK."""
        return replace(self, adds=False, removes=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProvider:
    """One provider."""

    #: The name that people use, such as "SendGrid".
    label: str
    #: None for an e-mail provider.
    blocking_words: BlockingWords | None = None
    #: True for Optin's own unsubscribe link, which has no suppression list.
    ours: bool = False
    #: None where Optin has no key for its lists.
    lists: KnownLists | None = None


def _unnamed(key: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class KnownProviders:
    """All providers, by the id that events and the log use."""

    by_id: Mapping[str, KnownProvider] = field(default_factory=dict)
    #: What a program is called that uses the API, by the id of its key; None where nobody knows.
    program_name: Callable[[str], str | None] = field(default=_unnamed, compare=False)
    #: The ids of the providers to whose lists opt-outs are added. Each entry of the log asks.
    adding: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        adding = (id for id, known in self.by_id.items() if known.lists and known.lists.adds)
        object.__setattr__(self, "adding", tuple(adding))

    def program(self, id: str) -> str:
        """A program that uses the API, such as "the API (Newsletter)". `id` is `api:<key>`."""
        name = self.program_name(id.removeprefix(PROGRAM))
        return f"the API ({name})" if name else "the API"

    def label(self, id: str) -> str:
        """The provider's label. For an unknown provider, its id with a capital."""
        if id.startswith(PROGRAM):
            return self.program(id)
        known = self.by_id.get(id)
        return known.label if known else id.capitalize()

    def id_of(self, text: str) -> str:
        """The id of a provider, from its id or label in upper or lower case. The text may go on
        with a slash and an entry of the provider's list; that part stays as it is."""
        ids = {known.label.casefold(): id for id, known in self.by_id.items()}
        provider, slash, entry = text.strip().partition("/")
        return f"{ids.get(provider.casefold(), provider.lower())}{slash}{entry}"

    def removes(self, id: str) -> frozenset[Cause]:
        """The causes of the entries that Optin may take off the provider's list."""
        known = self.by_id.get(id)
        return known.lists.removes if known and known.lists else frozenset()

    def writes(self, id: str) -> bool:
        """Whether Optin writes to the provider's lists, once somebody has confirmed it."""
        return id in self.adding or bool(self.removes(id))

    def added_as(self, id: str) -> frozenset[Cause]:
        """The causes by which the provider's lists may show what Optin added."""
        known = self.by_id.get(id)
        return known.lists.added_as if known and known.lists else frozenset()

    def reads(self, id: str) -> bool:
        """Whether Optin can read the provider's lists."""
        known = self.by_id.get(id)
        return bool(known and known.lists and known.lists.reads)

    def has_one_entry(self, id: str) -> bool:
        """Whether the provider's list has one entry of an address at most."""
        known = self.by_id.get(id)
        return bool(known and known.lists and known.lists.one_entry)

    def keeps_list(self, id: str) -> bool:
        """Whether the provider keeps a suppression list. Every company does; a program only reports
        what happened elsewhere."""
        known = self.by_id.get(id)
        return not id.startswith(PROGRAM) and (known is None or not known.ours)
