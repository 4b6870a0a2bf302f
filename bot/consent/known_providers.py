"""What the rules and the screens need to know about the messaging providers.

Each provider's folder states it. The rules import no provider, so `bot/runtime/open_service.py`
collects the statements and passes them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
class KnownProvider:
    """One provider."""

    #: The name that people use, such as "SendGrid".
    label: str
    #: None for an e-mail provider.
    blocking_words: BlockingWords | None = None
    #: True for Optin's own unsubscribe link, which has no suppression list.
    ours: bool = False


@dataclass(frozen=True, slots=True)
class KnownProviders:
    """All providers, by the id that events and the log use."""

    by_id: Mapping[str, KnownProvider] = field(default_factory=dict)

    def label(self, id: str) -> str:
        """The provider's label. For an unknown provider, its id with a capital."""
        known = self.by_id.get(id)
        return known.label if known else id.capitalize()

    def id_of(self, text: str) -> str:
        """The id of a provider, from its id or label in upper or lower case. The text may go on
        with a slash and an entry of the provider's list; that part stays as it is."""
        ids = {known.label.casefold(): id for id, known in self.by_id.items()}
        provider, slash, entry = text.strip().partition("/")
        return f"{ids.get(provider.casefold(), provider.lower())}{slash}{entry}"

    def keeps_list(self, id: str) -> bool:
        """Whether the provider keeps a suppression list. Every company does."""
        known = self.by_id.get(id)
        return known is None or not known.ours
