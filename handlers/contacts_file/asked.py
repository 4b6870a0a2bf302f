"""How a file is to be read, as far as somebody said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.contacts_file.columns import Column


class ListKind(StrEnum):
    """What a file is, as `--as` names it."""

    CONTACTS = "contacts"
    OPT_OUTS = "opt-outs"
    BOUNCES = "bounces"
    COMPLAINTS = "complaints"
    SUPPRESSIONS = "suppressions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a file is to be read, as far as somebody said."""

    kind: ListKind | None = None
    #: What columns mean, by their titles.
    meanings: Mapping[str, Column] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    encoding: str | None = None
    #: Whose suppression list it is, by id.
    provider: str | None = None

    @property
    def is_list(self) -> bool:
        """Whether it is a suppression list, which needs neither names nor titles."""
        return self.kind not in (None, ListKind.CONTACTS)
