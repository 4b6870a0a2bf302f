"""The messaging providers, as far as the rules and the screens have to know them.

Each provider says it in its own folder. Who starts Optin collects that and passes it in: the rules
import no provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: What nearly every provider blocks; where none has told us, nobody can tell.
COMMON = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit"})


@dataclass(frozen=True, slots=True)
class BlockingWords:
    """What a provider or a carrier blocks by itself. It compares the bare text, in any case."""

    #: In lower case.
    words: frozenset[str]
    #: Some take every text that begins with this word for an opt-out.
    beginning: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a word that no text could ever match, and without STOP."""
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

    #: As people call it.
    label: str
    #: What it blocks by itself; None for a provider of e-mail.
    blocking_words: BlockingWords | None = None
    #: Not a company: Optin's own unsubscribe link, which keeps no suppression list.
    ours: bool = False


@dataclass(frozen=True, slots=True)
class KnownProviders:
    """All providers, by the id that events and the log call them by."""

    by_id: Mapping[str, KnownProvider] = field(default_factory=dict)

    def label(self, id: str) -> str:
        """The provider as people call it; the id with a capital for an unknown one."""
        known = self.by_id.get(id)
        return known.label if known else id.capitalize()

    def id_of(self, text: str) -> str:
        """The id of the provider that somebody means by its id or label, such as "SendGrid" or
        "sendgrid". A part after a slash, which names one entry of its list, stays as it is."""
        ids = {known.label.casefold(): id for id, known in self.by_id.items()}
        provider, slash, entry = text.strip().partition("/")
        return f"{ids.get(provider.casefold(), provider.lower())}{slash}{entry}"

    def blocking_words(self, id: str) -> BlockingWords | None:
        """What the provider blocks by itself; None where nobody has told Optin."""
        known = self.by_id.get(id)
        return known.blocking_words if known else None

    def keeps_list(self, id: str) -> bool:
        """Whether the provider keeps a suppression list. Every company does."""
        known = self.by_id.get(id)
        return known is None or not known.ours
