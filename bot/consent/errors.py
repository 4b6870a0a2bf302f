"""Every refusal that a person can meet. The docstring is the sentence when none is given.

OptinError
├── Refused              a rule says no
│   ├── NotAllowed       this person may not
│   ├── NeedsManager     only an approved re-opt-in brings it back
│   ├── NeedsEvidence
│   ├── TooLate          the time to undo is over, or something lies between
│   ├── Changed          somebody else was quicker
│   └── Invalid          what was typed can't be read
├── NotFound
└── StorageFailed        nothing was changed
    ├── StorageRefused   the sentence is for whoever runs Optin
    ├── Corrupt          the file is not what we wrote; it is left as it is
    └── NeedsRestart     this process can't use the storage any more
"""

from __future__ import annotations

_IN_THE_LOG = (
    "The storage failed, so nothing was changed. Whoever runs Optin finds the reason in its log."
)


class OptinError(Exception):
    """Something went wrong. Nothing was changed."""

    def __init__(self, sentence: str | None = None, *, field: str | None = None) -> None:
        #: What the person reads. Never holds a traceback; may hold what that person typed.
        self.sentence = sentence or " ".join((type(self).__doc__ or "").split())
        #: What the sentence is about: `phone`, `email`, `name`, `sms_on`, `email_on`,
        #: `evidence`, `reason` …; none where it is about the whole.
        self.field = field
        super().__init__(self.sentence)

    @property
    def public_sentence(self) -> str:
        """The sentence for people and programs who don't run Optin."""
        return self.sentence


class Refused(OptinError):
    """This can't be done. Nothing was changed."""  # noqa: D404 - the sentence that the person reads


class NotAllowed(Refused):
    """You can't do this: Optin is for full members of this workspace whom its settings name as
    agents or managers. Ask a manager for access."""


class RoleUnknown(NotAllowed):
    """Slack could not be asked who you are, so nothing was changed."""


class OwnRequest(NotAllowed):
    """You asked for this yourself: another manager has to decide it."""


class NeedsManager(Refused):
    """The contact refused this channel, so it can't be set to YES here. It takes the contact's
    new permission and a manager's approval."""


class NeedsEvidence(Refused):
    """Say what shows that the contact agreed: a form, a call, a message, and when."""


class TooLate(Refused):
    """This can't be undone any more."""  # noqa: D404 - the sentence that the person reads


class Changed(Refused):
    """Somebody else changed this contact meanwhile. Look at it again, then save."""


class RoleTooOld(Changed):
    """The storage was busy, so nothing was decided. Press it again."""


class Invalid(Refused):
    """That can't be read. Check it and try again."""


class NotFound(OptinError):
    """There is no such contact. It may have been erased meanwhile."""


class StorageFailed(OptinError):
    """The change could not be stored, so nothing was changed. Try again in a minute."""

    #: Whether the sentence may name files, hosts, or what a database says.
    inside = False

    @property
    def public_sentence(self) -> str:
        """Without files and hosts, which are in the log."""
        return _IN_THE_LOG if self.inside else self.sentence


class StorageRefused(StorageFailed):
    """The storage does not do it, for a reason of its own."""

    inside = True


class Corrupt(StorageFailed):
    """The storage file is damaged. It was left untouched: restore it from a backup."""

    inside = True


class NeedsRestart(StorageFailed):
    """The storage can't be used any more until Optin is restarted."""

    inside = True


def without_text(error: BaseException, said: str = "") -> RuntimeError:
    """The error's kind and place, for the log. Its own text may hold what a contact wrote."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return RuntimeError(f"{kind}{said}").with_traceback(error.__traceback__)
